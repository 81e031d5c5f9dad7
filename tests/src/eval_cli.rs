//! `trainer eval` from outside.

use std::path::PathBuf;

use common::net::{NetConfig, Parameters, Start, StyleNet};
use common::style_file::{self, Painting, StyleCard};
use common::tensor_file::StoredAs;
use tch::Device;
use tempfile::TempDir;

use crate::support::programs::{Finished, trainer};
use crate::support::{scenes, tiny_vgg};

/// A folder with photos, a painting, a loss network and two untrained styles.
struct Gallery {
    folder: TempDir,
}

impl Gallery {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        scenes::photo_folder(&folder.path().join("photos"), 4);
        scenes::save(&scenes::rectangles(40, 32, 99), &folder.path().join("painting.png"));
        tiny_vgg::write(&folder.path().join("vgg.safetensors"));
        for (name, seed) in [("first", 1), ("second", 2)] {
            let config = NetConfig { width: 4, residual_blocks: 1, ..NetConfig::default() };
            let net =
                StyleNet::new(config.clone(), Parameters::init(&config, Start::PyTorch, seed, Device::Cpu));
            let painting = Painting { name: name.to_owned(), ..Painting::default() };
            let path = folder.path().join(format!("{name}.safetensors"));
            style_file::save(&path, &StyleCard::new(config, painting), &net, StoredAs::F32).unwrap();
        }
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn eval(&self, more: &[&str]) -> Finished {
        let mut args = vec!["eval", "--data", "photos", "--loss-net", "vgg.safetensors", "--device", "cpu"];
        args.extend(["--style-layers", tiny_vgg::STYLE_LAYERS, "--content-layers", tiny_vgg::CONTENT_LAYER]);
        args.extend(["--style", "first.safetensors", "--size", "24"]);
        args.extend(more);
        trainer(self.folder.path(), &args)
    }
}

#[test]
fn styles_are_judged_side_by_side_with_the_photos() {
    let gallery = Gallery::new();
    let more = ["--style", "second.safetensors", "--painting", "painting.png", "--json"];
    let finished = gallery.eval(&more);
    let found: serde_json::Value = serde_json::from_str(&finished.expect_success().stdout()).unwrap();
    assert_eq!((&found["photos"], &found["size_px"]), (&4.into(), &24.into()));
    let rows = found["rows"].as_array().unwrap();
    let names: Vec<&str> = rows.iter().map(|row| row["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["photos", "first.safetensors", "second.safetensors"]);
    let number = |row: usize, key: &str| rows[row][key].as_f64().unwrap();

    // The photos are the floor of the content loss and the ceiling of likeness.
    assert_eq!(number(0, "content"), 0.0);
    assert!((number(0, "ssim") - 1.0).abs() < 1e-9);
    for row in [1, 2] {
        assert!(number(row, "content") > 0.0 && number(row, "ssim") < 0.99, "{found}");
        let layers: f64 = ["relu1_1", "relu2_1"]
            .map(|layer| rows[row]["style_layers"][layer].as_f64().unwrap())
            .iter()
            .sum();
        assert!((layers - number(row, "style")).abs() < 1e-6 * layers);
        let total = 7.5 * number(row, "content")
            + 100.0 * number(row, "style")
            + 200.0 * number(row, "total_variation");
        assert!((total - number(row, "total")).abs() < 1e-5 * total);
    }
    assert_ne!(number(1, "content"), number(2, "content"));
}

#[test]
fn without_a_painting_there_is_no_style_loss_and_the_table_says_so() {
    let gallery = Gallery::new();
    let stdout = gallery.eval(&[]).expect_success().stdout();
    let cells = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let lines: Vec<Vec<String>> = stdout.lines().map(cells).collect();
    assert_eq!(lines[1][..4], ["photos", "-", "-", "0"]);
    assert_eq!(lines[2][..3], ["first.safetensors", "-", "-"]);
    assert!(stdout.contains("content relu1_2") && !stdout.contains("style relu1_1"), "{stdout}");
}

#[test]
fn pictures_are_written_once_for_each_photo() {
    let gallery = Gallery::new();
    std::fs::write(gallery.path("photos/broken.jpg"), "no picture").unwrap();
    let more = ["--pictures", "painted", "--limit", "3"];
    gallery.eval(&more);
    let mut names: Vec<String> = std::fs::read_dir(gallery.path("painted/first"))
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    // By name: 0.jpg, 2.jpg, then the broken one.
    assert_eq!(names, ["0001-0.png", "0002-2.png"]);
    let picture =
        pixel::decode_file(gallery.path("painted/first/0001-0.png"), &pixel::DecodeLimits::default());
    let picture = picture.unwrap();
    assert_eq!((picture.width(), picture.height()), (24, 24));
    gallery.eval(&more).expect_error(1, &["there already", "painted/first"]);
}

#[test]
fn a_photo_that_cannot_be_used_is_named_and_shows_in_the_status() {
    let gallery = Gallery::new();
    std::fs::write(gallery.path("photos/broken.jpg"), "no picture").unwrap();
    let finished = gallery.eval(&[]);
    assert_eq!(finished.status(), Some(3));
    assert!(finished.stderr().contains("broken.jpg"), "{}", finished.stderr());
    assert!(finished.stdout().contains("first.safetensors"));
}

#[test]
fn what_cannot_be_judged_is_refused() {
    let gallery = Gallery::new();
    gallery.eval(&["--style", "none"]).expect_error(1, &["no style named `none`"]);
    gallery.eval(&["--painting", "none.png"]).expect_error(1, &["painting", "none.png"]);
    scenes::save(&scenes::rectangles(1, 1, 1), &gallery.path("dot.png"));
    gallery.eval(&["--painting", "dot.png"]).expect_error(1, &["1x1", "at least 2"]);
    std::fs::create_dir(gallery.path("other")).unwrap();
    std::fs::copy(gallery.path("first.safetensors"), gallery.path("other/first.safetensors")).unwrap();
    let twice = ["--style", "other/first.safetensors", "--pictures", "painted"];
    gallery.eval(&twice).expect_error(1, &["two styles", "painted/first"]);
    assert!(!gallery.path("painted").exists());
}
