//! Films through stdin and stdout.

use std::fs::File;
use std::process::Stdio;

use super::{CuttingRoom, SMALL, frames};
use crate::support::programs::Finished;

impl CuttingRoom {
    /// `infer video` with a file on stdin.
    fn video_from(&self, stdin: &str, args: &[&str]) -> Finished {
        let mut command = self.command(args);
        Finished(command.stdin(File::open(self.path(stdin)).unwrap()).output().unwrap())
    }
}

#[test]
fn y4m_goes_through_pipes() {
    let Some(room) = CuttingRoom::new() else { return };
    clips::draw(
        "-f lavfi -i testsrc=size=64x48:rate=30000/1001 -frames:v 6 -pix_fmt yuv420p",
        &room.path("a.y4m"),
    );
    let finished = room.video_from("a.y4m", &["-"]);
    std::fs::write(room.path("b.y4m"), &finished.expect_success().0.stdout).unwrap();
    assert!(finished.0.stdout.starts_with(b"YUV4MPEG2 W64 H48 F30000:1001 "), "{}", finished.stdout());
    assert_eq!(frames(&room.path("b.y4m")), 6);
    assert_eq!(room.video_from("a.y4m", &["-", "-o", "b.mp4"]).expect_success().stdout(), "b.mp4\n");
    assert_eq!(frames(&room.path("b.mp4")), 6);
    room.video_from("blue.safetensors", &["-"]).expect_error(1, &["stdin holds no Y4M", "--raw"]);
    room.video_from("a.y4m", &["-", "--json"]).expect_error(2, &["--json would spoil it"]);
}

#[test]
fn raw_pictures_are_described_by_hand() {
    let Some(room) = CuttingRoom::new() else { return };
    let (width, height) = SMALL;
    clips::draw(
        &format!("-f lavfi -i testsrc=size={width}x{height} -frames:v 5 -f rawvideo -pix_fmt rgb24"),
        &room.path("a.raw"),
    );
    let args =
        ["-", "--raw", "64x48@10:rgb24", "-o", "b.mkv", "--codec", "ffv1", "--strength", "0", "--no-steady"];
    room.video_from("a.raw", &args).expect_success();
    assert_eq!(clips::seconds(&room.path("b.mkv")).len(), 5);
    assert!(
        clips::pixels(&room.path("b.mkv")) == std::fs::read(room.path("a.raw")).unwrap(),
        "nothing is lost"
    );
    room.video(&["blue.safetensors", "--raw", "64x48@10"]).expect_error(2, &["give `-`"]);
}

#[test]
fn a_reader_that_leaves_does_no_harm() {
    let Some(room) = CuttingRoom::new() else { return };
    clips::silent(&room.path("a.mkv"), SMALL, 60);
    let mut command = room.command(&["a.mkv", "-o", "-"]);
    let mut running = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(running.stdout.take());
    let finished = Finished(running.wait_with_output().unwrap());
    assert_eq!(finished.expect_success().stderr(), "");
    assert!(room.running().is_empty());
}
