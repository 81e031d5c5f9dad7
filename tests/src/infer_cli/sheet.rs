//! `infer image --sheet`.

use pixel::Picture;

use super::Darkroom;
use crate::support::programs::{Finished, infer_command};
use crate::support::scenes;

impl Darkroom {
    fn sheet(&self, args: &[&str]) -> Finished {
        let mut command = infer_command(self.folder.path());
        command.args(["image", "--sheet"]).args(args).env("ATELIER_STYLES", self.folder.path());
        Finished(command.output().unwrap())
    }
}

/// Whether `part` lies in `whole` somewhere, pixel for pixel.
fn holds(whole: &Picture, part: &Picture) -> bool {
    let (width, height) = (part.width(), part.height());
    let mut places =
        (0..=whole.height() - height).flat_map(|y| (0..=whole.width() - width).map(move |x| (x, y)));
    places.any(|(x, y)| whole.crop(x, y, width, height).unwrap().rgb() == part.rgb())
}

#[test]
fn a_sheet_shows_the_photo_in_every_style() {
    let darkroom = Darkroom::new();
    darkroom.add_style("red", 2);
    let finished = darkroom.sheet(&["photo.png", "--sheet-size", "64"]);
    assert_eq!(finished.expect_success().stdout(), "photo.sheet.png\n");
    let sheet = darkroom.picture("photo.sheet.png");
    for style in ["blue", "red", "great-wave"] {
        darkroom.image(&["photo.png", "--style", &styles_path(style), "-o", "out/"]).expect_success();
        assert!(holds(&sheet, &darkroom.picture(&format!("out/photo.{style}.png"))), "{style}");
    }
    assert!(holds(&sheet, &darkroom.picture("photo.png")));
    darkroom.sheet(&["photo.png"]).expect_error(1, &["there already", "photo.sheet.png"]);
}

fn styles_path(style: &str) -> String {
    if style == "great-wave" { style.to_owned() } else { format!("{style}.safetensors") }
}

#[test]
fn a_sheet_of_some_styles_past_a_broken_one() {
    let darkroom = Darkroom::new();
    scenes::save(&scenes::rectangles(300, 200, 3), &darkroom.path("large.png"));
    std::fs::write(darkroom.path("cut.safetensors"), "cut").unwrap();
    let finished = darkroom.sheet(&[
        "large.png",
        "-o",
        "s.png",
        "--style",
        "cut",
        "--style",
        "blue",
        "--sheet-size",
        "100",
    ]);
    assert_eq!(finished.status(), Some(3), "{}", finished.stderr());
    assert!(finished.stderr().starts_with("error: ") && finished.stderr().contains("cut.safetensors"));
    let sheet = darkroom.picture("s.png");
    assert!(
        (200..240).contains(&sheet.width()) && sheet.height() < 120,
        "{}x{}",
        sheet.width(),
        sheet.height()
    );

    darkroom.sheet(&["large.png", "--style", "cut"]).expect_error(1, &["cut.safetensors"]);
    darkroom.sheet(&["large.png", "photo.png"]).expect_error(2, &["--sheet shows one photo"]);
    darkroom.sheet(&["none.png"]).expect_error(1, &["none.png: cannot read the file"]);
    assert_eq!(darkroom.sheet(&["large.png", "--json"]).status(), Some(2));
    assert!(!darkroom.path("large.sheet.png").exists());
}
