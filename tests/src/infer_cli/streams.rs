//! stdin, stdout, and the desktop's viewer.

use std::fs::File;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;

use pixel::{DecodeLimits, FileKind};

use super::Darkroom;
use crate::support::programs::{Finished, infer_command};

impl Darkroom {
    /// `infer image` with the file `stdin` on stdin.
    fn image_from(&self, stdin: &str, args: &[&str]) -> Finished {
        let mut command = infer_command(self.folder.path());
        command.args(["image", "--style", "blue.safetensors"]).args(args);
        command.stdin(Stdio::from(File::open(self.path(stdin)).unwrap()));
        Finished(command.output().unwrap())
    }
}

#[test]
fn a_picture_through_pipes() {
    let darkroom = Darkroom::new();
    darkroom.image(&["photo.png"]).expect_success();
    let expected = std::fs::read(darkroom.path("photo.blue.png")).unwrap();
    for (stdin, args) in [
        ("photo.png", &["-"][..]),
        ("photo.png", &["-", "-o", "-"]),
        ("blue.safetensors", &["photo.png", "-o", "-"]),
    ] {
        let finished = darkroom.image_from(stdin, args);
        finished.expect_success();
        assert!(
            finished.0.stdout == expected,
            "{args:?}: nothing but the picture, in the photo's own format"
        );
        assert_eq!(finished.stderr(), "");
    }
    let finished = darkroom.image_from("photo.png", &["-", "--format", "jpg"]);
    assert_eq!(FileKind::from_content(&finished.expect_success().0.stdout), Some(FileKind::Jpeg));
    assert!(pixel::decode_bytes(&finished.0.stdout, &DecodeLimits::default()).is_ok());

    let finished = darkroom.image_from("photo.png", &["-", "-o", "from-stdin.png"]);
    assert_eq!(finished.expect_success().stdout(), "from-stdin.png\n");
    assert_eq!(std::fs::read(darkroom.path("from-stdin.png")).unwrap(), expected);
}

#[test]
fn streams_that_make_no_sense_are_refused() {
    let darkroom = Darkroom::new();
    darkroom.image_from("photo.png", &["-", "photo.png"]).expect_error(2, &["comes alone"]);
    darkroom.image_from("photo.png", &["-", "--json"]).expect_error(2, &["--json would spoil it"]);
    darkroom.image_from("photo.png", &["-", "--open"]).expect_error(2, &["--open shows files"]);
    darkroom.add_photo("b.png", 2);
    darkroom.image(&["photo.png", "b.png", "-o", "-"]).expect_error(2, &["stdout takes one picture"]);
    darkroom.image_from("blue.safetensors", &["-"]).expect_error(1, &["-: not a picture"]);
}

#[test]
fn a_reader_that_leaves_does_no_harm() {
    let darkroom = Darkroom::new();
    darkroom.add_photo("b.png", 2);
    let mut command = infer_command(darkroom.folder.path());
    command.args(["image", "photo.png", "b.png", "--style", "blue.safetensors"]);
    let mut running = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(running.stdout.take());
    let finished = Finished(running.wait_with_output().unwrap());
    assert_eq!(finished.expect_success().stderr(), "");
    assert!(darkroom.path("photo.blue.png").is_file() && darkroom.path("b.blue.png").is_file());
}

#[test]
fn the_result_is_shown_where_there_is_a_desktop() {
    let darkroom = Darkroom::new();
    let desktop = darkroom.path("desktop");
    std::fs::create_dir(&desktop).unwrap();
    let viewer = desktop.join("xdg-open");
    std::fs::write(&viewer, "#!/bin/sh\necho \"$1\" >> shown.txt\n").unwrap();
    std::fs::set_permissions(&viewer, std::fs::Permissions::from_mode(0o755)).unwrap();
    let open = |inputs: &[&str], path: &str| {
        let mut command = infer_command(darkroom.folder.path());
        command.args(["image", "--open", "--overwrite", "--style", "blue.safetensors"]).args(inputs);
        Finished(command.env("PATH", darkroom.path(path)).output().unwrap())
    };
    assert_eq!(open(&["photo.png"], "desktop").expect_success().stderr(), "");
    darkroom.add_photo("album/b.png", 2);
    darkroom.add_photo("album/c.png", 3);
    open(&["album/b.png", "album/c.png"], "desktop").expect_success();
    assert_eq!(std::fs::read_to_string(darkroom.path("shown.txt")).unwrap(), "photo.blue.png\nalbum\n");

    let finished = open(&["photo.png"], "none");
    let stderr = finished.expect_success().stderr();
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert!(stderr.contains("no viewer") && stderr.contains("photo.blue.png"), "{stderr}");
}
