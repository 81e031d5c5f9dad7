//! What a file says of itself before its pixels come.

use crate::decode::upright_size;
use crate::{DecodeLimits, FileKind};

/// Kind and size of a picture file, by its header alone: the pixels may still turn out to be damaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// The kind that the content announces.
    pub kind: FileKind,
    /// Pixels across, once upright.
    pub width: u32,
    /// Pixels down, once upright.
    pub height: u32,
}

impl Header {
    /// Reads the header of a file; `None` where there is none that is understood. Why not, [`decode_bytes`] says.
    ///
    /// [`decode_bytes`]: crate::decode_bytes
    pub fn of(bytes: &[u8]) -> Option<Self> {
        let kind = FileKind::from_content(bytes)?;
        let (width, height) = upright_size(bytes, kind, &DecodeLimits::default())?;
        Some(Self { kind, width, height })
    }
}
