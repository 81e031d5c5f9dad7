use super::*;

/// A scene of soft blobs in colours of its own, looked at from `x`.
fn scene(seed: u32, x: u32, light: f32) -> Picture {
    let (width, height) = (160, 90);
    let number = |n: u32| {
        let mixed = (seed * 7919 + n).wrapping_mul(2_654_435_761);
        f64::from((mixed ^ (mixed >> 15)) % 1000) / 1000.0
    };
    let mut rgb = Vec::new();
    for row in 0..height {
        for column in 0..width {
            let mut colour = [0, 1, 2].map(|channel| 60.0 + 130.0 * number(channel));
            for blob in 0..6 {
                let at = |n: u32| number(10 + 7 * blob + n);
                let dx = (f64::from(column + x) - at(0) * 240.0) / (15.0 + 30.0 * at(1));
                let dy = (f64::from(row) - at(2) * 90.0) / (15.0 + 30.0 * at(3));
                let share = (-dx * dx - dy * dy).exp();
                for (channel, value) in colour.iter_mut().enumerate() {
                    *value += share * (255.0 * at(4 + channel as u32) - *value);
                }
            }
            rgb.extend(colour.map(|value| (value * f64::from(light)) as u8));
        }
    }
    Picture::from_rgb(width, height, rgb).unwrap()
}

fn cuts(frames: impl IntoIterator<Item = Picture>) -> Vec<usize> {
    let mut cuts = SceneCuts::new();
    let mut found = Vec::new();
    for (place, frame) in frames.into_iter().enumerate() {
        if cuts.is_cut(&frame) {
            found.push(place);
        }
    }
    found
}

#[test]
fn a_new_scene_is_a_cut_and_the_first_frame_is_none() {
    let frames = (0..20).map(|frame| scene(1 + frame / 5, 2 * (frame % 5), 1.0));
    assert_eq!(cuts(frames), [5, 10, 15]);
}

#[test]
fn a_fast_pan_is_no_cut() {
    assert_eq!(cuts((0..5).map(|frame| scene(1, 20 * frame, 1.0))), []);
}

#[test]
fn light_that_changes_and_a_flash_are_no_cuts() {
    assert_eq!(cuts([1.0, 0.6, 0.3, 0.9].map(|light| scene(2, 0, light))), []);
    let white = Picture::from_rgb(160, 90, vec![255; 160 * 90 * 3]).unwrap();
    let found = cuts([scene(2, 0, 1.0), scene(2, 1, 1.0), white, scene(2, 2, 1.0), scene(2, 3, 1.0)]);
    assert_eq!(found, [2], "white looks like a new scene, but what was there before is none");
}

#[test]
fn nothing_to_see_is_no_cut_and_any_size_will_do() {
    let black = |width: u32| Picture::from_rgb(width, 1, vec![3; 3 * width as usize]).unwrap();
    assert_eq!(cuts([black(1), black(7), black(1)]), []);
}
