//! JPEG, straight through zune-jpeg (the decoder inside `image`).
//!
//! `image` fills what is missing from a cut file with grey, reads the headers anew for each question, and
//! takes every CMYK file for an inverted one; here a cut file is an error, the headers are read once, and
//! CMYK keeps its inks until the profile has been applied.

use image::metadata::Orientation;
use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;
use zune_jpeg::errors::DecodeErrors;

use super::raster::{Layout, Raster};
use super::{DecodeError, DecodeLimits, StoredLayout};
use crate::metadata::BitDepth;
use crate::{FileKind, exif};

/// More scans than any encoder writes; each one costs a pass over all pixels, so a small file could take minutes.
const MAX_SCANS: usize = 100;

/// A file of this many bytes holds at most so many times the pixels: each block of 8 x 8 takes a bit at least, and
/// sampling factors can at most halve the number of blocks of all components together.
const MAX_PIXELS_A_BYTE: u64 = 1024;

pub(super) fn decode(bytes: &[u8], limits: &DecodeLimits) -> Result<Raster, DecodeError> {
    let survey = Survey::of(bytes)
        .ok_or_else(|| DecodeError::broken(FileKind::Jpeg, "the data stops before the end marker"))?;

    let options = options();
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers().map_err(from_zune)?;
    let (Some(info), Some(stored_as)) = (decoder.info(), decoder.input_colorspace()) else {
        return Err(DecodeError::broken(FileKind::Jpeg, "no header"));
    };
    let (width, height) = (u32::from(info.width), u32::from(info.height));

    let (decode_as, layout) = match info.components {
        1 => (ColorSpace::Luma, Layout::Gray),
        3 => (ColorSpace::RGB, Layout::Rgb),
        4 => (stored_as, Layout::Cmyk),
        other => {
            return Err(DecodeError::unsupported(FileKind::Jpeg, &format!("{other} colour components")));
        }
    };
    let pixels = u64::from(width) * u64::from(height);
    let length = pixels * u64::from(info.components);
    // Several scans mean that all coefficients are kept, as 16-bit numbers, until the last scan.
    let coefficients = if survey.scans > 1 { length * 2 } else { 0 };
    limits.check(width, height, length + coefficients)?;
    // The decoder would make up what is missing.
    if pixels / MAX_PIXELS_A_BYTE > bytes.len() as u64 {
        let reason = format!("{} bytes are too few for {width}x{height} pixels", bytes.len());
        return Err(DecodeError::broken(FileKind::Jpeg, &reason));
    }

    // Pixels are another matter: where they cannot be decoded, the decoder would fill the rest with grey.
    decoder.set_options(options.set_strict_mode(true).jpeg_set_out_colorspace(decode_as));
    let mut samples = vec![0; length as usize];
    decoder.decode_into(&mut samples).map_err(from_zune)?;

    if layout == Layout::Cmyk {
        if stored_as == ColorSpace::YCCK {
            cmyk_from_ycck(&mut samples);
        }
        // Adobe's programs store 255 minus ink; files without Adobe's mark store the ink.
        if survey.adobe {
            for ink in &mut samples {
                *ink = 255 - *ink;
            }
        }
    }
    Ok(Raster {
        width,
        height,
        layout,
        samples,
        bits: BitDepth::Eight,
        icc_profile: decoder.icc_profile(),
        exif: decoder.exif().cloned(),
        orientation: orientation(&decoder),
    })
}

/// What the headers alone say; `None` where they cannot be read.
pub(super) fn layout(bytes: &[u8]) -> Option<StoredLayout> {
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options());
    decoder.decode_headers().ok()?;
    let info = decoder.info()?;
    let orientation = orientation(&decoder);
    Some(StoredLayout { width: u32::from(info.width), height: u32::from(info.height), orientation })
}

/// For headers: strict mode would also refuse harmless oddities there, such as padding between them.
fn options() -> DecoderOptions {
    DecoderOptions::default()
        .set_strict_mode(false)
        .set_max_width(usize::from(u16::MAX))
        .set_max_height(usize::from(u16::MAX))
        .jpeg_set_max_scans(MAX_SCANS)
}

fn orientation(decoder: &JpegDecoder<ZCursor<&[u8]>>) -> Orientation {
    decoder.exif().and_then(|chunk| exif::orientation(chunk)).unwrap_or(Orientation::NoTransforms)
}

fn from_zune(error: DecodeErrors) -> DecodeError {
    match error {
        DecodeErrors::Unsupported(scheme) => DecodeError::unsupported(FileKind::Jpeg, &format!("{scheme:?}")),
        other => DecodeError::broken(FileKind::Jpeg, &other),
    }
}

/// YCbCr -> RGB by JFIF's equations, then CMY = 255 - RGB; K stays.
fn cmyk_from_ycck(samples: &mut [u8]) {
    for pixel in samples.as_chunks_mut::<4>().0 {
        let [luma, blue, red] = [0, 1, 2].map(|i| f32::from(pixel[i]));
        let (blue, red) = (blue - 128.0, red - 128.0);
        let rgb = [luma + 1.402 * red, luma - 0.344_136 * blue - 0.714_136 * red, luma + 1.772 * blue];
        for (ink, value) in pixel.iter_mut().zip(rgb) {
            *ink = 255 - value.round() as u8; // `as` saturates
        }
    }
}

/// What a walk over the markers of a complete file tells, without decoding.
#[derive(Debug, PartialEq, Eq)]
struct Survey {
    /// An APP14 segment of Adobe's is there.
    adobe: bool,
    /// Start-of-scan markers: 1 for a baseline file, several for a progressive one.
    scans: usize,
}

impl Survey {
    /// `None` where the data stops before the end-of-image marker.
    fn of(bytes: &[u8]) -> Option<Self> {
        const END: u8 = 0xd9;
        const START_OF_SCAN: u8 = 0xda;
        const APP14: u8 = 0xee;
        let mut survey = Self { adobe: false, scans: 0 };
        let mut at = 2; // behind the start-of-image marker
        loop {
            // A marker is 0xff and a code. In pixel data 0xff00 stands for 0xff and 0xffd0..=0xffd7 are
            // restart points; between segments some writers pad with 0xff or with rubbish.
            at += bytes.get(at..)?.iter().position(|&byte| byte == 0xff)? + 1;
            match *bytes.get(at)? {
                END if survey.scans > 0 => return Some(survey),
                0x00 | 0x01 | 0xd0..=0xd9 => at += 1,
                0xff => {} // the next round starts at this byte
                code => {
                    let length = usize::from(u16::from_be_bytes([*bytes.get(at + 1)?, *bytes.get(at + 2)?]));
                    let body = bytes.get(at + 3..)?;
                    survey.adobe |= code == APP14 && body.starts_with(b"Adobe");
                    survey.scans += usize::from(code == START_OF_SCAN);
                    at += 1 + length.max(2);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_survey_finds_the_real_end() {
        let thumbnail_only = b"\xff\xd8\xff\xe1\x00\x06\xff\xd8\xff\xd9\xff\xda\x00\x02ab\xff\x00";
        assert_eq!(Survey::of(thumbnail_only), None, "the end marker of a thumbnail is not the end");

        let mut whole = thumbnail_only.to_vec();
        whole.extend_from_slice(b"\xff\xd3cd\xff\xff\xd9");
        assert_eq!(Survey::of(&whole), Some(Survey { adobe: false, scans: 1 }));

        let adobe = b"\xff\xd8\xff\xee\x00\x0eAdobe\0\0\0\0\0\0\0\xff\xda\x00\x02a\xff\xda\x00\x02b\xff\xd9";
        assert_eq!(Survey::of(adobe), Some(Survey { adobe: true, scans: 2 }));
    }

    #[test]
    fn the_survey_never_reads_beyond_the_end() {
        for bytes in
            [&b""[..], b"\xff\xd8", b"\xff\xd8\xff", b"\xff\xd8\xff\xe0\xff", b"\xff\xd8\xff\xe0\xff\xff"]
        {
            assert_eq!(Survey::of(bytes), None, "{bytes:?}");
        }
    }

    #[test]
    fn ycck_of_neutral_and_red() {
        let mut samples = [255, 128, 128, 7, 0, 128, 128, 7, 76, 85, 255, 7];
        cmyk_from_ycck(&mut samples);
        assert_eq!(samples, [0, 0, 0, 7, 255, 255, 255, 7, 1, 255, 255, 7]);
    }
}
