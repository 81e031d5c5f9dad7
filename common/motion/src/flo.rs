//! Middlebury's .flo files: a magic number, width and height, then u and v of each pixel, all little-endian
//! (<https://vision.middlebury.edu/flow/code/flow-code/README.txt>).

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use pixel::atomic_file::{self, AtomicFileError};
use thiserror::Error;

use crate::Flow;

/// `202_021.25_f32`, which reads as text, too.
const MAGIC: [u8; 4] = *b"PIEH";
const HEADER_BYTES: usize = 12;
/// Values beyond this are unknown.
const LARGEST_KNOWN: f32 = 1e9;
/// What is written for unknown.
const UNKNOWN: f32 = 1e10;
/// The most pixels a side that the reference code takes.
const LONGEST_SIDE_PX: i32 = 99_999;

/// Why bytes are no .flo file.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FloError {
    /// Something else.
    #[error("this is no .flo file: it does not begin with `PIEH`")]
    NotFlo,
    /// It ends before the size is known.
    #[error("the .flo file is cut off after {found} bytes, within its header")]
    NoHeader {
        /// Bytes there are.
        found: usize,
    },
    /// A size that no flow has.
    #[error("the .flo file claims {width}x{height} pixels; sides of 1 to {LONGEST_SIDE_PX} are expected")]
    Size {
        /// Pixels across.
        width: i32,
        /// Pixels down.
        height: i32,
    },
    /// Too much or too little for the size.
    #[error(
        "the .flo file claims {width}x{height} pixels, for which it needs {expected} bytes; it has {}{found}",
        if found > expected { "at least " } else { "" }
    )]
    Length {
        /// Pixels across.
        width: u32,
        /// Pixels down.
        height: u32,
        /// Bytes that the size promises, with the header.
        expected: u64,
        /// Bytes there are, or one more than expected.
        found: u64,
    },
}

/// Why a .flo file could not be read.
#[derive(Debug, Error)]
pub enum FloFileError {
    /// The system would not.
    #[error("cannot read: {cause}: {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// It holds something else.
    #[error("{cause}: {}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        cause: FloError,
    },
}

/// Reads a .flo file.
///
/// # Errors
/// It cannot be read, or is not whole.
pub fn read_flo(path: impl AsRef<Path>) -> Result<Flow, FloFileError> {
    let path = path.as_ref();
    let unreadable = |cause| FloFileError::Read { path: path.to_owned(), cause };
    let wrong = |cause| FloFileError::Content { path: path.to_owned(), cause };
    let mut file = File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::with_capacity(HEADER_BYTES);
    file.by_ref().take(HEADER_BYTES as u64).read_to_end(&mut bytes).map_err(unreadable)?;
    let (width, height) = size(&bytes).map_err(wrong)?;
    // One byte too many is enough to know; memory grows with the file and not with what it claims.
    let rest = expected_bytes(width, height) - HEADER_BYTES as u64 + 1;
    file.take(rest).read_to_end(&mut bytes).map_err(unreadable)?;
    parse_flo(&bytes).map_err(wrong)
}

/// A flow from the bytes of a .flo file.
///
/// # Errors
/// They are something else, or not all there, or too many.
pub fn parse_flo(bytes: &[u8]) -> Result<Flow, FloError> {
    let (width, height) = size(bytes)?;
    let (expected, found) = (expected_bytes(width, height), bytes.len() as u64);
    if expected != found {
        return Err(FloError::Length { width, height, expected, found });
    }
    let values = bytes[HEADER_BYTES..].as_chunks::<4>().0.iter().map(|&bytes| f32::from_le_bytes(bytes));
    let known = values.map(|value| if value.abs() <= LARGEST_KNOWN { value } else { f32::NAN });
    let (mut u, mut v) = (Vec::new(), Vec::new());
    for (place, value) in known.enumerate() {
        if place % 2 == 0 { u.push(value) } else { v.push(value) }
    }
    Ok(Flow::new(width, height, u, v).expect("as many values as the size says"))
}

/// The bytes of a .flo file.
pub fn to_flo(flow: &Flow) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER_BYTES + 8 * flow.u().len());
    bytes.extend(MAGIC);
    bytes.extend(flow.width().to_le_bytes());
    bytes.extend(flow.height().to_le_bytes());
    for (&u, &v) in flow.u().iter().zip(flow.v()) {
        for value in [u, v] {
            bytes.extend((if value.is_nan() { UNKNOWN } else { value }).to_le_bytes());
        }
    }
    bytes
}

/// Writes a .flo file, in full or not at all.
///
/// # Errors
/// It cannot be written.
pub fn write_flo(flow: &Flow, path: impl AsRef<Path>) -> Result<(), AtomicFileError> {
    atomic_file::write(path, &to_flo(flow))
}

fn size(bytes: &[u8]) -> Result<(u32, u32), FloError> {
    let found = bytes.len();
    if bytes.iter().zip(&MAGIC).any(|(found, expected)| found != expected) {
        return Err(FloError::NotFlo);
    }
    let Some(&[_, width, height]) = bytes.as_chunks::<4>().0.first_chunk() else {
        return Err(FloError::NoHeader { found });
    };
    let (width, height) = (i32::from_le_bytes(width), i32::from_le_bytes(height));
    let sane = 1..=LONGEST_SIDE_PX;
    if !sane.contains(&width) || !sane.contains(&height) {
        return Err(FloError::Size { width, height });
    }
    Ok((width as u32, height as u32))
}

fn expected_bytes(width: u32, height: u32) -> u64 {
    HEADER_BYTES as u64 + 8 * u64::from(width) * u64::from(height)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sample() -> Flow {
        Flow::from_fn(3, 2, |x, y| (x != 1).then_some([x as f32 - 0.5, y as f32 * 1e3]))
    }

    #[test]
    fn the_header_is_that_of_the_reference_code() {
        assert_eq!(f32::from_le_bytes(MAGIC), 202_021.25);
        assert_eq!(to_flo(&sample())[..12], *b"PIEH\x03\0\0\0\x02\0\0\0");
    }

    #[test]
    fn a_file_is_read_as_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.flo");
        write_flo(&sample(), &path).unwrap();
        let found = read_flo(&path).unwrap();
        assert_eq!((found.width(), found.height()), (3, 2));
        assert_eq!(to_flo(&found), to_flo(&sample()));
        assert_eq!((found.at(1, 0), found.at(2, 1)), (None, Some([1.5, 1e3])));
    }

    #[test]
    fn what_is_not_whole_is_refused_with_the_numbers() {
        let whole = to_flo(&sample());
        let refused = |bytes: &[u8]| parse_flo(bytes).unwrap_err().to_string();
        assert!(refused(b"\x89PNG\r\n\x1a\n").contains("PIEH"));
        assert!(refused(b"").contains("after 0 bytes"));
        assert!(refused(&whole[..9]).contains("after 9 bytes"));
        assert!(refused(&whole[..59]).contains("3x2 pixels, for which it needs 60 bytes; it has 59"));
        assert!(refused(&[&whole[..], b"x"].concat()).contains("it has at least 61"));
        for side in [0, -1, i32::MAX] {
            let lie = [&MAGIC[..], &side.to_le_bytes(), &2_i32.to_le_bytes()].concat();
            assert!(refused(&lie).contains(&format!("{side}x2")));
        }
    }

    #[test]
    fn a_huge_claim_takes_no_memory_and_errors_end_with_the_path() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lie.flo");
        let lie = [&MAGIC[..], &99_999_i32.to_le_bytes(), &99_999_i32.to_le_bytes(), &[0; 40]].concat();
        std::fs::write(&path, lie).unwrap();
        let message = read_flo(&path).unwrap_err().to_string();
        assert!(message.contains("it has 52") && message.ends_with("lie.flo"), "{message}");
        let message = read_flo(folder.path().join("none.flo")).unwrap_err().to_string();
        assert!(message.starts_with("cannot read") && message.ends_with("none.flo"), "{message}");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(mut bytes in prop::collection::vec(any::<u8>(), 0..80), real in any::<bool>()) {
            if real {
                bytes.splice(0..0, *b"PIEH\x02\0\0\0\x02\0\0\0");
            }
            prop_assert!(parse_flo(&bytes).is_err() || bytes.len() == 44);
        }
    }
}
