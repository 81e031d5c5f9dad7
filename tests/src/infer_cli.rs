//! `infer` from outside.

mod bench;
mod completions;
mod convert;
mod folders;
mod interruption;
mod lines;
mod sheet;
mod streams;
mod styles;

use std::path::PathBuf;

use pixel::{DecodeLimits, Picture};
use tempfile::TempDir;

use crate::support::programs::{Finished, infer};
use crate::support::{scenes, untrained};

/// A folder with a photo and a small untrained style.
struct Darkroom {
    folder: TempDir,
}

impl Darkroom {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        scenes::save(&scenes::rectangles(45, 30, 1), &folder.path().join("photo.png"));
        let darkroom = Self { folder };
        darkroom.add_style("blue", 1);
        darkroom
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn image(&self, args: &[&str]) -> Finished {
        let style: &[&str] = if args.contains(&"--style") { &[] } else { &["--style", "blue.safetensors"] };
        infer(self.folder.path(), &[&["image"], args, style].concat())
    }

    fn picture(&self, name: &str) -> Picture {
        pixel::decode_file(self.path(name), &DecodeLimits::default()).unwrap()
    }

    /// A small untrained style, of its own for each seed.
    fn add_style(&self, name: &str, seed: u64) {
        untrained::save_style(&self.path(&format!("{name}.safetensors")), seed);
    }

    /// A photo of its own for each seed.
    fn add_photo(&self, name: &str, seed: u64) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        scenes::save(&scenes::rectangles(20 + seed as u32, 24, seed), &path);
    }

    /// All files below a folder, sorted.
    fn files(&self, below: &str) -> Vec<String> {
        let mut found = Vec::new();
        let mut folders = vec![self.path(below)];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
                if entry.path().is_dir() {
                    folders.push(entry.path());
                } else {
                    let path = entry.path();
                    let relative = path.strip_prefix(self.path(below)).unwrap();
                    found.push(relative.to_str().unwrap().to_owned());
                }
            }
        }
        found.sort();
        found
    }

    fn expect_nothing_written(&self, before: usize) {
        assert_eq!(std::fs::read_dir(self.folder.path()).unwrap().count(), before, "a file was left behind");
    }

    fn file_count(&self) -> usize {
        std::fs::read_dir(self.folder.path()).unwrap().count()
    }
}

#[test]
fn one_photo_beside_its_original() {
    let darkroom = Darkroom::new();
    let original = std::fs::read(darkroom.path("photo.png")).unwrap();
    let finished = darkroom.image(&["photo.png"]);
    finished.expect_success();
    assert_eq!(finished.stdout().trim(), "photo.blue.png");
    let painted = darkroom.picture("photo.blue.png");
    assert_eq!((painted.width(), painted.height()), (45, 30));
    assert_ne!(painted.rgb(), darkroom.picture("photo.png").rgb());
    assert_eq!(std::fs::read(darkroom.path("photo.png")).unwrap(), original, "the original is untouched");
}

#[test]
fn several_photos_into_a_folder_past_a_broken_one() {
    let darkroom = Darkroom::new();
    std::fs::write(darkroom.path("broken.jpg"), "text").unwrap();
    scenes::save(&scenes::rectangles(16, 61, 2), &darkroom.path("tall.jpg"));
    let finished = darkroom.image(&["photo.png", "broken.jpg", "missing.jpg", "tall.jpg", "-o", "out/"]);
    assert_eq!(finished.stdout().lines().collect::<Vec<_>>(), ["out/photo.blue.png", "out/tall.blue.jpg"]);
    let stderr = finished.stderr();
    let errors: Vec<&str> = stderr.lines().collect();
    assert_eq!(errors.len(), 2, "{stderr}");
    assert!(errors[0].starts_with("error: broken.jpg: not a picture"), "{stderr}");
    assert!(errors[1].starts_with("error: missing.jpg: cannot read the file"), "{stderr}");
    assert_eq!(finished.status(), Some(3));
    assert_eq!(darkroom.picture("out/tall.blue.jpg").height(), 61);
}

#[test]
fn transparency_returns_untouched() {
    let darkroom = Darkroom::new();
    let alpha: Vec<u8> = (0..20 * 20).map(|pixel| (pixel % 256) as u8).collect();
    let picture = scenes::rectangles(20, 20, 3).with_alpha(alpha.clone()).unwrap();
    scenes::save(&picture, &darkroom.path("glass.png"));
    darkroom.image(&["glass.png"]).expect_success();
    assert_eq!(darkroom.picture("glass.blue.png").alpha(), Some(alpha.as_slice()));
}

#[test]
fn every_size_keeps_its_size() {
    let darkroom = Darkroom::new();
    for (width, height) in [(1, 1), (2, 7), (64, 1), (33, 34)] {
        scenes::save(&scenes::rectangles(width, height, 4), &darkroom.path("odd.png"));
        darkroom.image(&["odd.png", "--overwrite"]).expect_success();
        let painted = darkroom.picture("odd.blue.png");
        assert_eq!((painted.width(), painted.height()), (width, height));
    }
}

#[test]
fn styles_are_found_by_name() {
    let darkroom = Darkroom::new();
    let shelf = darkroom.path(".local/share/atelier/styles");
    std::fs::create_dir_all(&shelf).unwrap();
    std::fs::rename(darkroom.path("blue.safetensors"), shelf.join("deep-blue.safetensors")).unwrap();
    darkroom.image(&["photo.png", "--style", "deep_blue"]).expect_success();
    assert!(darkroom.path("photo.deep-blue.png").is_file());
    darkroom
        .image(&["photo.png", "--style", "no-such"])
        .expect_error(1, &["no-such", "known: ", "deep-blue"]);
}

#[test]
fn outputs_are_not_replaced_unasked() {
    let darkroom = Darkroom::new();
    darkroom.image(&["photo.png"]).expect_success();
    darkroom.image(&["photo.png"]).expect_error(1, &["there already", "--overwrite", "photo.blue.png"]);
    darkroom.image(&["photo.png", "--overwrite"]).expect_success();
    darkroom.image(&["photo.png", "-o", "photo.png", "--overwrite"]).expect_error(1, &["replace an input"]);
}

#[test]
fn bad_inputs_end_in_one_line_and_leave_nothing() {
    let darkroom = Darkroom::new();
    std::fs::write(darkroom.path("text.jpg"), "no picture").unwrap();
    std::fs::write(darkroom.path("empty.jpg"), "").unwrap();
    let before = darkroom.file_count();
    darkroom.image(&["missing.jpg"]).expect_error(1, &["missing.jpg"]);
    darkroom.image(&["text.jpg"]).expect_error(1, &["text.jpg", "not a picture"]);
    darkroom.image(&["empty.jpg"]).expect_error(1, &["empty.jpg", "empty"]);
    std::fs::create_dir(darkroom.path("album")).unwrap();
    darkroom.image(&["album"]).expect_error(1, &["no pictures to paint", "album"]);
    std::fs::remove_dir(darkroom.path("album")).unwrap();
    darkroom.image(&["photo.png", "-o", "out.xyz"]).expect_error(1, &["xyz"]);
    darkroom.image(&["photo.png", "--device", "cuda:77"]).expect_error(1, &["no GPU"]);
    darkroom.expect_nothing_written(before);
}

#[test]
fn bad_style_files_end_in_one_line() {
    let darkroom = Darkroom::new();
    let whole = std::fs::read(darkroom.path("blue.safetensors")).unwrap();
    std::fs::write(darkroom.path("cut.safetensors"), &whole[..whole.len() / 2]).unwrap();
    std::fs::write(darkroom.path("empty.safetensors"), "").unwrap();
    let before = darkroom.file_count();
    for name in ["cut.safetensors", "empty.safetensors"] {
        darkroom.image(&["photo.png", "--style", name]).expect_error(1, &["cut short", name]);
    }
    darkroom.image(&["photo.png", "--style", "./none.safetensors"]).expect_error(1, &["no style file"]);
    darkroom.image(&["photo.png", "--style", "photo.png/"]).expect_error(1, &["photo.png"]);
    darkroom.expect_nothing_written(before);
}

#[test]
fn an_output_that_cannot_be_written_ends_in_one_line() {
    let darkroom = Darkroom::new();
    std::fs::write(darkroom.path("file"), "").unwrap();
    let before = darkroom.file_count();
    darkroom.image(&["photo.png", "-o", "file/out.png"]).expect_error(1, &["file"]);
    // A folder that is named like a picture.
    std::fs::create_dir(darkroom.path("folder.png")).unwrap();
    darkroom.image(&["photo.png", "-o", "folder.png"]).expect_success();
    assert!(darkroom.path("folder.png/photo.blue.png").is_file());
    darkroom.expect_nothing_written(before + 1);
}
