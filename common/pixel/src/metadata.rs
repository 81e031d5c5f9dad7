//! What a file says beside its pixels.

use crate::{FileKind, Picture};

/// A picture and what else its file said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded {
    /// Upright, in sRGB.
    pub picture: Picture,
    /// What else the file said.
    pub metadata: Metadata,
}

/// What a file says beside its pixels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadata {
    /// By the content, whatever the name says.
    pub kind: FileKind,
    /// Of one sample in the file; float samples count as [`BitDepth::Sixteen`].
    pub bits: BitDepth,
    /// A colour profile was embedded. The picture is in sRGB all the same.
    pub had_profile: bool,
    /// The photo's EXIF (camera, exposure, time, place), ready to go with the upright sRGB picture: its orientation is
    /// 1, its colour space sRGB, and the thumbnail, which shows the photo as it was, is gone. TIFF-structured, without
    /// the `Exif\0\0` that JPEG puts in front. From JPEG, PNG and WebP; `None` also where it is malformed.
    pub exif: Option<Vec<u8>>,
}

/// How many bits a sample has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // the names say it
pub enum BitDepth {
    Eight,
    Sixteen,
}
