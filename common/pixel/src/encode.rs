//! [`Picture`] -> file.

mod profile;
mod streamed_png;
#[cfg(test)]
mod tests;

use std::io::Cursor;
use std::path::{Path, PathBuf};

use image::codecs::bmp::BmpEncoder;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::tiff::TiffEncoder;
use image::codecs::webp::WebPEncoder;
use image::{ExtendedColorType, ImageEncoder, ImageError};
use thiserror::Error;

pub(crate) use self::profile::srgb_profile;
use crate::atomic_file::{self, AtomicFileError};
use crate::{DeepPicture, Format, Picture};

/// What a JPEG's segment has room for.
const MAX_JPEG_EXIF: usize = 65_533 - b"Exif\0\0".len();

/// How a picture is written. A [`Format`] alone will do where nothing else is to go into the file.
#[derive(Debug, Clone, Copy)]
pub struct EncodeOptions<'a> {
    /// The kind of file.
    pub format: Format,
    /// EXIF to go along, as [`Metadata::exif`](crate::Metadata::exif) has it; left out where the format does not
    /// [take it](Format::keeps_exif).
    pub exif: Option<&'a [u8]>,
}

impl From<Format> for EncodeOptions<'_> {
    fn from(format: Format) -> Self {
        Self { format, exif: None }
    }
}

/// A picture does not fit into a format.
#[derive(Debug, Error)]
pub enum EncodeError {
    /// A side is longer than the format can say.
    #[error(
        "{format} holds at most {limit} pixels a side, found {width}x{height}, write PNG or TIFF instead"
    )]
    TooLarge {
        /// The format asked for.
        format: Format,
        /// Pixels across.
        width: u32,
        /// Pixels down.
        height: u32,
        /// The longest side it can express.
        limit: u32,
    },
    /// The format has 8 bits a sample, the picture 16.
    #[error("{format} holds 8 bits a sample, write PNG or TIFF instead")]
    NotSixteenBits {
        /// The format asked for.
        format: Format,
    },
    /// More EXIF than a JPEG has room for; other formats have no such limit.
    #[error(
        "JPEG holds at most {limit} bytes of EXIF, found {found}, write PNG instead or leave the EXIF out"
    )]
    TooMuchExif {
        /// Bytes that were given.
        found: usize,
        /// Bytes that fit.
        limit: usize,
    },
    /// The encoder refused for a reason of its own.
    #[error("cannot encode as {format}: {cause}")]
    Encoder {
        /// The format asked for.
        format: Format,
        /// What the encoder said.
        cause: ImageError,
    },
}

/// A picture could not be written.
#[derive(Debug, Error)]
pub enum WriteError {
    /// The picture does not fit into the format.
    #[error("cannot write: {cause}: {}", path.display())]
    Encode {
        /// The file that was to be written.
        path: PathBuf,
        /// Why not.
        cause: EncodeError,
    },
    /// The file system refused.
    #[error(transparent)]
    File(#[from] AtomicFileError),
}

/// The bytes of a file with this picture in it, the same for the same picture. Wherever the format can say so, they say
/// that its colours are sRGB.
///
/// # Errors
/// A side is longer, or the EXIF larger, than the format can say.
pub fn encode<'a>(picture: &Picture, options: impl Into<EncodeOptions<'a>>) -> Result<Vec<u8>, EncodeError> {
    let options = options.into();
    check(options, picture.width(), picture.height())?;
    encode_checked(picture, options).map_err(|cause| EncodeError::Encoder { format: options.format, cause })
}

/// As [`encode`], with 16 bits a sample: PNG or TIFF.
///
/// # Errors
/// As [`encode`], and a format that has [no 16 bits](Format::keeps_16_bits).
pub fn encode_deep<'a>(
    picture: &DeepPicture,
    options: impl Into<EncodeOptions<'a>>,
) -> Result<Vec<u8>, EncodeError> {
    let options = options.into();
    let format = options.format;
    check(options, picture.width(), picture.height())?;
    let encoded = match format {
        Format::Png => streamed_png::encode_deep(picture, options.exif).map_err(ImageError::IoError),
        Format::Tiff => deep_tiff(picture),
        Format::Jpeg { .. } | Format::WebP | Format::Bmp => {
            return Err(EncodeError::NotSixteenBits { format });
        }
    };
    encoded.map_err(|cause| EncodeError::Encoder { format, cause })
}

/// Writes a picture [atomically](atomic_file::write): no half-written file is ever seen under that name.
///
/// # Errors
/// The picture does not fit into the format, or the file system refuses; both name the path.
pub fn write_file<'a>(
    picture: &Picture,
    path: impl AsRef<Path>,
    options: impl Into<EncodeOptions<'a>>,
) -> Result<(), WriteError> {
    write_encoded(encode(picture, options), path.as_ref())
}

/// As [`write_file`], with 16 bits a sample: PNG or TIFF.
///
/// # Errors
/// As [`write_file`], and a format that has [no 16 bits](Format::keeps_16_bits).
pub fn write_deep_file<'a>(
    picture: &DeepPicture,
    path: impl AsRef<Path>,
    options: impl Into<EncodeOptions<'a>>,
) -> Result<(), WriteError> {
    write_encoded(encode_deep(picture, options), path.as_ref())
}

fn write_encoded(encoded: Result<Vec<u8>, EncodeError>, path: &Path) -> Result<(), WriteError> {
    let bytes = encoded.map_err(|cause| WriteError::Encode { path: path.to_owned(), cause })?;
    Ok(atomic_file::write(path, &bytes)?)
}

fn check(options: EncodeOptions<'_>, width: u32, height: u32) -> Result<(), EncodeError> {
    let EncodeOptions { format, exif } = options;
    let limit = format.max_side();
    if width.max(height) > limit {
        return Err(EncodeError::TooLarge { format, width, height, limit });
    }
    match exif {
        // The encoder would write a length that has wrapped round.
        Some(exif) if matches!(format, Format::Jpeg { .. }) && exif.len() > MAX_JPEG_EXIF => {
            Err(EncodeError::TooMuchExif { found: exif.len(), limit: MAX_JPEG_EXIF })
        }
        _ => Ok(()),
    }
}

fn encode_checked(picture: &Picture, options: EncodeOptions<'_>) -> Result<Vec<u8>, ImageError> {
    let (width, height) = (picture.width(), picture.height());
    let mut bytes = Vec::new();
    match options.format {
        Format::Jpeg { quality } => {
            let mut encoder = JpegEncoder::new_with_quality(&mut bytes, quality.clamp(1, 100));
            tag(&mut encoder, options.exif)?;
            let over_white = picture.alpha().map(|alpha| over_white(picture.rgb(), alpha));
            let rgb = over_white.as_deref().unwrap_or(picture.rgb());
            encoder.write_image(rgb, width, height, ExtendedColorType::Rgb8)?;
        }
        Format::Png => bytes = streamed_png::encode(picture, options.exif)?,
        Format::WebP => {
            let mut encoder = WebPEncoder::new_lossless(&mut bytes);
            tag(&mut encoder, options.exif)?;
            write_with_alpha(picture, encoder)?;
        }
        Format::Tiff => {
            let mut encoder = TiffEncoder::new(Cursor::new(&mut bytes));
            tag(&mut encoder, None)?;
            write_with_alpha(picture, encoder)?;
        }
        Format::Bmp => write_with_alpha(picture, BmpEncoder::new(&mut bytes))?,
    }
    Ok(bytes)
}

fn tag(encoder: &mut impl ImageEncoder, exif: Option<&[u8]>) -> Result<(), ImageError> {
    encoder.set_icc_profile(srgb_profile().clone()).map_err(ImageError::Unsupported)?;
    exif.map_or(Ok(()), |exif| encoder.set_exif_metadata(exif.to_vec())).map_err(ImageError::Unsupported)
}

fn write_with_alpha(picture: &Picture, encoder: impl ImageEncoder) -> Result<(), ImageError> {
    let (width, height) = (picture.width(), picture.height());
    if picture.alpha().is_some() {
        encoder.write_image(&picture.to_rgba(), width, height, ExtendedColorType::Rgba8)
    } else {
        encoder.write_image(picture.rgb(), width, height, ExtendedColorType::Rgb8)
    }
}

fn deep_tiff(picture: &DeepPicture) -> Result<Vec<u8>, ImageError> {
    let (width, height) = (picture.width(), picture.height());
    let mut bytes = Vec::new();
    let mut encoder = TiffEncoder::new(Cursor::new(&mut bytes));
    tag(&mut encoder, None)?;
    match picture.alpha() {
        None => {
            let rgb = bytemuck::cast_slice(picture.rgb());
            encoder.write_image(rgb, width, height, ExtendedColorType::Rgb16)?;
        }
        Some(alpha) => {
            let pixels = picture.rgb().as_chunks::<3>().0.iter().zip(alpha);
            let rgba: Vec<u16> = pixels.flat_map(|(&[r, g, b], &a)| [r, g, b, u16::from(a) * 257]).collect();
            encoder.write_image(bytemuck::cast_slice(&rgba), width, height, ExtendedColorType::Rgba16)?;
        }
    }
    Ok(bytes)
}

/// `rgb * alpha + white * (1 - alpha)`, rounded to nearest.
fn over_white(rgb: &[u8], alpha: &[u8]) -> Vec<u8> {
    let mut mixed = Vec::with_capacity(rgb.len());
    for (pixel, &alpha) in rgb.as_chunks::<3>().0.iter().zip(alpha) {
        let alpha = u32::from(alpha);
        let mix = |value: u8| ((u32::from(value) * alpha + 255 * (255 - alpha) + 127) / 255) as u8;
        mixed.extend_from_slice(&pixel.map(mix));
    }
    mixed
}
