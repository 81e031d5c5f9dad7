//! Named tensors in a safetensors file, loaded strictly: what is missing, unexpected or wrongly shaped is
//! reported all at once, and nothing is broadcast or cast behind the reader's back.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use pixel::atomic_file::AtomicFileError;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};
use tch::{Device, Kind, Tensor};

/// A file of named tensors, read and checked, its numbers not yet converted.
pub struct TensorFile {
    path: PathBuf,
    bytes: Vec<u8>,
    metadata: HashMap<String, String>,
}

/// The longest header that is read.
const MOST_HEADER_BYTES: u64 = 4 << 20;

/// Whether a file begins as safetensors do: with the length of a header, then the brace that it begins with.
///
/// # Errors
/// The file cannot be read.
pub fn starts_like_safetensors(path: &Path) -> std::io::Result<bool> {
    Ok(start_of(path)?.get(8) == Some(&b'{'))
}

fn start_of(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut start = Vec::new();
    File::open(path)?.take(9).read_to_end(&mut start)?;
    Ok(start)
}

/// Why a file of tensors cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TensorFileError {
    /// The file cannot be read.
    #[error("cannot read {}: {cause}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        cause: std::io::Error,
    },
    /// The file is no safetensors file, or not all of one.
    #[error("not a whole safetensors file (cut short or damaged?): {reason}: {}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What the reader stumbled over.
        reason: String,
    },
    /// Names, shapes or number formats are not those expected.
    #[error("{mismatch}: {}", path.display())]
    Mismatch {
        /// The file.
        path: PathBuf,
        /// Everything that differs.
        mismatch: Mismatch,
    },
    /// The file cannot be written.
    #[error(transparent)]
    Write(#[from] AtomicFileError),
}

/// How the tensors found differ from those expected.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Mismatch {
    /// Names that should be there.
    pub missing: Vec<String>,
    /// Names that should not be there.
    pub unexpected: Vec<String>,
    /// One sentence for each tensor of the wrong shape or number format.
    pub wrong: Vec<String>,
}

impl Mismatch {
    /// There is no difference.
    pub fn is_empty(&self) -> bool {
        self.missing.is_empty() && self.unexpected.is_empty() && self.wrong.is_empty()
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// Enough names to see the pattern on one line.
        const SHOWN: usize = 4;
        let groups = [("missing", &self.missing), ("unexpected", &self.unexpected), ("wrong", &self.wrong)];
        let mut separator = "";
        for (title, items) in groups.into_iter().filter(|(_, items)| !items.is_empty()) {
            write!(f, "{separator}{title} {}", items[..items.len().min(SHOWN)].join(", "))?;
            if items.len() > SHOWN {
                write!(f, " and {} more", items.len() - SHOWN)?;
            }
            separator = "; ";
        }
        Ok(())
    }
}

/// A tensor that must be there: its name and shape.
pub type ExpectedTensor = (String, Vec<i64>);

impl TensorFile {
    /// Reads a file and checks its structure. A header that promises more than the file holds is refused
    /// before anything of that size is allocated.
    ///
    /// # Errors
    /// The file cannot be read, or is not a whole safetensors file.
    pub fn open(path: &Path) -> Result<Self, TensorFileError> {
        let unreadable = |cause| TensorFileError::Read { path: path.to_owned(), cause };
        let malformed = |reason: String| TensorFileError::Malformed { path: path.to_owned(), reason };
        let start = start_of(path).map_err(unreadable)?;
        // Names and shapes of the largest network take a hundredth of that; to parse it takes many times its size.
        if let Some(header_bytes) = start.first_chunk().map(|start| u64::from_le_bytes(*start))
            && header_bytes > MOST_HEADER_BYTES
        {
            return Err(malformed(format!("a header of {header_bytes} bytes")));
        }
        let bytes = std::fs::read(path).map_err(unreadable)?;
        let (_, header) = SafeTensors::read_metadata(&bytes).map_err(|error| malformed(error.to_string()))?;
        SafeTensors::deserialize(&bytes).map_err(|error| malformed(error.to_string()))?;
        let metadata = header.metadata().clone().unwrap_or_default();
        Ok(Self { path: path.to_owned(), bytes, metadata })
    }

    /// Where the file lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// One value of the file's metadata.
    pub fn metadata(&self, key: &str) -> Option<&str> {
        self.metadata.get(key).map(String::as_str)
    }

    /// The names in the file.
    pub fn names(&self) -> BTreeSet<String> {
        self.parsed().names().into_iter().map(str::to_owned).collect()
    }

    /// Each name and its shape.
    pub fn shapes(&self) -> BTreeMap<String, Vec<i64>> {
        self.parsed().iter().map(|(name, view)| (name.to_owned(), shape_of(&view))).collect()
    }

    /// The shape of a tensor, if the file holds it.
    pub fn shape(&self, name: &str) -> Option<Vec<i64>> {
        self.parsed().tensor(name).ok().map(|view| shape_of(&view))
    }

    /// Loads exactly the expected tensors as f32 on `device`, from f32, f16 or bf16. Other names in the file are
    /// an error unless `is_ignored` says that they may be there.
    ///
    /// # Errors
    /// [`TensorFileError::Mismatch`] with everything that differs.
    pub fn load(
        &self,
        expected: &[ExpectedTensor],
        is_ignored: impl Fn(&str) -> bool,
        device: Device,
    ) -> Result<BTreeMap<String, Tensor>, TensorFileError> {
        let file = self.parsed();
        let mismatch = compare(&file, expected, is_ignored);
        if !mismatch.is_empty() {
            return Err(TensorFileError::Mismatch { path: self.path.clone(), mismatch });
        }
        let tensors = expected.iter().filter_map(|(name, _)| {
            let view = file.tensor(name).ok()?;
            Some((name.clone(), tensor_from_view(&view)?.to_kind(Kind::Float).to_device(device)))
        });
        Ok(tensors.collect())
    }

    fn parsed(&self) -> SafeTensors<'_> {
        SafeTensors::deserialize(&self.bytes).expect("the file was checked when it was opened")
    }
}

fn compare(
    file: &SafeTensors<'_>,
    expected: &[ExpectedTensor],
    is_ignored: impl Fn(&str) -> bool,
) -> Mismatch {
    let mut mismatch = Mismatch::default();
    for (name, shape) in expected {
        let Ok(view) = file.tensor(name) else {
            mismatch.missing.push(name.clone());
            continue;
        };
        if shape_of(&view) != *shape {
            let found = shape_of(&view);
            mismatch.wrong.push(format!("{name} (shape {found:?}, expected {shape:?})"));
        } else if kind_of(view.dtype()).is_none() {
            let found = view.dtype();
            mismatch.wrong.push(format!("{name} ({found:?} numbers, expected F32, F16 or BF16)"));
        }
    }
    let known: BTreeSet<&str> = expected.iter().map(|(name, _)| name.as_str()).collect();
    let mut names = file.names();
    names.sort_unstable();
    mismatch.unexpected = names
        .into_iter()
        .filter(|name| !known.contains(name) && !is_ignored(name))
        .map(str::to_owned)
        .collect();
    mismatch
}

fn shape_of(view: &TensorView<'_>) -> Vec<i64> {
    view.shape().iter().map(|&side| side as i64).collect()
}

fn kind_of(dtype: Dtype) -> Option<Kind> {
    match dtype {
        Dtype::F32 => Some(Kind::Float),
        Dtype::F16 => Some(Kind::Half),
        Dtype::BF16 => Some(Kind::BFloat16),
        _ => None,
    }
}

fn tensor_from_view(view: &TensorView<'_>) -> Option<Tensor> {
    Some(Tensor::from_data_size(view.data(), &shape_of(view), kind_of(view.dtype())?))
}

/// The number format of the tensors in a file that is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StoredAs {
    /// 32-bit floats: what was computed, bit for bit.
    F32,
    /// 16-bit floats: half the size, for files that are only read to be applied.
    F16,
}

impl StoredAs {
    /// The tensor's numbers in this format, little-endian, one after the other.
    pub(crate) fn bytes_of(self, tensor: &Tensor) -> Vec<u8> {
        let kind = match self {
            Self::F32 => Kind::Float,
            Self::F16 => Kind::Half,
        };
        let tensor = tensor.to_device(Device::Cpu).to_kind(kind).contiguous();
        let mut bytes = vec![0; tensor.numel() * kind.elt_size_in_bytes()];
        tensor.copy_data_u8(&mut bytes, tensor.numel());
        bytes
    }
}

/// Writes tensors and one metadata key as a safetensors file, at once or not at all. The same contents give the
/// same bytes.
///
/// # Errors
/// The file cannot be written; what was there before is untouched.
pub fn write(
    path: &Path,
    tensors: &[(String, Tensor)],
    metadata: (&str, String),
    stored_as: StoredAs,
) -> Result<(), TensorFileError> {
    write_with_metadata(path, tensors, [metadata], stored_as)
}

/// As [`write()`], with any number of metadata keys, whose order in the file is not fixed.
///
/// # Errors
/// The file cannot be written; what was there before is untouched.
pub fn write_with_metadata<'a>(
    path: &Path,
    tensors: &[(String, Tensor)],
    metadata: impl IntoIterator<Item = (&'a str, String)>,
    stored_as: StoredAs,
) -> Result<(), TensorFileError> {
    let dtype = match stored_as {
        StoredAs::F32 => Dtype::F32,
        StoredAs::F16 => Dtype::F16,
    };
    let stored: Vec<(&str, Vec<usize>, Vec<u8>)> = tensors
        .iter()
        .map(|(name, tensor)| {
            let shape = tensor.size().iter().map(|&side| side as usize).collect();
            (name.as_str(), shape, stored_as.bytes_of(tensor))
        })
        .collect();
    let views = stored.iter().map(|(name, shape, bytes)| {
        let view = TensorView::new(dtype, shape.clone(), bytes).expect("as many bytes as the shape asks for");
        (*name, view)
    });
    let metadata = metadata.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    let bytes =
        safetensors::serialize(views, Some(metadata)).expect("names, shapes and sizes agree by construction");
    Ok(pixel::atomic_file::write(path, &bytes)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expected(name: &str, shape: &[i64]) -> ExpectedTensor {
        (name.to_owned(), shape.to_vec())
    }

    fn written(folder: &tempfile::TempDir, stored_as: StoredAs) -> PathBuf {
        let path = folder.path().join("tensors.safetensors");
        let tensors = [
            ("a".to_owned(), Tensor::from_slice(&[1.5f32, -2.0, 0.25, 8.0]).view([2, 2])),
            ("b".to_owned(), Tensor::from_slice(&[3.0f32])),
        ];
        write(&path, &tensors, ("about", "a test".to_owned()), stored_as).unwrap();
        path
    }

    #[test]
    fn what_is_written_is_read_back_in_both_formats() {
        let folder = tempfile::tempdir().unwrap();
        for stored_as in [StoredAs::F32, StoredAs::F16] {
            let file = TensorFile::open(&written(&folder, stored_as)).unwrap();
            assert_eq!(file.metadata("about"), Some("a test"));
            let wanted = [expected("a", &[2, 2]), expected("b", &[1])];
            let tensors = file.load(&wanted, |_| false, Device::Cpu).unwrap();
            assert_eq!(Vec::<f32>::try_from(tensors["a"].flatten(0, 1)).unwrap(), [1.5, -2.0, 0.25, 8.0]);
        }
    }

    #[test]
    fn every_difference_is_reported_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = TensorFile::open(&written(&folder, StoredAs::F32)).unwrap();
        let wanted = [expected("a", &[4]), expected("c", &[1])];
        let message = file.load(&wanted, |_| false, Device::Cpu).unwrap_err().to_string();
        for part in ["missing c", "unexpected b", "a (shape [2, 2], expected [4])", "tensors.safetensors"] {
            assert!(message.contains(part), "{message}");
        }
    }

    #[test]
    fn nothing_is_broadcast() {
        let folder = tempfile::tempdir().unwrap();
        let file = TensorFile::open(&written(&folder, StoredAs::F32)).unwrap();
        assert!(file.load(&[expected("b", &[3])], |name| name == "a", Device::Cpu).is_err());
    }

    #[test]
    fn a_file_cut_short_anywhere_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = written(&folder, StoredAs::F32);
        let whole = std::fs::read(&path).unwrap();
        for length in 0..whole.len() {
            std::fs::write(&path, &whole[..length]).unwrap();
            assert!(
                matches!(TensorFile::open(&path), Err(TensorFileError::Malformed { .. })),
                "{length} bytes"
            );
        }
    }

    #[test]
    fn the_same_contents_give_the_same_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let first = std::fs::read(written(&folder, StoredAs::F16)).unwrap();
        let second = std::fs::read(written(&folder, StoredAs::F16)).unwrap();
        assert_eq!(first, second);
    }
}
