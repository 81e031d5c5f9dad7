//! `trainer eval --video` from outside.

use std::path::PathBuf;

use common::net::{NetConfig, Parameters, Start, StyleNet};
use common::style_file::{self, Painting, StyleCard};
use common::tensor_file::StoredAs;
use motion::{Flow, write_flo};
use pixel::Picture;
use serde_json::Value;
use tch::Device;
use tempfile::TempDir;

use crate::support::programs::{Finished, trainer};
use crate::support::{scenes, tiny_vgg};

const WIDTH: u32 = 72;
const HEIGHT: u32 = 56;
const SQUARE_PX: u32 = 20;
const STEP_PX: u32 = 3;

/// A textured square that moves to the right over a gradient that stands still.
fn frame(number: u32) -> Picture {
    let left = 8 + STEP_PX * number;
    let colour = |x: u32, y: u32| {
        if is_square(x, y, left) {
            let texture = 60 * ((x - left) / 3 % 2) + 50 * (y / 4 % 2) + 3 * (x - left);
            [40 + texture as u8, 200 - texture as u8, 90]
        } else {
            [(2 * x) as u8, (3 * y) as u8, 120]
        }
    };
    let rgb = (0..WIDTH * HEIGHT).flat_map(|place| colour(place % WIDTH, place / WIDTH)).collect();
    Picture::from_rgb(WIDTH, HEIGHT, rgb).unwrap()
}

fn is_square(x: u32, y: u32, left: u32) -> bool {
    (left..left + SQUARE_PX).contains(&x) && (16..16 + SQUARE_PX).contains(&y)
}

/// The motion from a frame to the next; unknown where the square is about to cover the gradient.
fn flow(number: u32) -> Flow {
    let left = 8 + STEP_PX * number;
    Flow::from_fn(WIDTH, HEIGHT, |x, y| match (is_square(x, y, left), is_square(x, y, left + STEP_PX)) {
        (true, _) => Some([STEP_PX as f32, 0.0]),
        (false, true) => None,
        (false, false) => Some([0.0, 0.0]),
    })
}

/// A folder with a film, its flow, a loss network and an untrained style.
struct Cinema {
    folder: TempDir,
}

impl Cinema {
    fn new(frames: u32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        tiny_vgg::write(&folder.path().join("vgg.safetensors"));
        scenes::save(&scenes::rectangles(40, 32, 99), &folder.path().join("painting.png"));
        let config = NetConfig { width: 4, residual_blocks: 1, ..NetConfig::default() };
        let net = StyleNet::new(config.clone(), Parameters::init(&config, Start::PyTorch, 1, Device::Cpu));
        let card = StyleCard::new(config, Painting::default());
        style_file::save(&folder.path().join("style.safetensors"), &card, &net, StoredAs::F32).unwrap();
        let cinema = Self { folder };
        std::fs::create_dir(cinema.path("film")).unwrap();
        std::fs::create_dir(cinema.path("flow")).unwrap();
        for number in 0..frames {
            scenes::save(&frame(number), &cinema.path(&format!("film/{number:03}.png")));
        }
        for number in 1..frames {
            write_flo(&flow(number - 1), cinema.path(&format!("flow/{:03}.flo", number - 1))).unwrap();
        }
        cinema
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn eval(&self, more: &[&str]) -> Finished {
        let mut args = vec!["eval", "--loss-net", "vgg.safetensors", "--device", "cpu"];
        args.extend(["--style-layers", tiny_vgg::STYLE_LAYERS, "--content-layers", tiny_vgg::CONTENT_LAYER]);
        args.extend(["--style", "style.safetensors"]);
        args.extend(more);
        trainer(self.folder.path(), &args)
    }
}

fn rows(finished: &Finished, part: &str) -> Vec<Value> {
    let found: Value = serde_json::from_str(&finished.expect_success().stdout()).unwrap();
    found[part].as_array().unwrap().clone()
}

fn number(row: &Value, key: &str) -> f64 {
    row[key].as_f64().unwrap_or_else(|| panic!("no {key}: {row}"))
}

#[test]
fn by_true_flow_the_photos_do_not_flicker_and_steadying_calms() {
    let cinema = Cinema::new(6);
    let more = ["--video", "film", "--flow", "flow", "--steady", "--painting", "painting.png", "--json"];
    let found = rows(&cinema.eval(&more), "rows");
    let names: Vec<&str> = found.iter().map(|row| row["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["photos", "style.safetensors", "style.safetensors, steady"]);
    for row in &found {
        assert_eq!(
            (&row["film"], &row["flow"], &row["pairs"]),
            (&"film".into(), &"ground_truth".into(), &5.into())
        );
    }
    // What the square covers is unknown, and the photos move by whole pixels.
    assert_eq!(number(&found[0], "warping_error"), 0.0);
    let hidden = f64::from(STEP_PX * SQUARE_PX) / f64::from(WIDTH * HEIGHT);
    assert!((number(&found[0], "visible") - (1.0 - hidden)).abs() < 1e-9);
    let (plain, steady) = (&found[1], &found[2]);
    assert!(number(plain, "warping_error") > 0.0);
    assert!(number(steady, "warping_error") < number(plain, "warping_error"));
    assert_eq!(number(plain, "above_photos"), number(plain, "warping_error"));
    for key in ["content", "style", "stability_error"] {
        assert!(number(plain, key) > 0.0 && number(steady, key) > 0.0);
    }
    assert!(found[0]["content"].is_null() && found[0]["style"].is_null());
}

#[test]
fn without_flow_it_is_estimated_and_the_table_says_so() {
    let cinema = Cinema::new(3);
    let table = cinema.eval(&["--video", "film"]).expect_success().stdout();
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines.len(), 3, "{table}");
    assert!(
        lines[1].starts_with("film") && lines[1].contains("estimated") && !table.contains("ground truth")
    );

    let found = rows(&cinema.eval(&["--video", "film", "--json"]), "rows");
    assert!(number(&found[0], "visible") > 0.3, "{}", found[0]);
    // Smooth and moved by whole pixels, the photos hardly differ where motion is known.
    assert!(number(&found[0], "warping_error") < 2e-3, "{}", found[0]);
}

#[test]
fn films_in_folders_of_their_own_come_with_means_and_masks_count() {
    let cinema = Cinema::new(2);
    for (film, mask) in [("films/a", false), ("films/b", true)] {
        std::fs::create_dir_all(cinema.path(film)).unwrap();
        let copy =
            |from: &str, to: &str| std::fs::copy(cinema.path(from), cinema.path(film).join(to)).unwrap();
        copy("film/000.png", "frame0.png");
        copy("film/001.png", "frame1.png");
        copy("flow/000.flo", "flow_0_to_1.flo");
        if mask {
            let left = (0..WIDTH * HEIGHT)
                .flat_map(|place| [255 * u8::from(place % WIDTH < WIDTH / 2); 3])
                .collect();
            scenes::save(
                &Picture::from_rgb(WIDTH, HEIGHT, left).unwrap(),
                &cinema.path(film).join("occlusion.png"),
            );
        }
    }
    let finished = cinema.eval(&["--video", "films", "--flow", "films", "--json"]);
    let found = rows(&finished, "rows");
    assert_eq!(
        found.iter().map(|row| row["film"].as_str().unwrap()).collect::<Vec<_>>(),
        ["a", "a", "b", "b"]
    );
    let hidden = |row: &Value| 1.0 - number(row, "visible");
    assert!(hidden(&found[0]) < 0.1 && hidden(&found[2]) > 0.49);
    let means = rows(&finished, "means");
    let mean = f64::midpoint(number(&found[1], "warping_error"), number(&found[3], "warping_error"));
    assert!((number(&means[1], "warping_error") - mean).abs() < 1e-12);
}

#[test]
fn what_cannot_be_measured_is_refused() {
    let cinema = Cinema::new(3);
    let refused = |more: &[&str], words: &[&str]| {
        cinema.eval(more).expect_error(1, words);
    };
    refused(&["--video", "film", "--limit", "1"], &["at least two frames", "found 1"]);
    refused(&["--video", "none"], &["--video", "no such folder", "none"]);
    refused(&["--video", "film", "--flow", "film"], &["no .flo files", "film"]);
    refused(&["--video", "film", "--flow", "none"], &["--flow", "none"]);

    std::fs::remove_file(cinema.path("flow/000.flo")).unwrap();
    refused(&["--video", "film", "--flow", "flow"], &["3 frames make 2 pairs", "1 .flo file"]);
    write_flo(&Flow::still(8, 8), cinema.path("flow/000.flo")).unwrap();
    refused(&["--video", "film", "--flow", "flow"], &["72x56", "8x8", "000.flo"]);
    std::fs::write(cinema.path("flow/000.flo"), b"PIEH\x08\0\0\0\x08\0\0\0short").unwrap();
    refused(&["--video", "film", "--flow", "flow"], &["8x8 pixels", "it has 17", "000.flo"]);

    scenes::save(&scenes::rectangles(30, 20, 1), &cinema.path("film/001.png"));
    refused(&["--video", "film"], &["one size", "30x20", "72x56", "001.png"]);
    std::fs::write(cinema.path("film/001.png"), "no picture").unwrap();
    refused(&["--video", "film"], &["001.png"]);
}

#[test]
fn a_film_is_measured_or_photos_are() {
    let cinema = Cinema::new(2);
    for more in [&["--video", "film", "--data", "film"][..], &["--data", "film", "--steady"], &[]] {
        assert_eq!(cinema.eval(more).status(), Some(2), "{more:?}");
    }
}
