//! The scene in files of many sorts, written by `image`, so that our decoder is not tested by our encoder.

use std::io::Cursor;

use image::codecs::gif::GifEncoder;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::codecs::tiff::TiffEncoder;
use image::codecs::webp::WebPEncoder;
use image::metadata::Orientation;
use image::{
    DynamicImage, ExtendedColorType, Frame, GrayImage, ImageEncoder, ImageFormat, Luma, Rgb, RgbImage, Rgba,
    RgbaImage,
};
use moxcms::{ColorProfile, Layout, TransformOptions};

use crate::{File, Good, bad, good};

/// Who made the camera, as the turned files have it in their EXIF.
pub const MAKER: &str = "Atelier";

/// JPEG at quality 100 without a profile is off by this much at most.
const JPEG: u8 = 3;

/// In each orientation, as JPEG, and in one as PNG and WebP.
pub(crate) fn turned() -> Vec<File> {
    let stored = |exif: u8| {
        let orientation = Orientation::from_exif(exif).expect("1 to 8");
        // All but the quarter turns undo themselves.
        let back = match orientation {
            Orientation::Rotate90 => Orientation::Rotate270,
            Orientation::Rotate270 => Orientation::Rotate90,
            other => other,
        };
        let mut picture = DynamicImage::ImageRgb8(scene(Good::SCENE));
        picture.apply_orientation(back);
        picture.into_rgb8()
    };
    let mut files: Vec<File> = (1..=8)
        .map(|exif| {
            let bytes = jpeg(&stored(exif), Some(camera_notes(exif)), None);
            good(format!("orientation {exif}.jpg"), bytes, Good::SCENE.within(JPEG))
        })
        .collect();
    for exif in [5, 6] {
        let chunk = || Some(camera_notes(exif));
        let png = encoded(Kind::Png, &stored(exif), chunk(), None);
        files.push(good(format!("orientation {exif}.png"), png, Good::SCENE));
        let webp = encoded(Kind::WebP, &stored(exif), chunk(), None);
        files.push(good(format!("orientation {exif}.webp"), webp, Good::SCENE));
    }
    files
}

/// Gray, deep, clear, moving, and every kind of file.
pub(crate) fn sorts() -> Vec<File> {
    let gray_scene = Good::GRAY_SCENE;
    let gray =
        GrayImage::from_fn(gray_scene.width, gray_scene.height, |x, y| Luma([gray_scene.colour(x, y)[0]]));
    let deep = DynamicImage::ImageRgb8(scene(Good::SCENE)).into_rgb16();
    let clear_scene = Good { alpha_on_the_right: Some(100), ..Good::SCENE };
    let clear = RgbaImage::from_fn(clear_scene.width, clear_scene.height, |x, y| {
        let [r, g, b] = clear_scene.colour(x, y);
        Rgba([r, g, b, if 2 * x >= clear_scene.width { 100 } else { 255 }])
    });
    let [gray, deep, clear, plain] = [
        DynamicImage::ImageLuma8(gray),
        DynamicImage::ImageRgb16(deep),
        DynamicImage::ImageRgba8(clear),
        DynamicImage::ImageRgb8(scene(Good::SCENE)),
    ];
    vec![
        good("gray.png", as_format(&gray, ImageFormat::Png), gray_scene),
        good("gray.jpg", as_format(&gray, ImageFormat::Jpeg), gray_scene.within(JPEG)),
        good("gray.tif", as_format(&gray, ImageFormat::Tiff), gray_scene),
        good("16 bits.png", as_format(&deep, ImageFormat::Png), Good::SCENE),
        good("16 bits.tif", as_format(&deep, ImageFormat::Tiff), Good::SCENE),
        good("alpha.png", as_format(&clear, ImageFormat::Png), clear_scene),
        good("alpha.webp", as_format(&clear, ImageFormat::WebP), clear_scene),
        good("alpha.tif", as_format(&clear, ImageFormat::Tiff), clear_scene),
        good("plain.png", as_format(&plain, ImageFormat::Png), Good::SCENE),
        good("plain.webp", as_format(&plain, ImageFormat::WebP), Good::SCENE),
        good("plain.tiff", as_format(&plain, ImageFormat::Tiff), Good::SCENE),
        good("plain.bmp", as_format(&plain, ImageFormat::Bmp), Good::SCENE),
        good("still.gif", as_format(&plain, ImageFormat::Gif), Good::SCENE),
        good("animated.gif", animation(), Good::SCENE),
    ]
}

/// The scene in other colour spaces than sRGB, and their profiles.
pub(crate) fn profiled() -> Vec<File> {
    let in_space = |profile: &ColorProfile| {
        let (srgb, options) = (ColorProfile::new_srgb(), TransformOptions::default());
        let transform = srgb.create_transform_8bit(Layout::Rgb, profile, Layout::Rgb, options).unwrap();
        let mut picture = scene(Good::SCENE);
        let stored = picture.clone();
        transform.transform(stored.as_raw(), &mut picture).unwrap();
        assert_ne!(stored, picture, "the values are others");
        (picture, Some(profile.encode().unwrap()))
    };
    let (p3, p3_profile) = in_space(&ColorProfile::new_display_p3());
    let (adobe, adobe_profile) = in_space(&ColorProfile::new_adobe_rgb());
    let within = Good::SCENE.within(2);
    vec![
        good("display p3.png", encoded(Kind::Png, &p3, None, p3_profile.clone()), within),
        good("display p3.webp", encoded(Kind::WebP, &p3, None, p3_profile.clone()), within),
        good("display p3.tif", tiff(&p3, p3_profile), within),
        good("adobe rgb.png", encoded(Kind::Png, &adobe, None, adobe_profile.clone()), within),
        good("adobe rgb.jpg", jpeg(&adobe, None, adobe_profile), within.within(5)),
    ]
}

/// As small and as long as they come.
pub(crate) fn sizes() -> Vec<File> {
    let mut files = Vec::new();
    for (width, height) in [(1, 1), (1, 2), (3, 1), (1, 5000), (5000, 1)] {
        let sized = Good::SCENE.sized(width, height);
        let picture = scene(sized);
        let png = encoded(Kind::Png, &picture, None, None);
        files.push(good(format!("{width}x{height}.png"), png, sized));
        files.push(good(format!("{width}x{height}.jpg"), jpeg(&picture, None, None), sized.within(JPEG)));
    }
    files
}

/// Names that lie, and names that programs stumble over.
pub(crate) fn names() -> Vec<File> {
    let png = || encoded(Kind::Png, &scene(Good::SCENE), None, None);
    let jpeg = || jpeg(&scene(Good::SCENE), None, None);
    let pngs = [
        "really a png.jpg",
        "Größe – 大きさ 🎨.png",
        "  two  spaces .png",
        "-leading dash.png",
        "--strength.png",
        "%d and {braces} and 'quotes'.png",
        "UPPER.PNG",
        "two.dots.png",
        "read-only/photo.png",
        "deeper/and deeper/photo.png",
    ];
    let jpegs = ["really a jpeg.png", ".hidden.jpg"];
    let pngs = pngs.map(|name| good(name, png(), Good::SCENE));
    pngs.into_iter().chain(jpegs.map(|name| good(name, jpeg(), Good::SCENE.within(JPEG)))).collect()
}

/// What is no picture, or no longer one.
pub(crate) fn broken() -> Vec<File> {
    let picture = RgbImage::from_fn(200, 150, |x, y| Rgb([x as u8, y as u8, (x * y % 251) as u8]));
    let half = |bytes: Vec<u8>| bytes[..bytes.len() / 2].to_vec();
    let png = encoded(Kind::Png, &picture, None, None);
    let webp = encoded(Kind::WebP, &picture, None, None);
    vec![
        bad("truncated.jpg", half(jpeg(&picture, None, None)), "the JPEG is cut off or damaged"),
        bad("truncated.png", half(png), "the PNG is cut off or damaged"),
        bad("truncated.webp", half(webp), "the WebP is cut off or damaged"),
        bad("truncated.tif", half(tiff(&picture, None)), "the TIFF is cut off or damaged"),
        bad("empty.jpg", "", "the file is empty (0 bytes)"),
        bad("text.jpg", "Dear diary,\ntoday I painted.\n", "not a picture"),
        bad("phone.jpg", "\0\0\0\u{18}ftypheic\0\0\0\0", "HEIC is not supported"),
        bad("zeros.png", vec![0; 4096], "not a picture"),
    ]
}

fn scene(good: Good) -> RgbImage {
    RgbImage::from_fn(good.width, good.height, |x, y| Rgb(good.colour(x, y)))
}

fn as_format(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn jpeg(picture: &RgbImage, exif: Option<Vec<u8>>, profile: Option<Vec<u8>>) -> Vec<u8> {
    encoded(Kind::Jpeg, picture, exif, profile)
}

fn tiff(picture: &RgbImage, profile: Option<Vec<u8>>) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    write(TiffEncoder::new(&mut bytes), picture, None, profile);
    bytes.into_inner()
}

#[derive(Clone, Copy)]
enum Kind {
    Jpeg,
    Png,
    WebP,
}

fn encoded(kind: Kind, picture: &RgbImage, exif: Option<Vec<u8>>, profile: Option<Vec<u8>>) -> Vec<u8> {
    let mut bytes = Vec::new();
    match kind {
        Kind::Jpeg => write(JpegEncoder::new_with_quality(&mut bytes, 100), picture, exif, profile),
        Kind::Png => write(PngEncoder::new(&mut bytes), picture, exif, profile),
        Kind::WebP => write(WebPEncoder::new_lossless(&mut bytes), picture, exif, profile),
    }
    bytes
}

fn write(
    mut encoder: impl ImageEncoder,
    picture: &RgbImage,
    exif: Option<Vec<u8>>,
    profile: Option<Vec<u8>>,
) {
    if let Some(exif) = exif {
        encoder.set_exif_metadata(exif).unwrap();
    }
    if let Some(profile) = profile {
        encoder.set_icc_profile(profile).unwrap();
    }
    let (width, height) = picture.dimensions();
    encoder.write_image(picture.as_raw(), width, height, ExtendedColorType::Rgb8).unwrap();
}

/// The scene, and a white frame behind it.
fn animation() -> Vec<u8> {
    let white = RgbaImage::from_pixel(Good::SCENE.width, Good::SCENE.height, Rgba([255; 4]));
    let first = DynamicImage::ImageRgb8(scene(Good::SCENE)).into_rgba8();
    let mut bytes = Vec::new();
    GifEncoder::new(&mut bytes).encode_frames([first, white].map(Frame::new)).unwrap();
    bytes
}

/// EXIF with an orientation and a maker.
fn camera_notes(orientation: u8) -> Vec<u8> {
    let maker = [MAKER.as_bytes(), b"\0"].concat();
    let maker_entry = [b"\x01\x0f\0\x02", &(maker.len() as u32).to_be_bytes()[..], b"\0\0\0\x26"].concat();
    let orientation_entry = [b"\x01\x12\0\x03\0\0\0\x01\0", &[orientation][..], b"\0\0"].concat();
    // The header, two entries, no second directory, and what the first entry points to, at 0x26.
    [b"MM\0*\0\0\0\x08\0\x02", &maker_entry[..], &orientation_entry, &[0; 4], &maker].concat()
}
