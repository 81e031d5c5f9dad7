//! File -> [`Picture`].

mod colour;
mod jpeg;
mod orientation;
mod raster;
mod through_image;

use std::fs;
use std::io;
use std::path::Path;

use image::metadata::Orientation;
use thiserror::Error;

use self::raster::Raster;
use crate::file_kind::{FileKind, known_but_unreadable};
use crate::metadata::{Decoded, Metadata};
use crate::{Picture, PictureError, exif};

/// What a file may ask for. Checked against its header, before anything of that size is allocated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DecodeLimits {
    /// Width times height.
    pub max_pixels: u64,
    /// Bytes of decoded samples, with what the decoder needs beside them (a 16-bit RGBA pixel takes 8).
    pub max_alloc_bytes: u64,
}

impl Default for DecodeLimits {
    /// 256 megapixels, 2 GiB: beyond any camera, short of what hurts a laptop.
    fn default() -> Self {
        Self { max_pixels: 256 << 20, max_alloc_bytes: 2 << 30 }
    }
}

impl DecodeLimits {
    pub(crate) fn check(&self, width: u32, height: u32, alloc_bytes: u64) -> Result<(), DecodeError> {
        let pixels = u64::from(width) * u64::from(height);
        if pixels > self.max_pixels {
            return Err(DecodeError::TooManyPixels { width, height, limit: self.max_pixels });
        }
        if alloc_bytes > self.max_alloc_bytes {
            return Err(DecodeError::TooMuchMemory { needed: alloc_bytes, limit: self.max_alloc_bytes });
        }
        Ok(())
    }
}

/// Why a file is no picture to us. Does not name the file: the caller knows it and says so.
#[derive(Debug, Error)]
pub enum DecodeError {
    /// The file cannot be opened or read.
    #[error("cannot read the file: {0}")]
    Read(io::Error),
    /// The file has no content.
    #[error("the file is empty (0 bytes)")]
    Empty,
    /// The content is no picture of a known kind, whatever the name says.
    #[error("not a picture, known are {}", known_kinds())]
    NotAPicture,
    /// A picture of a kind that is not read here.
    #[error("{found} is not supported, convert the picture to JPEG or PNG first")]
    UnsupportedKind {
        /// The kind that the content announces.
        found: &'static str,
    },
    /// A known kind, with a feature that is not supported.
    #[error("this sort of {kind} is not supported, save the picture as PNG: {reason}")]
    UnsupportedFeature {
        /// The kind that the content announces.
        kind: FileKind,
        /// What the decoder said.
        reason: String,
    },
    /// The content is cut off or damaged.
    #[error("the {kind} is cut off or damaged: {reason}")]
    Broken {
        /// The kind that the content announces.
        kind: FileKind,
        /// What the decoder said.
        reason: String,
    },
    /// More pixels than allowed.
    #[error("the picture has {width}x{height} pixels, at most {limit} in all are allowed")]
    TooManyPixels {
        /// Pixels across, by the header.
        width: u32,
        /// Pixels down, by the header.
        height: u32,
        /// [`DecodeLimits::max_pixels`].
        limit: u64,
    },
    /// More memory than allowed.
    #[error("decoding takes {needed} bytes, at most {limit} are allowed")]
    TooMuchMemory {
        /// Bytes that decoding would allocate.
        needed: u64,
        /// [`DecodeLimits::max_alloc_bytes`].
        limit: u64,
    },
}

impl From<io::Error> for DecodeError {
    fn from(error: io::Error) -> Self {
        Self::Read(error)
    }
}

fn known_kinds() -> String {
    FileKind::ALL.map(|kind| kind.to_string()).join(", ")
}

impl DecodeError {
    fn broken(kind: FileKind, reason: &(impl ToString + ?Sized)) -> Self {
        Self::Broken { kind, reason: one_line(&reason.to_string()) }
    }

    fn unsupported(kind: FileKind, reason: &str) -> Self {
        Self::UnsupportedFeature { kind, reason: one_line(reason) }
    }
}

/// Some decoders end their messages with a line break, or have one inside.
fn one_line(reason: &str) -> String {
    reason.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Reads a picture from a file; see [`decode_bytes`].
///
/// # Errors
/// As [`decode_bytes`], and when the file cannot be read.
pub fn decode_file(path: impl AsRef<Path>, limits: &DecodeLimits) -> Result<Picture, DecodeError> {
    decode_bytes(&fs::read(path)?, limits)
}

/// Reads a picture from the bytes of a file: the first frame, upright, in sRGB.
///
/// The kind is taken from the content. EXIF orientation is applied. An embedded ICC profile is converted to
/// sRGB (a broken or ill-fitting profile is ignored, as viewers do); without one, sRGB is assumed. 16-bit
/// values are rounded to 8 before that.
///
/// # Errors
/// No content, no known kind, a cut or damaged file (a JPEG without its end counts as cut, even though its
/// upper part could be shown), or a size beyond `limits`.
pub fn decode_bytes(bytes: &[u8], limits: &DecodeLimits) -> Result<Picture, DecodeError> {
    let (kind, raster) = raster(bytes, limits)?;
    upright_srgb(raster).map_err(|error| DecodeError::broken(kind, &error))
}

/// Reads a picture from a file, and what else the file says; see [`decode_bytes`].
///
/// # Errors
/// As [`decode_file`].
pub fn decode_file_with_metadata(
    path: impl AsRef<Path>,
    limits: &DecodeLimits,
) -> Result<Decoded, DecodeError> {
    decode_bytes_with_metadata(&fs::read(path)?, limits)
}

/// Reads a picture from the bytes of a file, and what else they say; see [`decode_bytes`].
///
/// # Errors
/// As [`decode_bytes`]; metadata that cannot be read is left out.
pub fn decode_bytes_with_metadata(bytes: &[u8], limits: &DecodeLimits) -> Result<Decoded, DecodeError> {
    let (kind, mut raster) = raster(bytes, limits)?;
    let metadata = Metadata {
        kind,
        bits: raster.bits,
        had_profile: raster.icc_profile.is_some(),
        exif: raster.exif.take().and_then(exif::of_an_upright_picture),
    };
    let picture = upright_srgb(raster).map_err(|error| DecodeError::broken(kind, &error))?;
    Ok(Decoded { picture, metadata })
}

/// How the pixels lie in a file, by its header.
struct StoredLayout {
    width: u32,
    height: u32,
    orientation: Orientation,
}

/// Width and height of the picture in a file once it is upright, by its header alone and found as the decoder finds
/// them. `None` where there is no header that is understood.
pub(crate) fn upright_size(bytes: &[u8], kind: FileKind, limits: &DecodeLimits) -> Option<(u32, u32)> {
    let StoredLayout { width, height, orientation } = match kind {
        FileKind::Jpeg => jpeg::layout(bytes)?,
        other => through_image::layout(bytes, other, limits)?,
    };
    Some(orientation::turned_size(width, height, orientation))
}

fn raster(bytes: &[u8], limits: &DecodeLimits) -> Result<(FileKind, Raster), DecodeError> {
    if bytes.is_empty() {
        return Err(DecodeError::Empty);
    }
    let Some(kind) = FileKind::from_content(bytes) else {
        return Err(match known_but_unreadable(bytes) {
            Some(found) => DecodeError::UnsupportedKind { found },
            None => DecodeError::NotAPicture,
        });
    };
    let raster = match kind {
        FileKind::Jpeg => jpeg::decode(bytes, limits)?,
        other => through_image::decode(bytes, other, limits)?,
    };
    Ok((kind, raster))
}

fn upright_srgb(raster: Raster) -> Result<Picture, PictureError> {
    let (width, height, turn) = (raster.width, raster.height, raster.orientation);
    let (rgb, alpha) = colour::into_srgb(raster);
    let alpha = alpha.filter(|alpha| alpha.iter().any(|&a| a != u8::MAX));

    let rgb = orientation::turn::<3>(rgb, width, height, turn);
    let alpha = alpha.map(|alpha| orientation::turn::<1>(alpha, width, height, turn));
    let (width, height) = orientation::turned_size(width, height, turn);
    let picture = Picture::from_rgb(width, height, rgb)?;
    match alpha {
        Some(alpha) => picture.with_alpha(alpha),
        None => Ok(picture),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_one_line() {
        let error = DecodeError::broken(FileKind::Jpeg, "I/O error,\n  found 0\n");
        assert_eq!(error.to_string(), "the JPEG is cut off or damaged: I/O error, found 0");
        let error = DecodeError::unsupported(FileKind::Png, "this\nand that");
        assert_eq!(
            error.to_string(),
            "this sort of PNG is not supported, save the picture as PNG: this and that"
        );
    }
}
