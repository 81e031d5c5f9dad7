//! Whole files, made by `fixtures/make_fixtures.py`: each shows the same four fields, whatever its kind,
//! colours, orientation or profile.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use pixel::{
    BitDepth, DecodeError, DecodeLimits, EncodeOptions, FileKind, Format, Metadata, Picture, decode_bytes,
    decode_bytes_with_metadata, decode_file, decode_file_with_metadata,
};
use proptest::prelude::*;

const RED: [u8; 3] = [220, 30, 40];
const GREEN: [u8; 3] = [40, 180, 60];
const BLUE: [u8; 3] = [30, 60, 200];
const GREY: [u8; 3] = [200, 200, 200];
/// Top left, top right, bottom left, bottom right.
const SCENE: [[u8; 3]; 4] = [RED, GREEN, BLUE, GREY];
/// What PIL's `convert("L")` makes of the scene.
const GRAY_SCENE: [[u8; 3]; 4] = [[88; 3], [124; 3], [67; 3], [200; 3]];

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

fn decode(name: &str) -> Picture {
    decode_file(fixture(name), &DecodeLimits::default()).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn decode_part(bytes: &[u8]) -> Result<Picture, DecodeError> {
    decode_bytes(bytes, &DecodeLimits::default())
}

/// The pixels in the middle of the four fields.
fn fields(picture: &Picture) -> [[u8; 3]; 4] {
    let pixels = picture.rgb().as_chunks::<3>().0;
    [(6, 4), (18, 4), (6, 12), (18, 12)].map(|(x, y)| pixels[y * picture.width() as usize + x])
}

#[track_caller]
fn check(name: &str, expected: [[u8; 3]; 4], tolerance: u8) -> Picture {
    let picture = decode(name);
    assert_eq!((picture.width(), picture.height()), (24, 16), "{name}");
    let found = fields(&picture);
    let far =
        found.as_flattened().iter().zip(expected.as_flattened()).any(|(a, b)| a.abs_diff(*b) > tolerance);
    assert!(!far, "{name}: expected {expected:?} within {tolerance}, found {found:?}");
    picture
}

#[test]
fn lossless_colour_is_exact() {
    for name in ["rgb.png", "lossless.webp", "rgb.tif", "rgb.bmp", "rgb16.png", "two_frames.gif", "cmyk.tif"]
    {
        assert_eq!(check(name, SCENE, 0).alpha(), None, "{name}");
    }
}

#[test]
fn palettes() {
    check("palette.png", SCENE, 0);
    check("palette.bmp", SCENE, 0);
    let clear = check("palette_clear.png", SCENE, 0);
    let alpha = clear.alpha().expect("the red of the palette is transparent");
    assert_eq!((alpha[0], alpha[23]), (0, 255));
}

#[test]
fn gray() {
    for name in ["gray.png", "gray.tif"] {
        check(name, GRAY_SCENE, 0);
    }
    check("gray.jpg", GRAY_SCENE, 3);
    assert!(decode("one_bit.png").rgb().iter().all(|&value| value == 255));
}

#[test]
fn alpha_is_kept_straight() {
    for (name, scene) in [("rgba.png", SCENE), ("alpha.webp", SCENE), ("gray_alpha.png", GRAY_SCENE)] {
        let picture = check(name, scene, 0);
        let alpha = picture.alpha().unwrap_or_else(|| panic!("{name} has alpha"));
        assert_eq!((alpha[0], alpha[23]), (255, 100), "{name}");
    }
}

#[test]
fn jpeg_in_its_forms() {
    check("rgb.jpg", SCENE, 4);
    check("progressive.jpg", SCENE, 4);
    check("subsampled.jpg", SCENE, 8);
    check("lossy.webp", SCENE, 8);
}

#[test]
fn cmyk_with_and_without_adobes_inversion() {
    check("cmyk.jpg", SCENE, 4);
    check("cmyk_plain.jpg", SCENE, 4);
    let pillow = fields(&decode("ycck_as_pillow_reads_it.png"));
    check("ycck.jpg", pillow, 4);
}

#[test]
fn every_orientation_is_turned_upright() {
    for orientation in 1..=8 {
        check(&format!("turned_{orientation}.jpg"), SCENE, 4);
    }
    for name in ["turned_6.png", "turned_6.webp", "turned_6.tif"] {
        check(name, SCENE, 0);
    }
}

#[test]
fn profiles_are_applied_and_broken_ones_ignored() {
    for name in ["swapped_profile.png", "swapped_profile.jpg"] {
        // The profile's first channel is blue light, its third red.
        check(name, SCENE.map(|[r, g, b]| [b, g, r]), 5);
    }
    check("broken_profile.jpg", SCENE, 4);
}

#[test]
fn a_cut_file_is_broken_wherever_it_is_cut() {
    for name in
        ["rgb.jpg", "progressive.jpg", "rgb.png", "lossless.webp", "rgb.tif", "rgb.bmp", "two_frames.gif"]
    {
        let bytes = fs::read(fixture(name)).unwrap();
        // GIF: the second frame is not needed; BMP: the last rows are.
        for part in [2, 3, 5, 8].map(|tenths| bytes.len() * tenths / 10) {
            let part = if name.ends_with("gif") { part / 2 } else { part };
            let found = decode_part(&bytes[..part]);
            assert!(found.is_err(), "{name}: {part} of {} bytes gave a picture", bytes.len());
        }
    }
    let jpeg = fs::read(fixture("rgb.jpg")).unwrap();
    for length in 3..jpeg.len() {
        let found = decode_part(&jpeg[..length]);
        assert!(matches!(found, Err(DecodeError::Broken { kind: FileKind::Jpeg, .. })), "{length} bytes");
    }
}

#[test]
fn a_jpeg_is_not_filled_up_where_it_is_damaged() {
    let rgb =
        (0..128 * 96).flat_map(|i: u32| [(i % 128) as u8, (i / 128) as u8, (i * i % 200) as u8]).collect();
    let picture = Picture::from_rgb(128, 96, rgb).unwrap();
    let intact = pixel::encode(&picture, Format::Jpeg { quality: 90 }).unwrap();
    assert!(decode_part(&intact).is_ok());

    // A row of ones is no Huffman code.
    let mut damaged = intact.clone();
    let middle = intact.len() / 2;
    damaged[middle..middle + 32].copy_from_slice(&[0xff, 0].repeat(16));
    let found = decode_part(&damaged);
    assert!(matches!(found, Err(DecodeError::Broken { kind: FileKind::Jpeg, .. })), "{found:?}");

    // The header promises far more pixels than the data can hold.
    let mut promising = fs::read(fixture("rgb.jpg")).unwrap();
    let frame = promising.windows(2).position(|two| two == [0xff, 0xc0]).unwrap();
    promising[frame + 5..frame + 9].copy_from_slice(&[0x0b, 0xb8, 0x3a, 0x98]);
    let message = decode_part(&promising).unwrap_err().to_string();
    assert!(message.ends_with("725 bytes are too few for 15000x3000 pixels"), "{message}");
}

#[test]
fn what_is_no_picture_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        decode_file(&path, &DecodeLimits::default()).unwrap_err()
    };
    assert!(matches!(file("empty.jpg", b""), DecodeError::Empty));
    let text = file("text.jpg", b"dear diary");
    assert!(matches!(text, DecodeError::NotAPicture));
    assert_eq!(text.to_string(), "not a picture, known are JPEG, PNG, WebP, TIFF, BMP, GIF");
    let heic = file("phone.jpg", b"\0\0\0\x18ftypheic\0\0\0\0");
    assert_eq!(heic.to_string(), "HEIC is not supported, convert the picture to JPEG or PNG first");
    let missing = decode_file(folder.path().join("none.png"), &DecodeLimits::default());
    assert!(matches!(missing, Err(DecodeError::Read(_))));
}

#[test]
fn the_content_counts_not_the_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("really_a_png.jpg");
    fs::copy(fixture("rgb.png"), &path).unwrap();
    assert_eq!(decode_file(&path, &DecodeLimits::default()).unwrap(), decode("rgb.png"));
}

#[test]
fn bombs_are_refused_by_their_header() {
    for name in ["bomb.png", "bomb.jpg"] {
        let start = Instant::now();
        let found = decode_file(fixture(name), &DecodeLimits::default());
        assert!(
            matches!(found, Err(DecodeError::TooManyPixels { width: 60_000, height: 60_000, .. })),
            "{name}: {found:?}"
        );
        assert!(start.elapsed() < Duration::from_secs(1), "{name}");
    }
}

#[test]
fn limits_are_inclusive_and_name_their_numbers() {
    let pixels = DecodeLimits { max_pixels: 24 * 16, ..DecodeLimits::default() };
    let bytes = fs::read(fixture("rgb.jpg")).unwrap();
    assert!(decode_bytes(&bytes, &pixels).is_ok());
    let fewer = DecodeLimits { max_pixels: 24 * 16 - 1, ..pixels };
    let message = decode_bytes(&bytes, &fewer).unwrap_err().to_string();
    assert_eq!(message, "the picture has 24x16 pixels, at most 383 in all are allowed");
    let memory = DecodeLimits { max_alloc_bytes: 1000, ..pixels };
    for name in ["rgb.jpg", "rgb.png"] {
        let found = decode_file(fixture(name), &memory);
        assert!(matches!(found, Err(DecodeError::TooMuchMemory { limit: 1000, .. })), "{name}: {found:?}");
    }
}

#[test]
fn what_a_file_promises_is_checked_before_memory_is_taken() {
    let limits = DecodeLimits { max_pixels: 1 << 20, max_alloc_bytes: 16 << 20 };
    let mut tiff = fs::read(fixture("turned_6.tif")).unwrap();
    let directory = u32::from_le_bytes(tiff[4..8].try_into().unwrap()) as usize;
    // The third entry: three bits a sample become millions.
    assert_eq!(tiff[directory + 2 + 24..][..4], [2, 1, 3, 0]);
    tiff[directory + 2 + 24 + 4..][..4].copy_from_slice(&[0, 0, 0x30, 0]);
    let found = decode_bytes(&tiff, &limits);
    assert!(matches!(found, Err(DecodeError::Broken { kind: FileKind::Tiff, .. })), "{found:?}");

    // A small canvas with a large frame.
    let still = fs::read(fixture("lossy.webp")).unwrap();
    let canvas = b"VP8X\x0a\0\0\0\0\0\0\0\x17\0\0\x0f\0\0";
    let mut webp = [&still[..12], canvas, &still[12..]].concat();
    assert!(decode_bytes(&webp, &limits).is_ok());
    webp[12 + canvas.len() + 8 + 6..][..4].copy_from_slice(&[0xff, 0x3f, 0xff, 0x3f]);
    let found = decode_bytes(&webp, &limits);
    assert!(
        matches!(found, Err(DecodeError::TooManyPixels { width: 16_383, height: 16_383, .. })),
        "{found:?}"
    );
}

#[test]
fn metadata_tells_what_the_file_was() {
    let metadata = |name: &str| {
        let found = decode_file_with_metadata(fixture(name), &DecodeLimits::default()).unwrap();
        assert_eq!(found.picture, decode(name), "{name}");
        found.metadata
    };
    let plain = Metadata { kind: FileKind::Png, bits: BitDepth::Eight, had_profile: false, exif: None };
    assert_eq!(metadata("rgb.png"), plain);
    assert_eq!(metadata("rgb16.png"), Metadata { bits: BitDepth::Sixteen, ..plain.clone() });
    assert_eq!(metadata("swapped_profile.png"), Metadata { had_profile: true, ..plain.clone() });
    assert_eq!(metadata("two_frames.gif"), Metadata { kind: FileKind::Gif, ..plain });
}

#[test]
fn exif_goes_with_the_upright_picture() {
    for name in ["turned_6.jpg", "turned_6.png", "turned_6.webp"] {
        let found = decode_file_with_metadata(fixture(name), &DecodeLimits::default()).unwrap();
        let exif = found.metadata.exif.unwrap_or_else(|| panic!("{name} has EXIF"));
        let options = EncodeOptions { format: Format::Png, exif: Some(&exif) };
        let written = pixel::encode(&found.picture, options).unwrap();
        let again = decode_bytes_with_metadata(&written, &DecodeLimits::default()).unwrap();
        assert_eq!(again.picture, found.picture, "{name} is not turned a second time");
        assert_eq!(again.metadata.exif, Some(exif), "{name}");
    }
}

fn every_fixture() -> Vec<Vec<u8>> {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(fixture("")).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| pixel::has_picture_suffix(path));
    paths.sort();
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    /// A small limit, so that a mutated size cannot make the test slow.
    #[test]
    fn damaged_bytes_never_panic(
        which: prop::sample::Index,
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        keep in any::<prop::sample::Index>(),
        cut: bool,
    ) {
        let fixtures = every_fixture();
        let mut bytes = which.get(&fixtures).clone();
        for (at, value) in damage {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if cut {
            bytes.truncate(keep.index(bytes.len()));
        }
        let limits = DecodeLimits { max_pixels: 1 << 18, max_alloc_bytes: 8 << 20 };
        if let Ok(picture) = decode_bytes(&bytes, &limits) {
            prop_assert!(u64::from(picture.width()) * u64::from(picture.height()) <= limits.max_pixels);
        }
    }
}

#[test]
fn headers_tell_kind_and_upright_size() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let mut known = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        if let Ok(picture) = pixel::decode_bytes(&bytes, &DecodeLimits::default()) {
            let header = pixel::Header::of(&bytes).unwrap_or_else(|| panic!("{}", path.display()));
            let size = (picture.width(), picture.height());
            assert_eq!((header.width, header.height), size, "{}", path.display());
            known += 1;
        }
    }
    assert!(known > 20, "{known} fixtures");
    assert_eq!(pixel::Header::of(b"no picture"), None);
}
