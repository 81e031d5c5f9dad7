//! Picture files as frames, and animated pictures.

use std::fs;
use std::io::BufReader;

use image::AnimationDecoder as _;
use image::codecs::webp::WebPDecoder;

use super::{CuttingRoom, SMALL, frames};
use crate::support::programs::infer;

#[test]
fn frames_go_from_folder_to_folder_and_keep_their_names() {
    let Some(room) = CuttingRoom::new() else { return };
    room.draw_exact("a.mkv", 4);
    room.take_apart("a.mkv", "frames");
    let names = room.names("frames");
    assert_eq!(names, ["00001.png", "00002.png", "00003.png", "00004.png"]);
    let finished = room.video(&["frames", "--no-steady"]);
    assert_eq!(finished.expect_success().stdout().trim_end().rsplit('/').next(), Some("frames.blue"));
    assert_eq!(room.names("frames.blue"), names);

    room.video(&["frames/%05d.png", "-o", "out/f_%03d.png", "--no-steady"]).expect_success();
    assert_eq!(room.names("out"), ["f_001.png", "f_002.png", "f_003.png", "f_004.png"]);
    room.video(&["frames/0000[13].png", "-o", "two/", "--no-steady"]).expect_success();
    assert_eq!(room.names("two"), ["00001.png", "00003.png"]);

    // One by one they are what `infer image` paints, and so are those that come straight from the film.
    let image = ["image", "frames", "-o", "single/", "-s", "blue.safetensors", "--threads", "1"];
    infer(room.folder.path(), &image).expect_success();
    room.video(&["a.mkv", "-o", "here_%d.png", "--no-steady"]).expect_success();
    for (index, name) in names.iter().enumerate() {
        let stem = name.strip_suffix(".png").unwrap();
        let single = room.picture(&format!("single/{stem}.blue.png"));
        let number = index + 1;
        for painted in
            [format!("frames.blue/{name}"), format!("out/f_{number:03}.png"), format!("here_{number}.png")]
        {
            assert!(room.picture(&painted) == single, "{painted}");
        }
    }
    assert!(room.picture("two/00003.png") == room.picture("frames.blue/00003.png"));
}

#[test]
fn frames_that_are_half_done_are_gone_on_with() {
    let Some(room) = CuttingRoom::new() else { return };
    room.draw_exact("a.mkv", 4);
    let args = ["a.mkv", "-o", "%02d.png", "--no-steady"];
    assert_eq!(room.video(&args).expect_success().stdout(), ".\n");
    let whole: Vec<Vec<u8>> =
        (1..=4).map(|number| fs::read(room.path(&format!("{number:02}.png"))).unwrap()).collect();
    room.video(&args).expect_error(1, &["frames already", "--resume", "01.png"]);
    for number in [3, 4] {
        fs::remove_file(room.path(&format!("{number:02}.png"))).unwrap();
    }
    let finished = room.video(&[&args[..], &["--resume", "--json"]].concat());
    let told: serde_json::Value = serde_json::from_str(&finished.expect_success().stdout()).unwrap();
    assert_eq!(told["frames_done_before"], 2);
    assert_eq!(told["frames"], 2);
    for (number, expected) in (1..=4).zip(whole) {
        assert!(fs::read(room.path(&format!("{number:02}.png"))).unwrap() == expected, "{number}");
    }
}

#[test]
fn two_frames_never_become_one_file() {
    let Some(room) = CuttingRoom::new() else { return };
    room.draw_exact("a.mkv", 2);
    room.take_apart("a.mkv", "one");
    room.take_apart("a.mkv", "two");
    room.video(&["[ot]*/*.png", "-o", "out/"]).expect_error(1, &["one file", "%05d.png", "out/00001.png"]);
    room.video(&["[ot]*/*.png", "-o", "out/%05d.png"]).expect_success();
    assert_eq!(room.names("out").len(), 4);
}

#[test]
fn frames_become_a_film() {
    let Some(room) = CuttingRoom::new() else { return };
    room.draw_exact("a.mkv", 6);
    room.take_apart("a.mkv", "frames");
    room.video(&["frames", "-o", "b.mp4", "--fps", "10"]).expect_success();
    let seconds = clips::seconds(&room.path("b.mp4"));
    assert_eq!(seconds.len(), 6);
    assert!((seconds[5] - 0.5).abs() < 1e-3, "{seconds:?}");
    room.video(&["frames", "-o", "c.mp4", "--start", "0.08", "--duration", "0.12"]).expect_success();
    assert_eq!(frames(&room.path("c.mp4")), 3);
}

#[test]
fn animated_pictures_in_and_out() {
    let Some(room) = CuttingRoom::new() else { return };
    let (width, height) = SMALL;
    clips::draw(
        &format!("-f lavfi -i testsrc=size={width}x{height}:rate=10 -frames:v 5"),
        &room.path("a.gif"),
    );
    assert_eq!(room.video(&["a.gif"]).expect_success().stdout(), "a.blue.gif\n");
    let seconds = clips::seconds(&room.path("a.blue.gif"));
    assert_eq!(seconds.len(), 5);
    assert!((seconds[4] - seconds[0] - 0.4).abs() < 0.011, "{seconds:?}");
    room.video(&["a.gif", "-o", "b.mp4"]).expect_success();
    assert_eq!(frames(&room.path("b.mp4")), 5);
    let finished = room.video(&["a.gif", "-o", "b.webp", "--no-steady"]);
    finished.expect_success();
    let file = BufReader::new(fs::File::open(room.path("b.webp")).unwrap());
    let decoder = WebPDecoder::new(file).unwrap();
    assert!(decoder.has_animation());
    assert_eq!(decoder.into_frames().count(), 5);
    room.video(&["a.gif", "-o", "b.webp", "--resume"]).expect_error(2, &["WebP", "in one go"]);
}
