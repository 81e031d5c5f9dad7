//! What can be asked of the painting: strength, colours, sizes, strokes and masks, through the real program.

use std::collections::HashSet;

use pixel::{DecodeLimits, Grey, Picture};
use tempfile::TempDir;

use crate::support::programs::{Finished, infer};
use crate::support::{scenes, untrained};

const WIDTH: u32 = 45;
const HEIGHT: u32 = 30;

/// A folder with a photo, two small untrained styles and masks.
struct Studio {
    folder: TempDir,
}

impl Studio {
    fn new() -> Self {
        let studio = Self { folder: tempfile::tempdir().unwrap() };
        studio.save("photo.png", &scenes::rectangles(WIDTH, HEIGHT, 1));
        for (name, seed) in [("blue", 1), ("red", 2)] {
            let file = studio.folder.path().join(name).with_extension("safetensors");
            untrained::save_style(&file, seed);
        }
        studio
    }

    fn save(&self, name: &str, picture: &Picture) {
        scenes::save(picture, &self.folder.path().join(name));
    }

    /// A mask that is white from one column up to another.
    fn save_stripe(&self, name: &str, from: u32, to: u32) {
        let row = (0..WIDTH).flat_map(|x| [if (from..to).contains(&x) { 255 } else { 0 }; 3]);
        let rgb = row.collect::<Vec<u8>>().repeat(HEIGHT as usize);
        self.save(name, &Picture::from_rgb(WIDTH, HEIGHT, rgb).unwrap());
    }

    fn run(&self, args: &[&str]) -> Finished {
        infer(self.folder.path(), &[&["image"], args].concat())
    }

    /// The photo painted with these arguments.
    fn paint(&self, args: &[&str]) -> Picture {
        let style: &[&str] = if args.contains(&"--style") { &[] } else { &["--style", "blue.safetensors"] };
        let fixed = ["photo.png", "-o", "out.png", "--overwrite", "--device", "cpu"];
        self.run(&[&fixed, style, args].concat()).expect_success();
        self.picture("out.png")
    }

    fn picture(&self, name: &str) -> Picture {
        pixel::decode_file(self.folder.path().join(name), &DecodeLimits::default()).unwrap()
    }
}

/// The part of a picture between two columns.
fn columns(picture: &Picture, from: u32, to: u32) -> Picture {
    picture.crop(from, 0, to - from, picture.height()).unwrap()
}

fn size(picture: &Picture) -> (u32, u32) {
    (picture.width(), picture.height())
}

#[test]
fn strength_goes_from_the_photo_to_the_painting() {
    let studio = Studio::new();
    let (photo, painting) = (studio.picture("photo.png"), studio.paint(&[]));
    assert_eq!(studio.paint(&["--strength", "0"]), photo);
    assert_eq!(studio.paint(&["--strength", "1"]), painting);
    let half = studio.paint(&["--strength", "0.5"]);
    for ((&half, &photo), &painting) in half.rgb().iter().zip(photo.rgb()).zip(painting.rgb()) {
        assert!(half.abs_diff(u8::midpoint(photo, painting)) <= 1, "{half} between {photo} and {painting}");
    }
    assert_ne!(studio.paint(&["--strength", "1.5"]), painting);
}

#[test]
fn kept_colours_have_the_paintings_light_and_the_photos_colour() {
    let studio = Studio::new();
    let painting = studio.paint(&[]);
    let kept = studio.paint(&["--keep-colors"]);
    assert_ne!(kept, painting);
    for (kept, painted) in
        Grey::from_picture(&kept).values().iter().zip(Grey::from_picture(&painting).values())
    {
        assert!(kept.abs_diff(*painted) <= 1, "luma {kept} for {painted}");
    }
    let grey: Vec<u8> = (0..WIDTH * HEIGHT).flat_map(|place| [(place % 251) as u8; 3]).collect();
    studio.save("photo.png", &Picture::from_rgb(WIDTH, HEIGHT, grey).unwrap());
    let kept = studio.paint(&["--keep-colors"]);
    assert!(
        kept.rgb().as_chunks::<3>().0.iter().all(|[r, g, b]| r == g && g == b),
        "a grey photo stays grey"
    );
}

#[test]
fn sizes_are_what_was_asked_for_and_transparency_goes_along() {
    let studio = Studio::new();
    let alpha: Vec<u8> =
        (0..HEIGHT).flat_map(|y| vec![if y < 15 { 0 } else { 255 }; WIDTH as usize]).collect();
    studio.save("photo.png", &scenes::rectangles(WIDTH, HEIGHT, 3).with_alpha(alpha).unwrap());
    for (args, expected) in [
        (&["--max-size", "20"][..], (20, 13)),
        (&["--max-size", "2000"], (45, 30)),
        (&["--scale", "2"], (90, 60)),
        (&["--scale", "0.2", "--stroke", "2"], (9, 6)),
        (&["--scale", "3", "--max-size", "100"], (100, 67)),
        (&["--stroke", "0.5"], (45, 30)),
        (&["--stroke", "8"], (45, 30)),
    ] {
        let painted = studio.paint(args);
        assert_eq!(size(&painted), expected, "{args:?}");
        let alpha = painted.alpha().expect("transparency");
        // Lanczos overshoots a little.
        assert!(alpha[0] <= 2 && alpha[alpha.len() - 1] >= 253, "{args:?}: {alpha:?}");
    }
}

#[test]
fn strokes_of_another_size_paint_another_picture_of_any_size() {
    let studio = Studio::new();
    let painting = studio.paint(&[]);
    let [finer, larger] = ["0.5", "2"].map(|factor| studio.paint(&["--stroke", factor]));
    assert!(finer != painting && larger != painting && finer != larger);
    for (width, height) in [(1, 1), (1, 50), (7, 2)] {
        studio.save("photo.png", &scenes::rectangles(width, height, 4));
        for factor in ["0.25", "3"] {
            assert_eq!(size(&studio.paint(&["--stroke", factor])), (width, height));
        }
    }
}

#[test]
fn a_mask_says_where_the_style_paints() {
    let studio = Studio::new();
    studio.save_stripe("right.png", 20, WIDTH);
    let (photo, painting) = (studio.picture("photo.png"), studio.paint(&[]));
    let masked = studio.paint(&["--mask", "right.png"]);
    assert_eq!(columns(&masked, 0, 20), columns(&photo, 0, 20), "black: the photo");
    assert_eq!(columns(&masked, 20, WIDTH), columns(&painting, 20, WIDTH), "white: the painting");
    let soft = studio.paint(&["--mask", "right.png", "--mask-feather", "6"]);
    assert_eq!(columns(&soft, 0, 10), columns(&photo, 0, 10));
    assert_eq!(columns(&soft, 30, WIDTH), columns(&painting, 30, WIDTH));
    assert_ne!(columns(&soft, 15, 20), columns(&photo, 15, 20));
    assert_ne!(columns(&soft, 20, 25), columns(&painting, 20, 25));
    // A mask of another size is stretched.
    let small = studio.picture("right.png").resize(9, 6, pixel::Filter::Box).unwrap();
    studio.save("small.png", &small);
    let stretched = studio.paint(&["--mask", "small.png"]);
    assert_eq!(columns(&stretched, 0, 15), columns(&photo, 0, 15));
    assert_eq!(columns(&stretched, 25, WIDTH), columns(&painting, 25, WIDTH));
}

#[test]
fn several_styles_share_a_picture_by_their_masks() {
    let studio = Studio::new();
    studio.save_stripe("left.png", 0, 15);
    studio.save_stripe("right.png", 30, WIDTH);
    studio.save_stripe("all.png", 0, WIDTH);
    let photo = studio.picture("photo.png");
    let [blue, red] = ["blue.safetensors", "red.safetensors"].map(|style| studio.paint(&["--style", style]));
    let both = |blue_mask: &str, red_mask: &str| {
        studio.paint(&[
            "--style",
            "blue.safetensors",
            "--mask",
            blue_mask,
            "--style",
            "red.safetensors",
            "--mask",
            red_mask,
        ])
    };
    let near = |found: &Picture, expected: &Picture| {
        found.rgb().iter().zip(expected.rgb()).all(|(found, expected)| found.abs_diff(*expected) <= 1)
    };
    let apart = both("left.png", "right.png");
    assert!(near(&columns(&apart, 0, 15), &columns(&blue, 0, 15)));
    assert_eq!(columns(&apart, 15, 30), columns(&photo, 15, 30), "no mask is white there");
    assert!(near(&columns(&apart, 30, WIDTH), &columns(&red, 30, WIDTH)));
    let over = both("all.png", "right.png");
    assert!(near(&columns(&over, 0, 30), &columns(&blue, 0, 30)));
    let half = |x: u32, y: u32| {
        let at = ((y * WIDTH + x) * 3) as usize;
        (over.rgb()[at], u8::midpoint(blue.rgb()[at], red.rgb()[at]))
    };
    assert!(
        (30..WIDTH).all(|x| (0..HEIGHT).all(|y| half(x, y).0.abs_diff(half(x, y).1) <= 1)),
        "half of each"
    );
}

#[test]
fn sixteen_bits_are_the_same_picture_in_finer_steps() {
    let studio = Studio::new();
    let alpha: Vec<u8> = (0..WIDTH * HEIGHT).map(|place| (place % 256) as u8).collect();
    studio.save("photo.png", &scenes::rectangles(WIDTH, HEIGHT, 5).with_alpha(alpha).unwrap());
    studio.save_stripe("all.png", 0, WIDTH);
    for args in [&[][..], &["--strength", "0.7", "--keep-colors", "--mask", "all.png"]] {
        let bytes = studio.paint(args);
        for output in ["deep.png", "deep.tif"] {
            let deep = ["photo.png", "-s", "blue.safetensors", "-o", output, "--overwrite", "--bits", "16"];
            studio.run(&[&deep, args].concat()).expect_success();
            // Our own decoder rounds to 8 bits.
            let found = image::open(studio.folder.path().join(output)).unwrap();
            let image::DynamicImage::ImageRgba16(found) = found else {
                panic!("{output}: {:?}", found.color())
            };
            let expected = bytes.rgb().as_chunks::<3>().0.iter().zip(bytes.alpha().unwrap());
            for (found, (rgb, &alpha)) in found.pixels().zip(expected) {
                assert_eq!(found.0[3], u16::from(alpha) * 257, "{output}");
                for (&found, &byte) in found.0.iter().zip(rgb) {
                    assert!(found.abs_diff(u16::from(byte) * 257) <= 129, "{output}: {found} for {byte}");
                }
            }
            let samples = found.pixels().flat_map(|pixel| &pixel.0[..3]);
            assert!(samples.copied().collect::<HashSet<u16>>().len() > 256, "finer than bytes");
        }
    }
}

#[test]
fn what_makes_no_sense_ends_in_one_line() {
    let studio = Studio::new();
    studio.save_stripe("mask.png", 0, 9);
    std::fs::write(studio.folder.path().join("text.png"), "no picture").unwrap();
    let run = |args: &[&str]| studio.run(&[&["photo.png", "--style", "blue.safetensors"], args].concat());
    for (option, value) in [
        ("--strength", "-1"),
        ("--strength", "NaN"),
        ("--stroke", "0"),
        ("--scale", "inf"),
        ("--max-size", "0"),
    ] {
        run(&[option, value]).expect_error(2, &[option, "expected"]);
    }
    run(&["--mask", "mask.png", "--mask", "mask.png"]).expect_error(2, &["2 --mask for 1 --style"]);
    run(&["--mask", "mask.png", "--style", "red.safetensors"]).expect_error(2, &["1 --mask for 2 --style"]);
    run(&["--bits", "16", "--format", "jpg"]).expect_error(2, &["PNG and TIFF", "photo.blue.jpg"]);
    run(&["--mask", "none.png"]).expect_error(1, &["no such mask: none.png"]);
    run(&["--mask", "text.png"]).expect_error(1, &["the mask text.png", "not a picture"]);
    studio.save("photo.png", &scenes::rectangles(1200, 900, 1));
    run(&["--scale", "16"]).expect_error(1, &["19200x14400", "268 megapixels"]);
    run(&["--scale", "8", "--stroke", "0.25"]).expect_error(1, &["megapixels"]);
    assert!(!studio.folder.path().join("photo.blue.png").exists());
}
