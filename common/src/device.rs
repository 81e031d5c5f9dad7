//! Where tensors live: the choice of a device by name, and the one place that brings CUDA into the process.
//!
//! The programs link only the CPU part of libtorch, so that one binary serves every machine. The CUDA part
//! registers itself when its library is opened, which must happen before libtorch is first used:
//! [`DeviceChoice::resolve`] sees to that.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::OnceLock;

use tch::Device;

/// A device as the user names it: `auto`, `cpu`, `cuda` or `cuda:N`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DeviceChoice {
    /// The first GPU where there is one, else the CPU.
    #[default]
    Auto,
    /// The CPU.
    Cpu,
    /// The GPU of this index.
    Cuda(usize),
}

/// Why a device cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum DeviceError {
    /// The name is none of the known ones.
    #[error("unknown device `{0}`: expected auto, cpu, cuda or cuda:N")]
    UnknownName(String),
    /// This libtorch has no CUDA part.
    #[error(
        "no GPU can be used: this libtorch has no CUDA part (libtorch_cuda.so is not in {}); \
         run `cargo xtask libtorch --cuda`, or choose --device cpu", folder.display()
    )]
    CudaNotInstalled {
        /// The folder of the libtorch in use.
        folder: PathBuf,
    },
    /// The CUDA part is there and does not open.
    #[error("no GPU can be used: {} does not load: {reason}", library.display())]
    CudaNotLoadable {
        /// The library that was tried.
        library: PathBuf,
        /// The loader's own words.
        reason: String,
    },
    /// CUDA works, but there is no such device.
    #[error("no GPU {index}: {found} found by the CUDA driver; choose --device cpu or a lower index")]
    NoSuchGpu {
        /// The index asked for.
        index: usize,
        /// How many devices there are.
        found: i64,
    },
    /// This libtorch has no switch for TF32.
    #[error("this libtorch has no switch for TF32 ({reason}): expected libtorch 2.11")]
    NoTf32Switch {
        /// The loader's own words.
        reason: String,
    },
}

impl FromStr for DeviceChoice {
    type Err = DeviceError;

    fn from_str(name: &str) -> Result<Self, DeviceError> {
        match name {
            "auto" => Ok(Self::Auto),
            "cpu" => Ok(Self::Cpu),
            "cuda" => Ok(Self::Cuda(0)),
            _ => name
                .strip_prefix("cuda:")
                .and_then(|index| index.parse().ok())
                .map(Self::Cuda)
                .ok_or_else(|| DeviceError::UnknownName(name.to_owned())),
        }
    }
}

impl fmt::Display for DeviceChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda(index) => write!(f, "cuda:{index}"),
        }
    }
}

impl DeviceChoice {
    /// The device to compute on. Nothing falls back silently: a GPU that was asked for by name and cannot be
    /// had is an error that says what is missing.
    ///
    /// # Errors
    /// The GPU asked for cannot be had: no CUDA part of libtorch, or no such device.
    pub fn resolve(self) -> Result<Device, DeviceError> {
        match self {
            Self::Cpu => Ok(Device::Cpu),
            Self::Cuda(index) => {
                cuda_backend().as_ref().map_err(CudaAbsence::to_error)?;
                let found = tch::Cuda::device_count();
                if tch::Cuda::is_available() && (index as i64) < found {
                    Ok(Device::Cuda(index))
                } else {
                    Err(DeviceError::NoSuchGpu { index, found })
                }
            }
            Self::Auto => {
                let has_gpu = cuda_backend().is_ok() && tch::Cuda::is_available();
                Ok(if has_gpu { Device::Cuda(0) } else { Device::Cpu })
            }
        }
    }
}

/// Keeps CUDA's part of libtorch open for the life of the process.
struct CudaBackend {
    _library: libloading::Library,
}

enum CudaAbsence {
    NotInstalled { folder: PathBuf },
    NotLoadable { library: PathBuf, reason: String },
}

impl CudaAbsence {
    fn to_error(&self) -> DeviceError {
        match self {
            Self::NotInstalled { folder } => DeviceError::CudaNotInstalled { folder: folder.clone() },
            Self::NotLoadable { library, reason } => {
                DeviceError::CudaNotLoadable { library: library.clone(), reason: reason.clone() }
            }
        }
    }
}

fn cuda_backend() -> &'static Result<CudaBackend, CudaAbsence> {
    static BACKEND: OnceLock<Result<CudaBackend, CudaAbsence>> = OnceLock::new();
    BACKEND.get_or_init(|| {
        let folder = libtorch_folder().unwrap_or_default();
        let library = folder.join("libtorch_cuda.so");
        if !library.exists() {
            return Err(CudaAbsence::NotInstalled { folder });
        }
        open_globally(&library)
            .map(|library| CudaBackend { _library: library })
            .map_err(|error| CudaAbsence::NotLoadable { library, reason: error.to_string() })
    })
}

/// The folder of the libtorch_cpu that the dynamic loader really took, whatever path led it there.
fn libtorch_folder() -> Option<PathBuf> {
    let mappings = std::fs::read_to_string("/proc/self/maps").ok()?;
    mappings
        .lines()
        .filter_map(|line| line.find('/').map(|start| Path::new(&line[start..])))
        .find(|path| path.file_name().is_some_and(|name| name == "libtorch_cpu.so"))
        .and_then(Path::parent)
        .map(Path::to_owned)
}

#[cfg(unix)]
#[allow(unsafe_code)]
fn open_globally(library: &Path) -> Result<libloading::Library, libloading::Error> {
    use libloading::os::unix::{Library, RTLD_GLOBAL, RTLD_NOW};
    // SAFETY: opening a library runs its initialisers. Those of libtorch_cuda register CUDA's kernels with the
    // dispatcher of the libtorch_cpu beside it, which is the same build. They are meant to run at any time
    // before CUDA is first used, and the library is never closed.
    unsafe { Library::open(Some(library), RTLD_NOW | RTLD_GLOBAL) }.map(Into::into)
}

#[cfg(not(unix))]
#[allow(unsafe_code)]
fn open_globally(library: &Path) -> Result<libloading::Library, libloading::Error> {
    // SAFETY: as above.
    unsafe { libloading::Library::new(library) }
}

/// Says whether cuDNN and cuBLAS may round the factors of f32 products to TF32.
///
/// tch has no door to libtorch's switches, so they are called by their names.
///
/// # Errors
/// They are not where libtorch 2.11 has them.
#[cfg(unix)]
#[allow(unsafe_code)]
pub fn allow_tf32(is_allowed: bool) -> Result<(), DeviceError> {
    use std::ffi::c_void;
    let process = libloading::os::unix::Library::this();
    let no_switch = |error: libloading::Error| DeviceError::NoTf32Switch { reason: error.to_string() };
    // SAFETY: these are `at::Context& at::globalContext()` and `void at::Context::setAllowTF32...(bool)`, whose
    // arguments and results travel as those of the C functions below do; the context lives as long as the process.
    unsafe {
        let context = process
            .get::<unsafe extern "C" fn() -> *mut c_void>(b"_ZN2at13globalContextEv")
            .map_err(no_switch)?();
        for setter in ["_ZN2at7Context17setAllowTF32CuDNNEb", "_ZN2at7Context18setAllowTF32CuBLASEb"] {
            let set = process
                .get::<unsafe extern "C" fn(*mut c_void, bool)>(setter.as_bytes())
                .map_err(no_switch)?;
            set(context, is_allowed);
        }
    }
    Ok(())
}

#[cfg(not(unix))]
pub fn allow_tf32(_is_allowed: bool) -> Result<(), DeviceError> {
    Err(DeviceError::NoTf32Switch { reason: "not a Unix".to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_and_written_alike() {
        for name in ["auto", "cpu", "cuda:0", "cuda:3"] {
            assert_eq!(name.parse::<DeviceChoice>().unwrap().to_string(), name);
        }
        assert_eq!("cuda".parse::<DeviceChoice>().unwrap(), DeviceChoice::Cuda(0));
    }

    #[test]
    fn unknown_names_are_refused_with_the_known_ones() {
        for name in ["gpu", "cuda:", "cuda:x", "cuda:-1", ""] {
            let message = name.parse::<DeviceChoice>().unwrap_err().to_string();
            assert!(message.contains("expected auto, cpu, cuda"), "{message}");
        }
    }

    #[test]
    fn the_libtorch_in_use_is_found() {
        let _loaded = tch::Tensor::zeros([1], tch::kind::FLOAT_CPU);
        if cfg!(target_os = "linux") {
            assert!(libtorch_folder().unwrap().join("libtorch_cpu.so").exists());
        }
    }

    #[test]
    fn libtorchs_tf32_switches_are_found() {
        let _loaded = tch::Tensor::zeros([1], tch::kind::FLOAT_CPU);
        allow_tf32(true).unwrap();
        allow_tf32(false).unwrap();
    }

    #[test]
    fn a_gpu_beyond_the_last_is_an_error() {
        let message = DeviceChoice::Cuda(1000).resolve().unwrap_err().to_string();
        assert!(message.contains("no GPU"), "{message}");
    }
}
