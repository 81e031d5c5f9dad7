//! PNG, WebP, TIFF, BMP and GIF, through `image`.

use std::io::Cursor;

use image::error::LimitErrorKind;
use image::metadata::Orientation;
use image::{ColorType, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits};

use super::raster::{Layout, Raster};
use super::{DecodeError, DecodeLimits, StoredLayout};
use crate::metadata::BitDepth;
use crate::{FileKind, exif, in_place, riff, tiff_structure};

pub(super) fn decode(bytes: &[u8], kind: FileKind, limits: &DecodeLimits) -> Result<Raster, DecodeError> {
    let from_image = |error| from_image(error, kind, limits);
    let mut decoder = opened(bytes, kind, limits)?;
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    // What decoders hold beside what they hand over.
    let beside = match kind {
        FileKind::Tiff => decoder.total_bytes(),
        FileKind::WebP if riff::is_animated(bytes) => pixels * 9,
        FileKind::WebP => pixels * 4,
        _ => 0,
    };
    limits.check(width, height, decoder.total_bytes().saturating_add(beside))?;
    let left_bytes = limits.max_alloc_bytes - decoder.total_bytes();
    decoder.set_limits(inner_limits(left_bytes)).map_err(from_image)?;
    let Metadata { icc_profile, exif, orientation } = metadata(bytes, kind, &mut decoder);
    let color_type = decoder.color_type();
    let is_deep = color_type.bytes_per_pixel() > color_type.channel_count();
    let bits = if is_deep { BitDepth::Sixteen } else { BitDepth::Eight };
    let mut stored = vec![0; decoder.total_bytes() as usize];
    decoder.read_image(&mut stored).map_err(from_image)?;
    let (layout, samples) = eight_bits(stored, color_type)
        .ok_or_else(|| DecodeError::unsupported(kind, &format!("pixels of type {color_type:?}")))?;
    Ok(Raster { width, height, layout, samples, bits, icc_profile, exif, orientation })
}

/// What the header alone says; `None` where it cannot be read.
pub(super) fn layout(bytes: &[u8], kind: FileKind, limits: &DecodeLimits) -> Option<StoredLayout> {
    let mut decoder = opened(bytes, kind, limits).ok()?;
    let (width, height) = decoder.dimensions();
    let Metadata { orientation, .. } = metadata(bytes, kind, &mut decoder);
    Some(StoredLayout { width, height, orientation })
}

fn opened<'a>(
    bytes: &'a [u8],
    kind: FileKind,
    limits: &DecodeLimits,
) -> Result<impl ImageDecoder + 'a, DecodeError> {
    check_promises(bytes, kind, limits)?;
    let mut reader = ImageReader::with_format(Cursor::new(bytes), image_format(kind));
    reader.limits(inner_limits(limits.max_alloc_bytes));
    reader.into_decoder().map_err(|error| from_image(error, kind, limits))
}

fn inner_limits(max_alloc_bytes: u64) -> Limits {
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(max_alloc_bytes);
    limits
}

struct Metadata {
    icc_profile: Option<Vec<u8>>,
    exif: Option<Vec<u8>>,
    orientation: Orientation,
}

/// Metadata that cannot be read is like none: the pixels are what counts. `bytes` is what `decoder` reads.
fn metadata(bytes: &[u8], kind: FileKind, decoder: &mut impl ImageDecoder) -> Metadata {
    let (icc_profile, exif) = match kind {
        FileKind::WebP => {
            let [icc, exif] = [*b"ICCP", *b"EXIF"].map(|name| riff::chunk(bytes, name).map(<[u8]>::to_vec));
            (icc, exif)
        }
        FileKind::Tiff => (tiff_structure::colour_profile(bytes).map(<[u8]>::to_vec), None),
        _ => (decoder.icc_profile().ok().flatten(), decoder.exif_metadata().ok().flatten()),
    };
    let orientation = match kind {
        FileKind::Tiff => decoder.orientation().ok(),
        _ => exif.as_deref().and_then(exif::orientation),
    };
    Metadata { icc_profile, exif, orientation: orientation.unwrap_or(Orientation::NoTransforms) }
}

/// Refuses files for which `image` would take memory before it asks for the limits.
fn check_promises(bytes: &[u8], kind: FileKind, limits: &DecodeLimits) -> Result<(), DecodeError> {
    match kind {
        FileKind::Tiff => {
            let needed = tiff_structure::largest_entry_bytes(bytes)
                .ok_or_else(|| DecodeError::broken(kind, "its directory does not lie in the file"))?;
            limits.check(0, 0, needed)
        }
        FileKind::WebP => {
            let (width, height) = riff::size_of_lossy_frame(bytes).unwrap_or_default();
            limits.check(width, height, u64::from(width) * u64::from(height) * 2)
        }
        _ => Ok(()),
    }
}

const fn image_format(kind: FileKind) -> ImageFormat {
    match kind {
        FileKind::Jpeg => ImageFormat::Jpeg,
        FileKind::Png => ImageFormat::Png,
        FileKind::WebP => ImageFormat::WebP,
        FileKind::Tiff => ImageFormat::Tiff,
        FileKind::Bmp => ImageFormat::Bmp,
        FileKind::Gif => ImageFormat::Gif,
    }
}

fn from_image(error: ImageError, kind: FileKind, limits: &DecodeLimits) -> DecodeError {
    match error {
        ImageError::Unsupported(error) => DecodeError::unsupported(kind, &error.to_string()),
        // The decoder met its limit while at work and does not say how much it wanted.
        ImageError::Limits(error) if matches!(error.kind(), LimitErrorKind::InsufficientMemory) => {
            let limit = limits.max_alloc_bytes;
            DecodeError::TooMuchMemory { needed: limit.saturating_add(1), limit }
        }
        other => DecodeError::broken(kind, &other),
    }
}

/// `stored` is in native byte order, as `image` hands it over. `None` for a type unknown to us.
fn eight_bits(stored: Vec<u8>, color_type: ColorType) -> Option<(Layout, Vec<u8>)> {
    Some(match color_type {
        ColorType::L8 => (Layout::Gray, stored),
        ColorType::La8 => (Layout::GrayAlpha, stored),
        ColorType::Rgb8 => (Layout::Rgb, stored),
        ColorType::Rgba8 => (Layout::Rgba, stored),
        ColorType::L16 => (Layout::Gray, from_u16(stored)),
        ColorType::La16 => (Layout::GrayAlpha, from_u16(stored)),
        ColorType::Rgb16 => (Layout::Rgb, from_u16(stored)),
        ColorType::Rgba16 => (Layout::Rgba, from_u16(stored)),
        ColorType::Rgb32F => (Layout::Rgb, from_f32(stored)),
        ColorType::Rgba32F => (Layout::Rgba, from_f32(stored)),
        _ => return None,
    })
}

/// 0..=65535 -> 0..=255, rounded to nearest.
fn from_u16(stored: Vec<u8>) -> Vec<u8> {
    in_place::shrink(stored, |pair| [((u32::from(u16::from_ne_bytes(pair)) + 128) / 257) as u8])
}

/// 0.0..=1.0 -> 0..=255, rounded to nearest; what lies outside is clipped, NaN is 0.
fn from_f32(stored: Vec<u8>) -> Vec<u8> {
    in_place::shrink(stored, |four| [(f32::from_ne_bytes(four) * 255.0).round() as u8])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixteen_bits_round_to_nearest() {
        for value in 0..=u16::MAX {
            let expected = (f64::from(value) / 65535.0 * 255.0).round() as u8;
            assert_eq!(from_u16(value.to_ne_bytes().to_vec()), [expected], "{value}");
        }
    }

    #[test]
    fn floats_are_clipped() {
        let found: Vec<u8> = [-1.0f32, 0.5, 1.0, 7.0, f32::NAN]
            .iter()
            .flat_map(|v| from_f32(v.to_ne_bytes().to_vec()))
            .collect();
        assert_eq!(found, [0, 128, 255, 255, 0]);
    }
}
