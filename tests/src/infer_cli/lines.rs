//! `--json` and `--dry-run`: what is said of each picture.

use serde_json::Value;

use super::Darkroom;
use crate::support::programs::Finished;

fn lines(finished: &Finished) -> Vec<Value> {
    finished.stdout().lines().map(|line| serde_json::from_str(line).expect("one object a line")).collect()
}

#[test]
fn a_json_object_for_each_picture_in_the_order_of_the_inputs() {
    let darkroom = Darkroom::new();
    darkroom.add_style("red", 2);
    let names: Vec<String> = (0..6).map(|seed| format!("p{seed}.png")).collect();
    for (seed, name) in names.iter().enumerate() {
        darkroom.add_photo(name, seed as u64);
    }
    std::fs::write(darkroom.path("p2.png"), "no picture").unwrap();
    let styles = ["--style", "blue.safetensors", "--style", "red.safetensors"];
    let finished = darkroom.image(&[&["p?.png", "--json", "-o", "out/"], &styles[..]].concat());
    assert_eq!(finished.status(), Some(3));
    let lines = lines(&finished);
    assert_eq!(lines.len(), 12);
    for (place, line) in lines.iter().enumerate() {
        let (photo, style) = (place / 2, ["blue", "red"][place % 2]);
        assert_eq!(line["input"], names[photo]);
        assert_eq!(line["output"], format!("out/p{photo}.{style}.png"));
        assert_eq!(line["style"], style);
        if photo == 2 {
            assert!(line["error"].as_str().unwrap().starts_with("p2.png: not a picture"), "{line}");
            assert!(line.get("width").is_none() && line.get("seconds").is_none(), "{line}");
        } else {
            assert_eq!((&line["width"], &line["height"]), (&Value::from(20 + photo), &Value::from(24)));
            for work in ["decode", "paint", "encode"] {
                assert!(line["seconds"][work].as_f64().unwrap() > 0.0, "{line}");
            }
            assert!(line.get("error").is_none(), "{line}");
        }
    }
    assert_eq!(finished.stderr().lines().count(), 1, "{}", finished.stderr());
}

#[test]
fn a_dry_run_says_and_does_nothing() {
    let darkroom = Darkroom::new();
    darkroom.add_photo("trip/a.jpg", 5);
    std::fs::write(darkroom.path("trip/broken.jpg"), "no picture").unwrap();
    let dry = ["photo.png", "trip", "-o", "out/", "--dry-run"];
    let finished = darkroom.image(&dry);
    assert_eq!(
        finished.stdout(),
        "photo.png -> out/photo.blue.png  45x30\ntrip/a.jpg -> out/a.blue.jpg  25x24\n"
    );
    assert!(finished.stderr().starts_with("error: trip/broken.jpg: not a picture"), "{}", finished.stderr());
    assert_eq!(finished.status(), Some(3));

    let lines = lines(&darkroom.image(&[&dry[..], &["--json"]].concat()));
    assert_eq!(lines.len(), 3);
    assert_eq!(lines[0]["output"], "out/photo.blue.png");
    assert_eq!((&lines[0]["width"], &lines[0]["height"]), (&Value::from(45), &Value::from(30)));
    assert!(lines[0].get("seconds").is_none() && lines[2].get("error").is_some());
    assert!(!darkroom.path("out").exists());

    // What would be in the way is said by a dry run too.
    std::fs::write(darkroom.path("photo.blue.png"), "").unwrap();
    darkroom.image(&["photo.png", "--dry-run"]).expect_error(1, &["there already"]);
}
