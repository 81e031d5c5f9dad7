use super::*;
use crate::{BitDepth, DecodeLimits, decode_bytes, decode_bytes_with_metadata, decode_file};

const LOSSLESS: [Format; 4] = [Format::Png, Format::WebP, Format::Tiff, Format::Bmp];

fn gradient(width: u32, height: u32) -> Picture {
    let rgb =
        (0..height).flat_map(|y| (0..width).flat_map(move |x| [x * 5, y * 7, (x + y) * 3])).map(|v| v as u8);
    Picture::from_rgb(width, height, rgb.collect()).unwrap()
}

#[test]
fn lossless_formats_return_every_byte() {
    let opaque = gradient(13, 9);
    let clear = opaque.clone().with_alpha((0..117).map(|i| (i * 2) as u8).collect()).unwrap();
    // All have our profile, which must not change a value.
    for format in LOSSLESS {
        for picture in [&opaque, &clear] {
            let bytes = encode(picture, format).unwrap();
            let back = decode_bytes(&bytes, &DecodeLimits::default()).unwrap();
            assert_eq!(&back, picture, "{format}");
        }
    }
}

#[test]
fn files_say_that_they_are_srgb_and_are_the_same_each_time() {
    for format in [Format::Jpeg { quality: 90 }, Format::Png, Format::WebP, Format::Tiff] {
        for picture in [gradient(9, 7), gradient(9, 7).with_alpha(vec![99; 63]).unwrap()] {
            let bytes = encode(&picture, format).unwrap();
            let found = decode_bytes_with_metadata(&bytes, &DecodeLimits::default()).unwrap();
            assert!(found.metadata.had_profile, "{format}");
            assert_eq!(found.metadata.exif, None, "{format}");
            assert_eq!(encode(&picture, format).unwrap(), bytes, "{format}");
        }
    }
}

/// A directory with no entry but the orientation.
const EXIF: &[u8] = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x01\0\0\0\0\0\0";

#[test]
fn exif_goes_along_where_it_can() {
    for format in LOSSLESS.into_iter().chain([Format::Jpeg { quality: 90 }]) {
        let bytes = encode(&gradient(5, 4), EncodeOptions { format, exif: Some(EXIF) }).unwrap();
        let found = decode_bytes_with_metadata(&bytes, &DecodeLimits::default()).unwrap();
        let expected = format.keeps_exif().then_some(EXIF);
        assert_eq!(found.metadata.exif.as_deref(), expected, "{format}");
        assert_eq!((found.picture.width(), found.metadata.bits), (5, BitDepth::Eight), "{format}");
    }
}

#[test]
fn a_jpeg_takes_as_much_exif_as_its_segment_holds() {
    let format = Format::Jpeg { quality: 90 };
    let padded = |length: usize| [EXIF, &vec![7; length - EXIF.len()]].concat();
    let most = padded(MAX_JPEG_EXIF);
    let bytes = encode(&gradient(5, 4), EncodeOptions { format, exif: Some(&most) }).unwrap();
    let found = decode_bytes_with_metadata(&bytes, &DecodeLimits::default()).unwrap();
    assert_eq!(found.metadata.exif, Some(most));

    let more = padded(MAX_JPEG_EXIF + 1);
    let refused = encode(&gradient(5, 4), EncodeOptions { format, exif: Some(&more) }).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "JPEG holds at most 65527 bytes of EXIF, found 65528, write PNG instead or leave the EXIF out"
    );
    assert!(encode(&gradient(5, 4), EncodeOptions { format: Format::Png, exif: Some(&more) }).is_ok());
}

/// Read by `image` itself, since our decoder rounds to 8 bits.
#[test]
fn sixteen_bits_reach_the_file() {
    let rgb: Vec<u16> = (0..13 * 9 * 3).map(|i| (i * 187 % 65_536) as u16).collect();
    let alpha: Vec<u8> = (0..13 * 9).map(|i| (i * 2) as u8).collect();
    let opaque = DeepPicture::from_rgb(13, 9, rgb.clone()).unwrap();
    let clear = opaque.clone().with_alpha(alpha.clone()).unwrap();
    for format in [Format::Png, Format::Tiff] {
        let read = |picture| image::load_from_memory(&encode_deep(picture, format).unwrap()).unwrap();
        let image::DynamicImage::ImageRgb16(found) = read(&opaque) else { panic!("{format}") };
        assert_eq!(found.into_raw(), rgb, "{format}");
        let image::DynamicImage::ImageRgba16(found) = read(&clear) else { panic!("{format}") };
        for ((pixel, colours), alpha) in found.pixels().zip(rgb.as_chunks::<3>().0).zip(&alpha) {
            assert_eq!(pixel.0[..3], *colours, "{format}");
            assert_eq!(pixel.0[3], u16::from(*alpha) * 257, "{format}");
        }
        let bytes = encode_deep(&opaque, format).unwrap();
        let metadata = decode_bytes_with_metadata(&bytes, &DecodeLimits::default()).unwrap().metadata;
        assert_eq!((metadata.bits, metadata.had_profile), (BitDepth::Sixteen, true), "{format}");
    }
    let message = encode_deep(&opaque, Format::WebP).unwrap_err().to_string();
    assert_eq!(message, "WebP holds 8 bits a sample, write PNG or TIFF instead");
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
