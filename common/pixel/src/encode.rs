//! [`Picture`] -> file.

use std::fmt;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use image::codecs::bmp::BmpEncoder;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::codecs::tiff::TiffEncoder;
use image::codecs::webp::WebPEncoder;
use image::{ExtendedColorType, ImageEncoder, ImageError};
use thiserror::Error;

use crate::Picture;
use crate::atomic_file::{self, AtomicFileError};

/// The JPEG quality of [`Format::from_path`]: no visible loss, a third of the bytes of 100.
pub const DEFAULT_JPEG_QUALITY: u8 = 92;

/// How a picture is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Lossy; has no alpha, so transparent pixels are laid over white.
    Jpeg {
        /// 1 to 100; other values count as the nearest of these.
        quality: u8,
    },
    /// Lossless, with alpha.
    Png,
    /// Lossless, with alpha; at most 16383 pixels a side.
    WebP,
    /// Lossless, uncompressed, with alpha.
    Tiff,
    /// Lossless, uncompressed, with alpha.
    Bmp,
}

/// The suffixes that [`Format::from_path`] knows; the first of a format is the usual one.
const SUFFIXES: [(&str, Format); 7] = [
    ("jpg", Format::Jpeg { quality: DEFAULT_JPEG_QUALITY }),
    ("jpeg", Format::Jpeg { quality: DEFAULT_JPEG_QUALITY }),
    ("png", Format::Png),
    ("webp", Format::WebP),
    ("tif", Format::Tiff),
    ("tiff", Format::Tiff),
    ("bmp", Format::Bmp),
];

/// The name of a file does not say how to write it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("cannot tell the picture format, end the name in {}: {}", known_suffixes(), path.display())]
pub struct UnknownSuffix {
    /// The name that was given.
    pub path: PathBuf,
}

fn known_suffixes() -> String {
    let dotted: Vec<String> = SUFFIXES.iter().map(|(suffix, _)| format!(".{suffix}")).collect();
    match dotted.split_last() {
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::new(),
    }
}

impl Format {
    /// The format that the suffix asks for, in upper or lower case; JPEG at [`DEFAULT_JPEG_QUALITY`].
    ///
    /// # Errors
    /// No suffix or an unknown one.
    pub fn from_path(path: impl AsRef<Path>) -> Result<Self, UnknownSuffix> {
        let path = path.as_ref();
        path.extension()
            .and_then(|suffix| suffix.to_str())
            .and_then(|suffix| SUFFIXES.iter().find(|(known, _)| known.eq_ignore_ascii_case(suffix)))
            .map(|(_, format)| *format)
            .ok_or_else(|| UnknownSuffix { path: path.to_owned() })
    }

    /// The longest side that the file format can express.
    const fn max_side(self) -> u32 {
        match self {
            Self::Jpeg { .. } => 65_535,
            Self::WebP => 16_383,
            Self::Png | Self::Bmp => i32::MAX as u32,
            Self::Tiff => u32::MAX,
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Jpeg { .. } => "JPEG",
            Self::Png => "PNG",
            Self::WebP => "WebP",
            Self::Tiff => "TIFF",
            Self::Bmp => "BMP",
        })
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

/// The bytes of a file with this picture in it.
///
/// # Errors
/// A side is longer than the format can say.
pub fn encode(picture: &Picture, format: Format) -> Result<Vec<u8>, EncodeError> {
    let (width, height, limit) = (picture.width(), picture.height(), format.max_side());
    if width.max(height) > limit {
        return Err(EncodeError::TooLarge { format, width, height, limit });
    }
    let mut bytes = Vec::new();
    let encoded = match format {
        Format::Jpeg { quality } => {
            let encoder = JpegEncoder::new_with_quality(&mut bytes, quality.clamp(1, 100));
            let over_white = picture.alpha().map(|alpha| over_white(picture.rgb(), alpha));
            let rgb = over_white.as_deref().unwrap_or(picture.rgb());
            encoder.write_image(rgb, width, height, ExtendedColorType::Rgb8)
        }
        Format::Png => write_with_alpha(picture, PngEncoder::new(&mut bytes)),
        Format::WebP => write_with_alpha(picture, WebPEncoder::new_lossless(&mut bytes)),
        Format::Tiff => write_with_alpha(picture, TiffEncoder::new(Cursor::new(&mut bytes))),
        Format::Bmp => write_with_alpha(picture, BmpEncoder::new(&mut bytes)),
    };
    encoded.map_err(|cause| EncodeError::Encoder { format, cause })?;
    Ok(bytes)
}

/// Writes a picture [atomically](atomic_file::write): no half-written file is ever seen under that name.
///
/// # Errors
/// The picture does not fit into the format, or the file system refuses; both name the path.
pub fn write_file(picture: &Picture, path: impl AsRef<Path>, format: Format) -> Result<(), WriteError> {
    let path = path.as_ref();
    let bytes =
        encode(picture, format).map_err(|cause| WriteError::Encode { path: path.to_owned(), cause })?;
    Ok(atomic_file::write(path, &bytes)?)
}

fn write_with_alpha(picture: &Picture, encoder: impl ImageEncoder) -> Result<(), ImageError> {
    let (width, height) = (picture.width(), picture.height());
    if picture.alpha().is_some() {
        encoder.write_image(&picture.to_rgba(), width, height, ExtendedColorType::Rgba8)
    } else {
        encoder.write_image(picture.rgb(), width, height, ExtendedColorType::Rgb8)
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DecodeLimits, decode_bytes, decode_file};

    const LOSSLESS: [Format; 4] = [Format::Png, Format::WebP, Format::Tiff, Format::Bmp];

    fn gradient(width: u32, height: u32) -> Picture {
        let rgb = (0..height)
            .flat_map(|y| (0..width).flat_map(move |x| [x * 5, y * 7, (x + y) * 3]))
            .map(|v| v as u8);
        Picture::from_rgb(width, height, rgb.collect()).unwrap()
    }

    #[test]
    fn lossless_formats_return_every_byte() {
        let opaque = gradient(13, 9);
        let clear = opaque.clone().with_alpha((0..117).map(|i| (i * 2) as u8).collect()).unwrap();
        for format in LOSSLESS {
            for picture in [&opaque, &clear] {
                let bytes = encode(picture, format).unwrap();
                let back = decode_bytes(&bytes, &DecodeLimits::default()).unwrap();
                assert_eq!(&back, picture, "{format}");
            }
        }
    }

    #[test]
    fn jpeg_comes_back_nearly_the_same() {
        let picture = gradient(32, 24);
        let bytes = encode(&picture, Format::Jpeg { quality: 95 }).unwrap();
        let back = decode_bytes(&bytes, &DecodeLimits::default()).unwrap();
        assert_eq!((back.width(), back.height()), (32, 24));
        let total: u32 = back.rgb().iter().zip(picture.rgb()).map(|(&a, &b)| u32::from(a.abs_diff(b))).sum();
        let mean = f64::from(total) / back.rgb().len() as f64;
        assert!(mean < 2.0, "mean difference {mean}");
    }

    #[test]
    fn jpeg_lays_alpha_over_white() {
        assert_eq!(
            over_white(&[200, 100, 0, 9, 9, 9, 0, 0, 0], &[255, 0, 128]),
            [200, 100, 0, 255, 255, 255, 127, 127, 127]
        );
        let hidden = Picture::from_rgb(8, 8, vec![0; 192]).unwrap().with_alpha(vec![0; 64]).unwrap();
        let bytes = encode(&hidden, Format::Jpeg { quality: 100 }).unwrap();
        let back = decode_bytes(&bytes, &DecodeLimits::default()).unwrap();
        assert!(back.rgb().iter().all(|&value| value >= 254));
    }

    #[test]
    fn suffixes_choose_the_format() {
        assert_eq!(Format::from_path("a/b.PNG"), Ok(Format::Png));
        assert_eq!(Format::from_path("b.jpeg"), Ok(Format::Jpeg { quality: DEFAULT_JPEG_QUALITY }));
        let message = Format::from_path("out/b.gif").unwrap_err().to_string();
        assert_eq!(
            message,
            "cannot tell the picture format, end the name in .jpg, .jpeg, .png, .webp, .tif, .tiff or .bmp: out/b.gif"
        );
        assert!(Format::from_path("png").is_err());
    }

    #[test]
    fn too_long_a_side_is_said_before_encoding() {
        let long = Picture::from_rgb(20_000, 1, vec![0; 60_000]).unwrap();
        assert!(matches!(encode(&long, Format::WebP), Err(EncodeError::TooLarge { limit: 16_383, .. })));
        assert!(encode(&long, Format::Png).is_ok());
    }

    #[test]
    fn write_file_writes_or_names_the_path() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.png");
        let picture = gradient(5, 4);
        write_file(&picture, &path, Format::Png).unwrap();
        assert_eq!(decode_file(&path, &DecodeLimits::default()).unwrap(), picture);
        let missing = folder.path().join("none/a.png");
        let message = write_file(&picture, &missing, Format::Png).unwrap_err().to_string();
        assert!(message.ends_with("none/a.png"), "{message}");
    }
}
