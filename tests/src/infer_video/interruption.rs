//! Ctrl-C, kill -9, and an ffmpeg that dies: what was done is kept, plays, and is gone on with.

use std::fs;
use std::process::Child;

use super::{CuttingRoom, Running, awaited, frames, kill, lasts};
use crate::support::programs::Finished;

/// Frames of the film, of which a segment holds 240.
const FRAMES: usize = 1440;

const ARGS: [&str; 4] = ["a.mp4", "-o", "b.mp4", "--no-steady"];

impl CuttingRoom {
    /// A room with a film of six segments.
    fn with_long_film() -> Option<Self> {
        let room = Self::new()?;
        clips::with_sound(&room.path("a.mp4"), (32, 24), FRAMES as u32);
        Some(room)
    }

    /// Starts to paint the film, and waits until a segment is whole.
    fn start_and_await_segment(&self, more: &[&str]) -> Child {
        let mut running = self.start(&[&ARGS, more].concat());
        awaited("a segment", || {
            assert_eq!(running.try_wait().unwrap(), None, "it ended before its first segment was whole");
            self.noted().contains("00000.nut").then_some(())
        });
        running
    }

    /// What is noted of the parts that are whole; empty if there are none.
    fn noted(&self) -> String {
        fs::read_to_string(self.path("b.mp4.parts/job.json")).unwrap_or_default()
    }

    /// What there is of the film plays, and its sound ends with it. Returns its frames.
    #[track_caller]
    fn expect_a_part(&self) -> usize {
        let painted = frames(&self.path("b.mp4"));
        assert!((240..FRAMES).contains(&painted), "{painted}");
        assert!(!clips::pixels(&self.path("b.mp4")).is_empty());
        let (sound_s, film_s) = (lasts(&self.path("b.mp4"), "a"), painted as f64 / 25.0);
        assert!((sound_s - film_s).abs() < 0.1, "{painted} frames, and {sound_s} s of sound");
        assert!(self.exists("b.mp4.parts"));
        painted
    }

    /// Going on makes it the film that it would have been.
    #[track_caller]
    fn expect_resumed(&self) {
        let finished = self.video(&[&ARGS[..], &["--resume", "--json"]].concat());
        let told: serde_json::Value = serde_json::from_str(&finished.expect_success().stdout()).unwrap();
        let done = told["frames_done_before"].as_u64().unwrap();
        assert!(done >= 240 && done + told["frames"].as_u64().unwrap() == FRAMES as u64, "{told}");
        let (from, to) = (self.path("a.mp4"), self.path("b.mp4"));
        assert_eq!(clips::times(&to), clips::times(&from));
        assert_eq!(clips::stream_hash(&to, "a:0"), clips::stream_hash(&from, "a:0"));
        assert!(!self.exists("b.mp4.parts"), "the parts are gone");
    }
}

#[test]
fn ctrl_c_leaves_a_film_that_plays_and_can_be_gone_on_with() {
    let Some(room) = CuttingRoom::with_long_film() else { return };
    let running = room.start_and_await_segment(&[]);
    kill(running.id(), "-INT");
    let finished = Finished(running.wait_with_output().unwrap());
    assert_eq!(finished.status(), Some(130), "{}", finished.stderr());
    assert_eq!(room.running(), Vec::<Running>::new());
    let painted = room.expect_a_part();
    let stderr = finished.stderr();
    assert!(stderr.contains(&format!("{painted} frames")) && stderr.contains("--resume"), "{stderr}");
    room.video(&ARGS).expect_error(1, &["half-done", "--resume", "b.mp4.parts"]);
    let other = [&ARGS[..], &["--resume", "--strength", "0.5"]].concat();
    room.video(&other).expect_error(1, &["begun with", "--overwrite"]);
    room.expect_resumed();
}

#[test]
fn kill_9_leaves_what_can_be_gone_on_with() {
    let Some(room) = CuttingRoom::with_long_film() else { return };
    let mut running = room.start_and_await_segment(&[]);
    kill(running.id(), "-KILL");
    running.wait().unwrap();
    awaited("no ffmpeg outlives us", || room.running().is_empty().then_some(()));
    room.expect_resumed();
}

#[test]
fn an_ffmpeg_that_is_killed_ends_it_in_one_line_and_loses_nothing() {
    let Some(room) = CuttingRoom::with_long_film() else { return };
    for (victim, doing) in [("00001.nut", "was encoding"), ("rawvideo", "was decoding")] {
        if room.exists("b.mp4.parts") {
            fs::remove_dir_all(room.path("b.mp4.parts")).unwrap();
        }
        let running = room.start_and_await_segment(&["--quiet", "--overwrite"]);
        room.await_running(victim).kill("-KILL");
        let finished = Finished(running.wait_with_output().unwrap());
        finished.expect_error(1, &[doing, "signal 9"]);
        assert_eq!(room.running(), Vec::<Running>::new());
        room.expect_a_part();
    }
    room.expect_resumed();
}

#[test]
fn a_film_that_could_not_be_put_together_is_so_later() {
    let Some(room) = CuttingRoom::with_long_film() else { return };
    // Segments may be as large as they like, the film may not.
    room.write_script(
        "ffmpeg.sh",
        "case \"$*\" in *ffconcat*) ulimit -f 8; trap '' XFSZ;; esac\nexec ffmpeg \"$@\"",
    );
    let mut command = room.command(&ARGS);
    let finished = Finished(command.env("ATELIER_FFMPEG", room.path("ffmpeg.sh")).output().unwrap());
    finished.expect_error(1, &["was putting the film together", "File too large"]);
    assert!(!room.exists("b.mp4"));
    assert!(room.noted().contains("00002.nut"), "{}", room.noted());
    room.expect_resumed();
}

#[test]
fn what_comes_behind_a_part_that_failed_is_not_kept() {
    let Some(room) = CuttingRoom::with_long_film() else { return };
    // It fails at the part's end, when the next one is under way.
    room.write_script(
        "ffmpeg.sh",
        "case \"$*\" in *00001.nut*) ffmpeg \"$@\"; exit 1;; esac\nexec ffmpeg \"$@\"",
    );
    let mut command = room.command(&[&ARGS[..], &["--quiet"]].concat());
    let finished = Finished(command.env("ATELIER_FFMPEG", room.path("ffmpeg.sh")).output().unwrap());
    finished.expect_error(1, &["was encoding", "status 1"]);
    assert!(!room.noted().contains("00002.nut"), "{}", room.noted());
    assert_eq!(room.expect_a_part(), 240);
    room.expect_resumed();
}
