//! Named tensors in what `torch.save` writes, old and new. A pickle is interpreted by `pytorch-reader`, which builds tensors
//! and plain values from it and runs nothing.

mod opcodes;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read as _, Seek as _};
use std::path::Path;

use pytorch_reader::{DType, PytorchReader};
use tch::{Kind, Tensor};

/// A PyTorch file, its numbers not yet read.
pub struct TorchFile {
    tensors: BTreeMap<String, pytorch_reader::Tensor>,
    file_bytes: u64,
}

/// Why a PyTorch file cannot be used, in one line without the file's name.
#[derive(Debug, thiserror::Error)]
pub enum TorchFileError {
    /// The file cannot be read.
    #[error("cannot be read: {0}")]
    Read(std::io::Error),
    /// It is something else, or damaged, or means harm.
    #[error("neither safetensors nor a PyTorch file that can be read: {0}")]
    Malformed(String),
    /// It is of PyTorch's predecessor.
    #[error("a file of Torch7, as jcjohnson/fast-neural-style publishes them; these are not read")]
    Torch7,
    /// What would be unpacked is out of all proportion.
    #[error("its pickle unpacks to {bytes} bytes, expected at most {}", TorchFile::MOST_PICKLE_BYTES)]
    LargePickle {
        /// What the archive says.
        bytes: u64,
    },
    /// It would take much memory to follow.
    #[error("its pickle has more than {} opcodes", TorchFile::MOST_OPCODES)]
    LongPickle,
    /// More numbers are declared than the file has room for.
    #[error("its tensors are said to be {declared} bytes, which a file of {held} bytes does not hold")]
    Overdrawn {
        /// What the shapes come to.
        declared: u128,
        /// The file's size.
        held: u64,
    },
    /// A tensor is not of a kind that weights are.
    #[error("{name} holds {found} numbers, expected F32, F16, BF16 or F64")]
    Kind {
        /// The tensor.
        name: String,
        /// Its numbers.
        found: String,
    },
    /// A tensor's numbers are not there.
    #[error("{name} cannot be read (cut short or damaged?): {reason}")]
    Tensor {
        /// The tensor.
        name: String,
        /// What the reader said.
        reason: String,
    },
}

impl TorchFile {
    /// The largest pickle in an archive: a hundred times that of the largest network that anything here reads. (Outside of
    /// archives nothing is packed, and the file's own size is the limit.)
    pub const MOST_PICKLE_BYTES: u64 = 4 << 20;

    /// The longest pickle that is followed: that of some thousand tensors.
    pub const MOST_OPCODES: u64 = 200_000;

    /// Reads names and shapes; what a name was nested in comes before it with a dot.
    ///
    /// # Errors
    /// The file cannot be read or is no PyTorch file, as far as its names and shapes go.
    pub fn open(path: &Path) -> Result<Self, TorchFileError> {
        let mut file = File::open(path).map_err(TorchFileError::Read)?;
        let file_bytes = file.metadata().map_err(TorchFileError::Read)?.len();
        refuse_others(&mut file)?;
        let reader = PytorchReader::new(path).map_err(|error| TorchFileError::Malformed(one_line(&error)))?;
        Ok(Self { tensors: reader.into_tensors().into_iter().collect(), file_bytes })
    }

    /// What each tensor's shape is said to be.
    pub fn shapes(&self) -> BTreeMap<String, Vec<i64>> {
        self.tensors.iter().map(|(name, tensor)| (name.clone(), shape_of(tensor))).collect()
    }

    /// Reads these tensors, in whatever number format they have; names that are not there are left out.
    ///
    /// # Errors
    /// The numbers of one are not there or not of a kind that weights are, or together they are said to be more than the
    /// file can hold, as by a view that repeats one number.
    pub fn load<'a>(
        &self,
        names: impl IntoIterator<Item = &'a str>,
    ) -> Result<BTreeMap<String, Tensor>, TorchFileError> {
        let wanted: Vec<_> = names.into_iter().filter_map(|name| self.tensors.get_key_value(name)).collect();
        let declared = wanted.iter().map(|(_, tensor)| tensor.byte_len() as u128).sum();
        if declared > u128::from(self.file_bytes) {
            return Err(TorchFileError::Overdrawn { declared, held: self.file_bytes });
        }
        wanted.into_iter().map(|(name, tensor)| Ok((name.clone(), read(name, tensor)?))).collect()
    }
}

fn read(name: &str, tensor: &pytorch_reader::Tensor) -> Result<Tensor, TorchFileError> {
    let name = || name.escape_debug().to_string();
    let kind = kind_of(tensor.dtype())
        .ok_or_else(|| TorchFileError::Kind { name: name(), found: format!("{:?}", tensor.dtype()) })?;
    let broken = |reason: String| TorchFileError::Tensor { name: name(), reason };
    let bytes = tensor.read().map_err(|error| broken(one_line(&error)))?;
    if bytes.len() != tensor.byte_len() {
        return Err(broken(format!("{} bytes, expected {}", bytes.len(), tensor.byte_len())));
    }
    Ok(Tensor::from_data_size(&bytes, &shape_of(tensor), kind))
}

/// What the reader is not asked about: a few kilobytes of an archive may unpack to anything.
fn refuse_others(file: &mut File) -> Result<(), TorchFileError> {
    let mut start = Vec::new();
    file.take(8).read_to_end(&mut start).map_err(TorchFileError::Read)?;
    file.rewind().map_err(TorchFileError::Read)?;
    // The first object, a table or one of Torch's own.
    if matches!(start[..], [3 | 4, 0, 0, 0, 1, 0, 0, 0]) {
        return Err(TorchFileError::Torch7);
    }
    if !start.starts_with(b"PK\x03\x04") {
        return limited(&mut BufReader::new(file), PICKLES_OF_LEGACY);
    }
    let malformed = |error: &dyn std::fmt::Display| TorchFileError::Malformed(one_line(error));
    let mut archive = zip::ZipArchive::new(BufReader::new(file)).map_err(|error| malformed(&error))?;
    for index in 0..archive.len() {
        let entry = archive.by_index_raw(index).map_err(|error| malformed(&error))?;
        if !entry.name_raw().ends_with(b"data.pkl") {
            continue;
        }
        let bytes = entry.size();
        drop(entry);
        if bytes > TorchFile::MOST_PICKLE_BYTES {
            return Err(TorchFileError::LargePickle { bytes });
        }
        let entry = archive.by_index(index).map_err(|error| malformed(&error))?;
        limited(&mut BufReader::new(entry.take(bytes)), 1)?;
    }
    Ok(())
}

/// Until 1.5: a magic number, a version, what wrote it, the tensors, and the order of the numbers behind them.
const PICKLES_OF_LEGACY: usize = 5;

/// A network takes some forty opcodes for each tensor.
fn limited(input: &mut dyn BufRead, pickles: usize) -> Result<(), TorchFileError> {
    let opcodes = opcodes::count(input, pickles, TorchFile::MOST_OPCODES + 1)
        .map_err(|error| TorchFileError::Malformed(one_line(&error)))?;
    if opcodes > TorchFile::MOST_OPCODES { Err(TorchFileError::LongPickle) } else { Ok(()) }
}

fn shape_of(tensor: &pytorch_reader::Tensor) -> Vec<i64> {
    tensor.shape().iter().map(|&side| side as i64).collect()
}

fn kind_of(dtype: DType) -> Option<Kind> {
    match dtype {
        DType::F32 => Some(Kind::Float),
        DType::F16 => Some(Kind::Half),
        DType::BF16 => Some(Kind::BFloat16),
        DType::F64 => Some(Kind::Double),
        _ => None,
    }
}

/// Libraries' messages may have more than one line, and quote what they found.
fn one_line(error: &dyn std::fmt::Display) -> String {
    /// Enough to see what is wrong.
    const LONGEST: usize = 300;
    error
        .to_string()
        .chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .take(LONGEST)
        .collect()
}
