//! What painted files say beside their pixels.

use std::fs;
use std::io::Cursor;
use std::path::Path;

use image::metadata::Orientation;
use image::{ImageDecoder, ImageReader};
use moxcms::{ColorProfile, Layout, TransformOptions};

use crate::support::programs::infer;
use crate::support::untrained;

/// The file has a profile, which is sRGB's, where its kind can have one; and the EXIF of the photo called `name`, if it had
/// any, in which the picture is upright.
#[track_caller]
pub(super) fn is_an_upright_srgb_pictures(painted: &Path, name: &Path) {
    let name = name.to_str().unwrap();
    if painted.extension().is_some_and(|suffix| suffix == "bmp") {
        return; // takes neither
    }
    let bytes = fs::read(painted).unwrap();
    is_srgb(&profile(&bytes).unwrap_or_else(|| panic!("{name}: no profile")));
    match exif(&bytes) {
        Some(exif) => {
            assert!(name.starts_with("orientation"), "{name}: it had no EXIF");
            is_of_an_upright_picture(&exif);
        }
        None => assert!(!name.starts_with("orientation"), "{name}: its EXIF is gone"),
    }
}

#[track_caller]
fn is_of_an_upright_picture(exif: &[u8]) {
    assert_eq!(Orientation::from_exif_chunk(exif), Some(Orientation::NoTransforms));
    assert!(exif.windows(torture::MAKER.len()).any(|bytes| bytes == torture::MAKER.as_bytes()));
}

fn decoder(file: &[u8]) -> impl ImageDecoder + '_ {
    ImageReader::new(Cursor::new(file)).with_guessed_format().unwrap().into_decoder().unwrap()
}

fn exif(file: &[u8]) -> Option<Vec<u8>> {
    decoder(file).exif_metadata().unwrap()
}

/// `image` does not hand out a profile that is large beside the pixels of a TIFF file, where it lies as it is.
fn profile(file: &[u8]) -> Option<Vec<u8>> {
    let as_it_is = || {
        let start = file.windows(4).position(|bytes| bytes == b"acsp")?.checked_sub(36)?;
        let length = u32::from_be_bytes(*file[start..].first_chunk()?);
        file.get(start..start + length as usize).map(<[u8]>::to_vec)
    };
    decoder(file).icc_profile().unwrap().or_else(as_it_is)
}

/// What is in this profile's space is in sRGB already.
#[track_caller]
fn is_srgb(profile: &[u8]) {
    let profile = ColorProfile::new_from_slice(profile).unwrap();
    let (srgb, options) = (ColorProfile::new_srgb(), TransformOptions::default());
    let transform = profile.create_transform_8bit(Layout::Rgb, &srgb, Layout::Rgb, options).unwrap();
    let steps = [0, 20, 60, 128, 200, 255];
    let colours = steps.map(|r| steps.map(|g| steps.map(|b| [r, g, b])));
    let colours = colours.as_flattened().as_flattened().as_flattened();
    let mut converted = vec![0; colours.len()];
    transform.transform(colours, &mut converted).unwrap();
    assert!(colours.iter().zip(&converted).all(|(a, b)| u8::abs_diff(*a, *b) <= 1), "{converted:?}");
}

#[test]
fn exif_is_kept_when_asked_for_and_says_that_the_picture_is_upright() {
    let folder = tempfile::tempdir().unwrap();
    torture::make(&folder.path().join("torture")).unwrap();
    untrained::save_style(&folder.path().join("blue.safetensors"), 1);
    for suffix in ["jpg", "png", "webp"] {
        let photo = format!("torture/orientation 6.{suffix}");
        for keeps in [false, true] {
            let output = format!("{keeps}.{suffix}");
            let asked: &[&str] = if keeps { &["--keep-metadata"] } else { &[] };
            let args = [&["image", &photo, "-s", "blue.safetensors", "-o", &output], asked].concat();
            infer(folder.path(), &args).expect_success();
            let painted = fs::read(folder.path().join(&output)).unwrap();
            is_srgb(&profile(&painted).expect("a profile"));
            match exif(&painted) {
                Some(exif) => {
                    assert!(keeps, "{photo}: what the camera noted was not asked for");
                    is_of_an_upright_picture(&exif);
                }
                None => assert!(!keeps, "{photo}: its EXIF is gone"),
            }
        }
        let stored = exif(&fs::read(folder.path().join(&photo)).unwrap()).unwrap();
        assert_eq!(
            Orientation::from_exif_chunk(&stored),
            Some(Orientation::Rotate90),
            "the photo lies on its side"
        );
    }
}
