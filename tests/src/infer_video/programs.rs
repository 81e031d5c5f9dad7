//! An ffmpeg that is missing, too old, or cannot write.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::{CuttingRoom, SMALL};
use crate::support::programs::Finished;

impl CuttingRoom {
    pub(super) fn write_script(&self, name: &str, text: &str) {
        fs::write(self.path(name), format!("#!/bin/sh\n{text}\n")).unwrap();
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn video_by(&self, variable: &str, program: &Path) -> Finished {
        Finished(self.command(&["a.mp4"]).env(variable, program).output().unwrap())
    }
}

#[test]
fn programs_that_are_missing_or_old_are_told() {
    let Some(room) = CuttingRoom::new() else { return };
    clips::silent(&room.path("a.mp4"), SMALL, 2);
    room.write_script("old.sh", "echo 'ffmpeg version 4.2 Copyright (c) 2000-2019'");
    let before = room.names("");
    for (variable, name) in [("ATELIER_FFMPEG", "ffmpeg"), ("ATELIER_FFPROBE", "ffprobe")] {
        let missing = room.video_by(variable, Path::new("/nonexistent"));
        missing.expect_error(1, &[name, "was not found", "apt install ffmpeg", variable]);
        let old = room.video_by(variable, &room.path("old.sh"));
        old.expect_error(1, &[name, "version 4.2", "5.1 or newer", "old.sh"]);
    }
    assert_eq!(room.names(""), before);
}

#[test]
fn a_full_disk_is_told_in_ffmpegs_words() {
    let Some(room) = CuttingRoom::new() else { return };
    clips::draw("-f lavfi -i testsrc2=size=320x240:rate=25 -frames:v 60 -c:v libx264", &room.path("a.mp4"));
    // No file may grow beyond a few blocks: what a full disk looks like to a program.
    room.write_script("small.sh", "ulimit -f 8\ntrap '' XFSZ\nexec ffmpeg \"$@\"");
    let before = room.names("");
    let finished = room.video_by("ATELIER_FFMPEG", &room.path("small.sh"));
    finished.expect_error(1, &["was encoding", "File too large"]);
    assert!(room.running().is_empty());
    assert_eq!(room.names(""), before, "a part that is not whole is of no use");
}
