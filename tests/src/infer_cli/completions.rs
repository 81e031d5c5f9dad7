//! `infer completions`: what the tab key offers.

use super::Darkroom;
use crate::support::programs::{Finished, infer, infer_command};

impl Darkroom {
    /// What a shell is offered for the last of these words, one a line.
    fn offered(&self, words: &[&str]) -> String {
        let mut command = infer_command(self.folder.path());
        command.env("INFER_COMPLETE", "bash").env("_CLAP_COMPLETE_INDEX", words.len().to_string());
        command.env("_CLAP_COMPLETE_COMP_TYPE", "9").env("_CLAP_IFS", "\n");
        command.env("ATELIER_STYLES", self.folder.path()).args(["--", "infer"]).args(words);
        Finished(command.output().unwrap()).expect_success().stdout()
    }
}

#[test]
fn shells_are_told_how_to_ask() {
    let darkroom = Darkroom::new();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = infer(darkroom.folder.path(), &["completions", shell]).expect_success().stdout();
        assert!(script.contains("INFER_COMPLETE") && script.contains("infer"), "{shell}: {script}");
    }
    let finished = infer(darkroom.folder.path(), &["completions", "cmd"]);
    assert_eq!(finished.status(), Some(2));
    assert!(finished.stderr().contains("bash"), "{}", finished.stderr());
}

#[test]
fn the_styles_that_are_installed_are_offered() {
    let darkroom = Darkroom::new();
    assert_eq!(darkroom.offered(&["image", "photo.png", "--style", "great"]), "great-wave");
    let all = darkroom.offered(&["image", "photo.png", "-s", ""]);
    let lines: Vec<&str> = all.lines().collect();
    assert!(lines.contains(&"blue") && lines.contains(&"blue.safetensors"), "{all}");
    assert!(!lines.contains(&"photo.png"), "{all}");
    assert_eq!(darkroom.offered(&["styles", "bl"]).lines().next(), Some("blue"));
    assert_eq!(darkroom.offered(&["insp"]), "inspect");
}
