//! The structure of TIFF, which EXIF has too: a header, then directories of entries that point to one another by their
//! offsets.

use std::ops::{Deref, Range};

pub(crate) const BYTE: u16 = 1;
pub(crate) const SHORT: u16 = 3;
pub(crate) const LONG: u16 = 4;
const UNDEFINED: u16 = 7;
const COLOUR_PROFILE: u16 = 0x8773;

/// Bytes whose header says that they are TIFF. Nothing else has been checked.
pub(crate) struct Tiff<Bytes> {
    pub(crate) bytes: Bytes,
    pub(crate) is_big_endian: bool,
}

/// Where a directory's entries lie, 12 bytes each: tag, type, count, value. A 16-bit count stands in front of them, the
/// offset of the next directory behind.
pub(crate) struct Directory {
    pub(crate) entries: Range<usize>,
}

/// The most memory that `image` would take for the values of one entry that a decoder needs, as it takes it before it has
/// looked whether the file is that long. `None` where an entry has more values than the file has bytes.
pub(crate) fn largest_entry_bytes(file: &[u8]) -> Option<u64> {
    /// Tags above are private: profiles, layers, notes. No decoder needs them.
    const FIRST_PRIVATE: u16 = 0x8000;
    const BYTES_A_VALUE: u64 = 32;
    let tiff = Tiff::new(file)?;
    let mut largest = 0;
    for entry in tiff.main_directory()?.entries.step_by(12) {
        if tiff.u16_at(entry)? < FIRST_PRIVATE {
            let size = match tiff.u16_at(entry + 2)? {
                3 | 8 => 2,
                4 | 9 | 11 | 13 => 4,
                5 | 10 | 12 | 16..=18 => 8,
                _ => 1,
            };
            let count = u64::from(tiff.u32_at(entry + 4)?);
            if count * size > file.len() as u64 {
                return None;
            }
            largest = largest.max(count * BYTES_A_VALUE);
        }
    }
    Some(largest)
}

/// The colour profile of a TIFF file. `image` refuses those that are larger than a part of the pixels.
pub(crate) fn colour_profile(file: &[u8]) -> Option<&[u8]> {
    let tiff = Tiff::new(file)?;
    let entry = tiff.find(&tiff.main_directory()?, COLOUR_PROFILE)?;
    if !matches!(tiff.u16_at(entry + 2)?, BYTE | UNDEFINED) {
        return None;
    }
    let [length, start] = [entry + 4, entry + 8].map(|at| Some(tiff.u32_at(at)? as usize));
    let start = start?;
    file.get(start..start.checked_add(length?)?)
}

impl<Bytes: Deref<Target = [u8]>> Tiff<Bytes> {
    pub(crate) fn new(bytes: Bytes) -> Option<Self> {
        let is_big_endian = match &*bytes {
            [b'I', b'I', 42, 0, ..] => false,
            [b'M', b'M', 0, 42, ..] => true,
            _ => return None,
        };
        Some(Self { bytes, is_big_endian })
    }

    pub(crate) fn u16_at(&self, at: usize) -> Option<u16> {
        let bytes = self.bytes.get(at..)?.first_chunk()?;
        Some(if self.is_big_endian { u16::from_be_bytes(*bytes) } else { u16::from_le_bytes(*bytes) })
    }

    pub(crate) fn u32_at(&self, at: usize) -> Option<u32> {
        let bytes = self.bytes.get(at..)?.first_chunk()?;
        Some(if self.is_big_endian { u32::from_be_bytes(*bytes) } else { u32::from_le_bytes(*bytes) })
    }

    pub(crate) fn main_directory(&self) -> Option<Directory> {
        self.directory(self.u32_at(4)? as usize)
    }

    pub(crate) fn directory(&self, at: usize) -> Option<Directory> {
        let start = at.checked_add(2)?;
        let end = start + usize::from(self.u16_at(at)?) * 12;
        // The header comes first.
        (at >= 8 && end <= self.bytes.len()).then_some(Directory { entries: start..end })
    }

    /// The offset of the entry with this tag.
    pub(crate) fn find(&self, directory: &Directory, tag: u16) -> Option<usize> {
        directory.entries.clone().step_by(12).find(|&entry| self.u16_at(entry) == Some(tag))
    }

    /// The value of an entry that is one whole number.
    pub(crate) fn number(&self, entry: usize) -> Option<u32> {
        let is_one = self.u32_at(entry + 4)? == 1;
        match self.u16_at(entry + 2)? {
            SHORT if is_one => self.u16_at(entry + 8).map(u32::from),
            LONG if is_one => self.u32_at(entry + 8),
            _ => None,
        }
    }
}
