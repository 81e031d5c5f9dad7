//! Which member of an archive goes where in the tree. Names only; no file is touched here.
//!
//! ```text
//! build-version                    2.11.0+cpu or 2.11.0+cu130; torch-sys's build script reads it
//! stamp.json                       what came from where; written last
//! include/                         PyTorch's headers
//! lib/libtorch_cpu.so, libc10.so   what our programs are linked with
//! lib/libtorch.so                  no library but a linker script, see LINKER_SCRIPT
//! lib/*.so*                        what these load in turn
//! ```
//!
//! All libraries lie side by side: the search path inside PyTorch's own ends in `$ORIGIN`, so that even
//! NVIDIA's are found here and need not keep the folders that they have in a Python installation.

use super::pins::VERSION;

/// PyTorch's real `libtorch.so` does nothing but pull in everything, CUDA included. With this in its place a program
/// that asks the linker for `-ltorch` needs `libtorch_cpu` alone, whichever tree it is linked with; the same program
/// then opens `libtorch_cuda.so` at run time where there is one.
pub(super) const LINKER_SCRIPT: &str = "INPUT(libtorch_cpu.so)\n";

/// Header that every build includes: its absence tells a tree without headers.
pub(super) const WITNESS_HEADER: &str = "include/torch/csrc/api/include/torch/torch.h";

const CPU_LIBRARIES: [&str; 5] =
    ["libtorch_cpu.so", "libc10.so", "libgomp.so.1", "libshm.so", "libtorch_global_deps.so"];
const CPU_NVIDIA_LIBRARIES: [&str; 2] = ["libcudart.so.13", "libcupti.so.13"];

/// The first is replaced by the linker script; the second is of use to Python only.
const NEVER: [&str; 2] = ["libtorch.so", "libtorch_python.so"];

/// How much of libtorch is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flavour {
    /// Some 480 MB.
    Cpu,
    /// The same and everything for NVIDIA's GPUs, some 3.6 GB.
    Cuda,
}

impl Flavour {
    /// The content of `build-version`, in the words of the official archives.
    pub(super) fn version(self) -> String {
        match self {
            Self::Cpu => format!("{VERSION}+cpu"),
            Self::Cuda => format!("{VERSION}+cu130"),
        }
    }
}

/// From a member of an archive to its place in the tree, `/` in both; None where the member is not wanted.
pub(super) type Rule = fn(Flavour, &str) -> Option<String>;

/// The torch wheel.
pub(super) fn torch_wheel(flavour: Flavour, member: &str) -> Option<String> {
    if let Some(header) = member.strip_prefix("torch/include/") {
        return Some(format!("include/{header}"));
    }
    let library = shared_library(member.strip_prefix("torch/lib/")?)?;
    let wanted = match flavour {
        Flavour::Cpu => CPU_LIBRARIES.contains(&library),
        Flavour::Cuda => !NEVER.contains(&library),
    };
    wanted.then(|| format!("lib/{library}"))
}

/// The wheels of NVIDIA: `nvidia/<package>/lib/<library>`.
pub(super) fn nvidia_wheel(flavour: Flavour, member: &str) -> Option<String> {
    let (_package, rest) = member.strip_prefix("nvidia/")?.split_once('/')?;
    let library = shared_library(rest.strip_prefix("lib/")?)?;
    let wanted = match flavour {
        Flavour::Cpu => CPU_NVIDIA_LIBRARIES.contains(&library),
        Flavour::Cuda => true,
    };
    wanted.then(|| format!("lib/{library}"))
}

/// The official archives, of which there is one for each flavour: all of the libraries in it belong together.
pub(super) fn official(_flavour: Flavour, member: &str) -> Option<String> {
    let inner = member.strip_prefix("libtorch/")?;
    if inner.starts_with("include/") {
        return Some(inner.to_owned());
    }
    let library = shared_library(inner.strip_prefix("lib/")?)?;
    (!NEVER.contains(&library)).then(|| inner.to_owned())
}

/// A plain file name that is a shared library's, with or without a version behind the `.so`.
fn shared_library(name: &str) -> Option<&str> {
    (!name.contains('/') && name.split('.').skip(1).any(|part| part == "so")).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `(member, place in the CPU's tree, place in the CUDA tree)`
    fn check(rule: Rule, table: &[(&str, Option<&str>, Option<&str>)]) {
        for (member, cpu, cuda) in table {
            assert_eq!(rule(Flavour::Cpu, member).as_deref(), *cpu, "{member} (cpu)");
            assert_eq!(rule(Flavour::Cuda, member).as_deref(), *cuda, "{member} (cuda)");
        }
    }

    #[test]
    fn torch_wheel_gives_headers_and_libraries() {
        let header = Some("include/ATen/ATen.h");
        let (cpu, cuda) = (Some("lib/libtorch_cpu.so"), Some("lib/libtorch_cuda.so"));
        let gomp = Some("lib/libgomp.so.1");
        check(
            torch_wheel,
            &[
                ("torch/include/ATen/ATen.h", header, header),
                ("torch/lib/libtorch_cpu.so", cpu, cpu),
                ("torch/lib/libgomp.so.1", gomp, gomp),
                ("torch/lib/libtorch_cuda.so", None, cuda),
                ("torch/lib/libtorch.so", None, None),
                ("torch/lib/libtorch_python.so", None, None),
                ("torch/lib/libshm/libshm.h", None, None),
                ("torch/bin/protoc", None, None),
                ("torch-2.11.0.dist-info/METADATA", None, None),
            ],
        );
    }

    #[test]
    fn nvidia_libraries_are_laid_flat() {
        let cudart = Some("lib/libcudart.so.13");
        check(
            nvidia_wheel,
            &[
                ("nvidia/cu13/lib/libcudart.so.13", cudart, cudart),
                ("nvidia/cu13/lib/libcudart_static.a", None, None),
                ("nvidia/cu13/lib/libnvperf_host.so", None, Some("lib/libnvperf_host.so")),
                ("nvidia/cudnn/lib/libcudnn.so.9", None, Some("lib/libcudnn.so.9")),
                ("nvidia/nvshmem/lib/cmake/nvshmem/version.so.cmake", None, None),
                ("nvidia/cu13/include/cuda.h", None, None),
            ],
        );
    }

    #[test]
    fn official_archive_keeps_its_own_layout() {
        let library = Some("lib/libgomp-a34b3233.so.1");
        check(
            official,
            &[
                (
                    "libtorch/include/c10/util/Half.h",
                    Some("include/c10/util/Half.h"),
                    Some("include/c10/util/Half.h"),
                ),
                ("libtorch/lib/libgomp-a34b3233.so.1", library, library),
                ("libtorch/lib/libtorch.so", None, None),
                ("libtorch/lib/libdnnl.a", None, None),
                ("libtorch/share/cmake/Torch/TorchConfig.cmake", None, None),
                ("elsewhere/lib/libc10.so", None, None),
            ],
        );
    }
}
