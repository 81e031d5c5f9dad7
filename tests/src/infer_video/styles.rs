//! What paints, where and when.

use pixel::Picture;

use super::{CuttingRoom, SMALL, difference};
use crate::support::scenes;

#[test]
fn styles_fade_into_each_other() {
    let Some(room) = CuttingRoom::new() else { return };
    room.add_style("red", 2);
    room.draw_exact("a.mkv", 20);
    let paint = |folder: &str, styles: &[&str]| {
        room.video(&[&["a.mkv", "-o", folder, "--no-steady"], styles].concat()).expect_success();
        (1..=20).map(|number| room.picture(&format!("{folder}{number:05}.png"))).collect::<Vec<Picture>>()
    };
    let blue = paint("blue/", &["-s", "blue.safetensors"]);
    let red = paint("red/", &["-s", "red.safetensors"]);
    let both = ["-s", "blue.safetensors@0", "-s", "red.safetensors@0.4", "--fade", "0.2"];
    let both = paint("both/", &both);
    // 25 frames a second: the fade goes from frame 10 to frame 15.
    for frame in 0..20 {
        let (from_blue, from_red) =
            (difference(&both[frame], &blue[frame]), difference(&both[frame], &red[frame]));
        match frame {
            0..=10 => assert_eq!(from_blue, 0.0, "frame {frame}"),
            15.. => assert_eq!(from_red, 0.0, "frame {frame}"),
            _ => assert!(from_blue > 0.0 && from_red > 0.0, "frame {frame}"),
        }
    }
    assert!(difference(&both[11], &blue[11]) < difference(&both[14], &blue[14]));
}

#[test]
fn masks_and_strength_are_those_of_pictures() {
    let Some(room) = CuttingRoom::new() else { return };
    let (width, height) = SMALL;
    room.draw_exact("a.mkv", 3);
    room.take_apart("a.mkv", "photos");
    let row = (0..width).flat_map(|x| [if x < width / 2 { 255 } else { 0 }; 3]).collect::<Vec<u8>>();
    let mask = Picture::from_rgb(width, height, row.repeat(height as usize)).unwrap();
    scenes::save(&mask, &room.path("left.png"));
    room.video(&["a.mkv", "-o", "whole/", "--no-steady"]).expect_success();
    room.video(&["a.mkv", "-o", "half/", "--no-steady", "--mask", "left.png"]).expect_success();
    room.video(&["a.mkv", "-o", "none/", "--no-steady", "--strength", "0"]).expect_success();
    room.video(&["a.mkv", "-o", "steady/", "--strength", "0"]).expect_success();
    for name in room.names("photos") {
        let [photo, whole, half, none, steady] = ["photos", "whole", "half", "none", "steady"]
            .map(|folder| room.picture(&format!("{folder}/{name}")));
        let part = |picture: &Picture, left: u32| picture.crop(left, 0, width / 2, height).unwrap();
        assert!(part(&half, 0) == part(&whole, 0), "{name}: painted where the mask is white");
        assert!(part(&half, width / 2) == part(&photo, width / 2), "{name}: untouched where it is black");
        assert!(none == photo, "{name}");
        assert!(difference(&steady, &photo) < 2.0, "{name}: {}", difference(&steady, &photo));
    }
}
