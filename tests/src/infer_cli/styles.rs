//! `infer styles`.

use std::path::Path;

use common::style_file::{self, Outcome};
use serde_json::Value;

use super::Darkroom;
use crate::support::programs::{Finished, infer_command};

impl Darkroom {
    /// `infer styles` with this folder's style files as the user's own.
    fn styles(&self, args: &[&str]) -> Finished {
        let mut command = infer_command(self.folder.path());
        command.arg("styles").args(args).env("ATELIER_STYLES", self.folder.path());
        Finished(command.output().unwrap())
    }
}

/// What came of the training of the style that ships.
fn outcome() -> Outcome {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../checkpoints/great-wave.safetensors");
    style_file::load_card(&file).unwrap().outcome.unwrap()
}

#[test]
fn installed_styles_say_what_they_are() {
    let darkroom = Darkroom::new();
    std::fs::write(darkroom.path("cut.safetensors"), "cut").unwrap();
    let finished = darkroom.styles(&[]);
    assert_eq!(finished.status(), Some(3));
    let text = finished.stdout();
    assert!(text.starts_with("blue\n    0.0 MB, "), "{text}");
    // Those that ship lie in the source tree that the program was built in.
    let Outcome { steps, validation, .. } = outcome();
    let content = validation.unwrap().content;
    let shipped = format!(
        "great-wave  The Great Wave off Kanagawa, Katsushika Hokusai, c. 1831 (public domain)\n    {steps} steps, \
         content {content:.3e}"
    );
    assert!(text.contains(&shipped), "{text}");
    let stderr = finished.stderr();
    assert!(stderr.starts_with("error: ") && stderr.contains("cut.safetensors"), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");

    let finished = darkroom.styles(&["--json"]);
    let lines: Vec<Value> =
        finished.stdout().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let line = |name: &str| lines.iter().find(|line| line["name"] == name).unwrap();
    assert!(line("cut")["error"].as_str().unwrap().contains("safetensors"));
    let wave = line("great-wave");
    assert_eq!((&wave["artist"], &wave["steps"]), (&Value::from("Katsushika Hokusai"), &Value::from(steps)));
    assert!(wave["losses"]["style"].as_f64().unwrap() > 0.0 && wave["bytes"].as_u64().unwrap() > 3_000_000);
}

#[test]
fn one_style_shows_its_whole_card() {
    let darkroom = Darkroom::new();
    let text = darkroom.styles(&["great_wave"]).expect_success().stdout();
    for words in [
        "great-wave\n",
        "  year      c. 1831\n",
        "  licence   public domain\n",
        &format!("{} steps, {} photos", outcome().steps, outcome().images),
        "\"optimizer\": \"muon\"",
    ] {
        assert!(text.contains(words), "`{words}` is not in:\n{text}");
    }
    let json: Value =
        serde_json::from_str(&darkroom.styles(&["./blue.safetensors", "--json"]).stdout()).unwrap();
    assert_eq!(json["card"]["net"]["width"], 4);
    darkroom.styles(&["no-such"]).expect_error(1, &["no style named `no-such`", "great-wave"]);
    darkroom.styles(&["./photo.png"]).expect_error(1, &["photo.png"]);
}
