//! Films that are broken, or none.

use std::fs;

use super::{CuttingRoom, SMALL, frames, lasts};

#[test]
fn what_can_be_read_of_a_cut_film_is_painted() {
    let Some(room) = CuttingRoom::new() else { return };
    let whole = room.path("whole.mp4");
    clips::draw(
        "-f lavfi -i testsrc2=size=64x48:rate=25 -f lavfi -i sine=frequency=440 -t 4 -g 25 -c:v libx264 -c:a aac \
         -movflags +faststart",
        &whole,
    );
    let bytes = fs::read(&whole).unwrap();
    fs::write(room.path("cut.mp4"), &bytes[..bytes.len() * 6 / 10]).unwrap();
    let finished = room.video(&["cut.mp4", "-o", "b.mp4"]);
    assert_eq!(finished.status(), Some(3), "{}", finished.stderr());
    let painted = frames(&room.path("b.mp4"));
    assert!((25..75).contains(&painted), "{painted}");
    let stderr = finished.stderr();
    assert!(stderr.contains("is damaged") && stderr.contains(&format!("{painted} frames")), "{stderr}");
    assert!(lasts(&room.path("b.mp4"), "a") <= lasts(&room.path("b.mp4"), "v") + 0.5);
    assert!(!room.exists("b.mp4.parts"));
}

#[test]
fn what_is_no_film_ends_in_one_line() {
    let Some(room) = CuttingRoom::new() else { return };
    clips::with_sound(&room.path("a.mp4"), SMALL, 25);
    // The table of contents is at the end of the file.
    let bytes = fs::read(room.path("a.mp4")).unwrap();
    fs::write(room.path("cut.mp4"), &bytes[..bytes.len() / 2]).unwrap();
    fs::write(room.path("text.mp4"), "no film").unwrap();
    fs::write(room.path("empty.mp4"), "").unwrap();
    clips::draw("-f lavfi -i sine=duration=1", &room.path("sound.m4a"));
    clips::draw(
        "-f lavfi -i testsrc=size=64x48:rate=25:duration=1 -c:v mpeg4 -vf select=0",
        &room.path("nothing.avi"),
    );
    let before = room.names("");
    room.video(&["cut.mp4"]).expect_error(1, &["moov atom not found", "cut.mp4"]);
    room.video(&["text.mp4"]).expect_error(1, &["Invalid data", "text.mp4"]);
    room.video(&["empty.mp4"]).expect_error(1, &["empty.mp4"]);
    room.video(&["sound.m4a"]).expect_error(1, &["no video in it", "sound.m4a"]);
    room.video(&["nothing.avi"]).expect_error(1, &[]);
    room.video(&["missing.mp4"]).expect_error(1, &["no such film", "missing.mp4"]);
    assert_eq!(room.names(""), before, "nothing was left behind");
}
