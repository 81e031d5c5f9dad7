//! The named tensors of an ONNX file. What its graph computes is not looked at.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read as _};
use std::path::{Path, PathBuf};

use protobuf3::CodedInputStream;
use protobuf3::rt::WireType;
use tch::{Kind, Tensor};

use super::data_type;

/// The tensors that an ONNX file names, their numbers not yet read.
pub struct OnnxFile {
    path: PathBuf,
    metadata: BTreeMap<String, String>,
    tensors: BTreeMap<String, Declared>,
}

/// What is said of a tensor.
struct Declared {
    shape: Vec<i64>,
    data_type: i64,
}

/// Why an ONNX file cannot be used, in one line without the file's name.
#[derive(Debug, thiserror::Error)]
pub enum OnnxFileError {
    /// The file cannot be read.
    #[error("cannot be read: {0}")]
    Read(std::io::Error),
    /// It is something else, or damaged, or means harm.
    #[error("not an ONNX file that can be read: {0}")]
    Malformed(String),
    /// A tensor's numbers are not of a kind that weights are, or are not as many as its shape says.
    #[error("{name} holds no weights that can be read: {reason}")]
    Tensor {
        /// The tensor.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
}

/// Names, keys and metadata are not longer, and there are not more of them, in any file that means well.
const LONGEST_NAME: usize = 256;
const LONGEST_TEXT: usize = 1 << 20;
const MOST_ENTRIES: usize = 10_000;

impl OnnxFile {
    /// Whether a file begins as ONNX usually does: with the format's version.
    pub fn may_be(path: &Path) -> bool {
        let mut start = [0; 2];
        let found = File::open(path).and_then(|mut file| file.read_exact(&mut start));
        found.is_ok() && matches!(start, [0x08, 1..=64])
    }

    /// Reads names, shapes and metadata.
    ///
    /// # Errors
    /// The file cannot be read or is not an ONNX file.
    pub fn open(path: &Path) -> Result<Self, OnnxFileError> {
        let mut found = Self { path: path.to_owned(), metadata: BTreeMap::new(), tensors: BTreeMap::new() };
        each_part(path, &|_| false, &mut |part| {
            let is_new = match part {
                Part::Metadata(key, value) => found.metadata.insert(key, value).is_none(),
                Part::Tensor(name, declared, _) => found.tensors.insert(name, declared).is_none(),
            };
            if !is_new {
                return Err(malformed(&"two things of the same name"));
            }
            if found.metadata.len() + found.tensors.len() > MOST_ENTRIES {
                return Err(malformed(&format!("more than {MOST_ENTRIES} tensors")));
            }
            Ok(())
        })?;
        Ok(found)
    }

    /// The value under a key of the file's metadata.
    pub fn metadata(&self, key: &str) -> Option<&str> {
        self.metadata.get(key).map(String::as_str)
    }

    /// What each tensor's shape is said to be; only of those that are floating-point numbers.
    pub fn shapes(&self) -> BTreeMap<String, Vec<i64>> {
        let floats = self.tensors.iter().filter(|(_, declared)| kind_of(declared.data_type).is_some());
        floats.map(|(name, declared)| (name.clone(), declared.shape.clone())).collect()
    }

    /// Reads these tensors, in whatever number format they have; names that are not there are left out.
    ///
    /// # Errors
    /// The file cannot be read, or a tensor's numbers are not as many as its shape says.
    pub fn load<'a>(
        &self,
        names: impl IntoIterator<Item = &'a str>,
    ) -> Result<BTreeMap<String, Tensor>, OnnxFileError> {
        // How many bytes each is to have.
        let mut wanted = BTreeMap::new();
        for name in names {
            let Some(declared) = self.tensors.get(name) else { continue };
            let broken =
                |reason: String| OnnxFileError::Tensor { name: name.escape_debug().to_string(), reason };
            let kind = kind_of(declared.data_type)
                .ok_or_else(|| broken(format!("numbers of ONNX's type {}", declared.data_type)))?;
            let bytes = declared
                .shape
                .iter()
                .try_fold(kind.elt_size_in_bytes(), |bytes, &side| {
                    bytes.checked_mul(usize::try_from(side).ok()?)
                })
                .ok_or_else(|| broken("its shape is beyond measure".to_owned()))?;
            wanted.insert(name, (kind, bytes));
        }
        let mut read = BTreeMap::new();
        let is_wanted = |length| wanted.values().any(|&(_, bytes)| bytes == length);
        each_part(&self.path, &is_wanted, &mut |part| {
            if let Part::Tensor(name, declared, Some(raw)) = part
                && let Some(&(kind, bytes)) = wanted.get(name.as_str())
                && bytes == raw.len()
            {
                read.insert(name, Tensor::from_data_size(&raw, &declared.shape, kind));
            }
            Ok(())
        })?;
        if let Some(&name) = wanted.keys().find(|&&name| !read.contains_key(name)) {
            let reason = "as many numbers as its shape says are not in the file".to_owned();
            return Err(OnnxFileError::Tensor { name: name.escape_debug().to_string(), reason });
        }
        Ok(read)
    }
}

fn kind_of(data_type: i64) -> Option<Kind> {
    match data_type {
        data_type::FLOAT => Some(Kind::Float),
        data_type::FLOAT16 => Some(Kind::Half),
        data_type::DOUBLE => Some(Kind::Double),
        data_type::BFLOAT16 => Some(Kind::BFloat16),
        _ => None,
    }
}

/// What is looked at of a file.
enum Part {
    Metadata(String, String),
    /// Its name, and its numbers where they were asked for.
    Tensor(String, Declared, Option<Vec<u8>>),
}

/// The file's metadata and tensors, one after the other. Numbers are read where `is_wanted` says so of their bytes, since they
/// may come before their tensor's name.
fn each_part(
    path: &Path,
    is_wanted: &dyn Fn(usize) -> bool,
    take: &mut dyn FnMut(Part) -> Result<(), OnnxFileError>,
) -> Result<(), OnnxFileError> {
    let mut file = BufReader::new(File::open(path).map_err(OnnxFileError::Read)?);
    let mut input = CodedInputStream::from_buf_read(&mut file);
    let mut has_graph = false;
    each_field(&mut input, &mut |field, input| match field {
        (7, WireType::LengthDelimited) => {
            has_graph = true;
            nested(input, &mut |field, input| match field {
                (5, WireType::LengthDelimited) => take(tensor(input, is_wanted)?),
                (_, kind) => skip(input, kind),
            })
        }
        (14, WireType::LengthDelimited) => {
            let (key, value) = entry(input)?;
            take(Part::Metadata(key, value))
        }
        (_, kind) => skip(input, kind),
    })?;
    if has_graph { Ok(()) } else { Err(malformed(&"it has no graph")) }
}

fn tensor(
    input: &mut CodedInputStream<'_>,
    is_wanted: &dyn Fn(usize) -> bool,
) -> Result<Part, OnnxFileError> {
    /// More sides than any weight has.
    const MOST_SIDES: usize = 8;
    let mut name = String::new();
    let mut declared = Declared { shape: Vec::new(), data_type: 0 };
    let mut numbers = None;
    nested(input, &mut |field, input| {
        match field {
            (1, WireType::Varint) => declared.shape.push(input.read_int64()?),
            (1, WireType::LengthDelimited) => {
                let bytes = input.read_raw_varint64()?;
                let outer = input.push_limit(bytes)?;
                while !input.eof()? && declared.shape.len() <= MOST_SIDES {
                    declared.shape.push(input.read_int64()?);
                }
                input.pop_limit(outer);
            }
            (2, WireType::Varint) => declared.data_type = input.read_int64()?,
            (8, WireType::LengthDelimited) => name = text(input, LONGEST_NAME)?,
            // Packed 32-bit floats have the form of raw numbers.
            (4 | 9, WireType::LengthDelimited) => {
                let length = input.read_raw_varint32()?;
                if is_wanted(length as usize) && u64::from(length) <= input.bytes_until_limit() {
                    numbers = Some(input.read_raw_bytes(length)?);
                } else {
                    input.skip_raw_bytes(length)?;
                }
            }
            (_, kind) => return skip(input, kind),
        }
        if declared.shape.len() > MOST_SIDES { Err(malformed(&"a tensor of many sides")) } else { Ok(()) }
    })?;
    Ok(Part::Tensor(name, declared, numbers))
}

/// A key and a value.
fn entry(input: &mut CodedInputStream<'_>) -> Result<(String, String), OnnxFileError> {
    let mut entry = (String::new(), String::new());
    nested(input, &mut |field, input| {
        match field {
            (1, WireType::LengthDelimited) => entry.0 = text(input, LONGEST_NAME)?,
            (2, WireType::LengthDelimited) => entry.1 = text(input, LONGEST_TEXT)?,
            (_, kind) => return skip(input, kind),
        }
        Ok(())
    })?;
    Ok(entry)
}

/// What is done with a field, by its number and how it is encoded.
type OnField<'a> = &'a mut dyn FnMut((u32, WireType), &mut CodedInputStream<'_>) -> Result<(), OnnxFileError>;

/// The fields up to the end of the message that `input` is in.
fn each_field(input: &mut CodedInputStream<'_>, on_field: OnField<'_>) -> Result<(), OnnxFileError> {
    while let Some(tag) = input.read_raw_tag_or_eof()? {
        let kind =
            WireType::new(tag & 7).ok_or_else(|| malformed(&"an encoding that protobuf does not have"))?;
        on_field((tag >> 3, kind), input)?;
    }
    Ok(())
}

/// The fields of the message that comes next.
fn nested(input: &mut CodedInputStream<'_>, on_field: OnField<'_>) -> Result<(), OnnxFileError> {
    let length = input.read_raw_varint64()?;
    let outer = input.push_limit(length)?;
    each_field(input, on_field)?;
    input.pop_limit(outer);
    Ok(())
}

fn skip(input: &mut CodedInputStream<'_>, kind: WireType) -> Result<(), OnnxFileError> {
    Ok(input.skip_field(kind)?)
}

fn text(input: &mut CodedInputStream<'_>, longest: usize) -> Result<String, OnnxFileError> {
    let length = input.read_raw_varint32()?;
    if length as usize > longest {
        return Err(malformed(&format!("a text of {length} bytes, expected at most {longest}")));
    }
    String::from_utf8(input.read_raw_bytes(length)?).map_err(|_| malformed(&"a text that is not UTF-8"))
}

fn malformed(reason: &dyn std::fmt::Display) -> OnnxFileError {
    OnnxFileError::Malformed(reason.to_string())
}

impl From<protobuf3::Error> for OnnxFileError {
    fn from(error: protobuf3::Error) -> Self {
        Self::Malformed(error.to_string())
    }
}
