//! `infer bench`, and painting within `--memory`.

use std::fs;

use serde_json::Value;

use super::Darkroom;
use crate::support::programs::{Finished, infer};
use crate::support::scenes;

fn bench(darkroom: &Darkroom, args: &[&str]) -> Finished {
    infer(darkroom.folder.path(), &[&["bench", "--device", "cpu"], args].concat())
}

#[test]
fn a_json_line_for_each_size() {
    let darkroom = Darkroom::new();
    let finished = bench(&darkroom, &["--size", "64x48", "--rounds", "1", "--json"]);
    let stdout = finished.expect_success().stdout();
    let [line] = &stdout.lines().collect::<Vec<_>>()[..] else { panic!("one line expected: {stdout}") };
    let line: Value = serde_json::from_str(line).unwrap();
    assert_eq!(line["size"], "64x48");
    assert!(line["ms"].as_f64().unwrap() > 0.0 && line["megapixels_per_s"].as_f64().unwrap() > 0.0, "{line}");
    assert_eq!(finished.stderr(), "");

    let sizes = ["--size", "32x16", "--size", "16", "--rounds", "1", "--json", "--style", "blue.safetensors"];
    let finished = bench(&darkroom, &sizes);
    let lines: Vec<Value> =
        finished.expect_success().stdout().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.iter().map(|line| &line["size"]).collect::<Vec<_>>(), ["32x16", "16x16"]);
}

#[test]
fn sizes_that_are_none_are_refused() {
    let darkroom = Darkroom::new();
    for size in ["0x48", "64x", "wide", "-1x5", "64x48x3"] {
        let finished = bench(&darkroom, &["--rounds", "1", &format!("--size={size}")]);
        assert_eq!(finished.status(), Some(2), "{size}: {}", finished.stderr());
        let stderr = finished.stderr();
        assert!(
            stderr.starts_with("error: ") && stderr.contains(size) && stderr.contains("as 512x512"),
            "{stderr}"
        );
    }
    assert_eq!(bench(&darkroom, &["--rounds", "0"]).status(), Some(2));
    bench(&darkroom, &["--style", "none.safetensors"]).expect_error(1, &["none.safetensors"]);
}

#[test]
fn too_little_memory_ends_in_one_line_that_says_how_much_it_takes() {
    let darkroom = Darkroom::new();
    scenes::save(&scenes::rectangles(320, 200, 1), &darkroom.path("photo.png"));
    let before = darkroom.file_count();
    darkroom
        .image(&["photo.png", "--device", "cpu", "--memory", "1M"])
        .expect_error(1, &["photo.png: ", "320x200", "takes at least", "MiB", "--memory"]);
    bench(&darkroom, &["--size", "320x200", "--memory", "1M"]).expect_error(1, &["takes at least", "MiB"]);
    darkroom.expect_nothing_written(before);

    darkroom.image(&["photo.png", "--device", "cpu", "--memory", "2G"]).expect_success();
    let painted = fs::read(darkroom.path("photo.blue.png")).unwrap();
    darkroom.image(&["photo.png", "--device", "cpu", "--overwrite"]).expect_success();
    assert_eq!(fs::read(darkroom.path("photo.blue.png")).unwrap(), painted, "memory is no matter of looks");
    assert_eq!(darkroom.image(&["photo.png", "--memory", "much"]).status(), Some(2));
}
