//! What is refused before anything is begun.

use std::fs;

use super::{CuttingRoom, SMALL, frames};

#[test]
fn outputs_are_not_replaced_unasked() {
    let Some(room) = CuttingRoom::new() else { return };
    clips::silent(&room.path("a.mkv"), SMALL, 2);
    let original = fs::read(room.path("a.mkv")).unwrap();
    fs::write(room.path("b.mkv"), "precious").unwrap();
    room.video(&["a.mkv", "-o", "b.mkv"]).expect_error(1, &["there already", "--overwrite", "b.mkv"]);
    assert_eq!(fs::read(room.path("b.mkv")).unwrap(), b"precious");
    let done = room.video(&["a.mkv", "-o", "b.mkv", "--resume"]);
    assert!(done.expect_success().stderr().contains("done already"));
    room.video(&["a.mkv", "-o", "b.mkv", "--overwrite"]).expect_success();
    assert_eq!(frames(&room.path("b.mkv")), 2);
    for output in ["a.mkv", "./a.mkv"] {
        let finished = room.video(&["a.mkv", "-o", output, "--overwrite"]);
        finished.expect_error(1, &["replace the film itself", "a.mkv"]);
    }
    assert_eq!(fs::read(room.path("a.mkv")).unwrap(), original);
}

#[test]
fn what_makes_no_sense_ends_in_one_line() {
    let Some(room) = CuttingRoom::new() else { return };
    clips::silent(&room.path("a.mkv"), SMALL, 2);
    fs::create_dir(room.path("empty")).unwrap();
    let before = room.names("");
    let blue = "blue.safetensors";
    for (args, words) in [
        (&["a.mkv", "-o", "b.xyz"][..], &["mp4, mov", "b.xyz"][..]),
        (&["a.mkv", "--duration", "0"], &["--duration 0"]),
        (&["a.mkv", "--fade", "-1"], &["--fade"]),
        (&["a.mkv", "-s", blue, "-s", blue], &["takes over"]),
        (&["a.mkv", "-s", "blue.safetensors@5"], &["the first at 0"]),
        (&["a.mkv", "-o", "-", "--resume"], &["stdout"]),
        (&["a.mkv", "-s", "blue.safetensors@0", "--mask", "m.png"], &["--mask"]),
    ] {
        room.video(args).expect_error(2, words);
    }
    // Those are clap's own, who says more than a line.
    for args in [
        &["a.mkv", "--fps", "0"][..],
        &["a.mkv", "--start", "soon"],
        &["a.mkv", "--crf", "99"],
        &["a.mkv", "--overwrite", "--resume"],
        &["a.mkv", "--raw", "64"],
        &[],
    ] {
        let finished = room.video(args);
        assert_eq!(finished.status(), Some(2), "{args:?}: {}", finished.stderr());
    }
    room.video(&["empty", "-o", "b.mp4"]).expect_error(1, &["no frames", "empty"]);
    room.video(&["*.jpg", "-o", "b.mp4"]).expect_error(1, &["no frames are called like this"]);
    room.video(&["a.mkv", "-o", "no/b.mp4"]).expect_error(1, &["no such folder", "no"]);
    room.video(&["a.mkv", "--codec", "h999"]).expect_error(1, &["no encoder h999", "--codec"]);
    room.video(&["a.mkv", "--preset", "hasty"]).expect_error(1, &["was encoding", "hasty"]);
    room.video(&["a.mkv", "--pix-fmt", "rainbow"]).expect_error(1, &["was encoding"]);
    assert_eq!(room.names(""), before, "nothing was left behind");
}
