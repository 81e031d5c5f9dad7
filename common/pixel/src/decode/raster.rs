//! What decoders hand over, before colour and orientation are settled.

use image::metadata::Orientation;

use crate::metadata::BitDepth;

/// The meaning of the interleaved 8-bit samples of one pixel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    Gray,
    GrayAlpha,
    Rgb,
    Rgba,
    /// 255 is full ink.
    Cmyk,
}

/// A decoded picture as the file has it.
#[derive(Debug)]
pub(super) struct Raster {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) layout: Layout,
    /// `[height, width, channels]`.
    pub(super) samples: Vec<u8>,
    /// Of a sample as the file has it.
    pub(super) bits: BitDepth,
    pub(super) icc_profile: Option<Vec<u8>>,
    /// As the file has it.
    pub(super) exif: Option<Vec<u8>>,
    pub(super) orientation: Orientation,
}
