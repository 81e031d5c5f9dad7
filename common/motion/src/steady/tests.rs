use pixel::Picture;

use super::*;

/// A photo with structure everywhere, and a bright square of 16 pixels at column `square`.
fn photo(square: u32) -> Picture {
    let colour = |x: u32, y: u32| {
        if (square..square + 16).contains(&x) && (16..32).contains(&y) {
            200 + (x - square + y) % 40
        } else {
            40 + (x * 7 + y * 5) % 23 + 20 * u32::from((x / 8 + y / 8).is_multiple_of(2))
        }
    };
    let rgb = (0..64 * 48).flat_map(|place| [colour(place % 64, place / 64) as u8; 3]).collect();
    Picture::from_rgb(64, 48, rgb).unwrap()
}

/// What was painted: the photo, lighter or darker by turns.
fn flickering(photo: &Picture, frame: usize) -> Picture {
    let by = if frame.is_multiple_of(2) { 8 } else { -8 };
    let rgb = photo.rgb().iter().map(|&value| value.saturating_add_signed(by)).collect();
    Picture::from_rgb(photo.width(), photo.height(), rgb).unwrap()
}

fn mean_difference(one: &Picture, other: &Picture) -> f64 {
    let pairs = one.rgb().iter().zip(other.rgb());
    pairs.map(|(&a, &b)| f64::from(a.abs_diff(b))).sum::<f64>() / one.rgb().len() as f64
}

#[test]
fn what_stands_still_becomes_calm() {
    let mut steadier = Steadier::new(SteadyOptions::default());
    let photo = photo(20);
    let frames: Vec<Picture> =
        (0..30).map(|frame| steadier.steady(&photo, flickering(&photo, frame))).collect();
    assert_eq!(frames[0], flickering(&photo, 0), "the first frame is left alone");
    // The painting jumps by 16 from frame to frame.
    let change = mean_difference(&frames[28], &frames[29]);
    assert!(change < 3.0, "{change}");
    assert!(mean_difference(&frames[29], &photo) < 3.0, "the mean of the flicker is the photo");
}

#[test]
fn what_moves_leaves_no_ghost() {
    let mut steadier = Steadier::new(SteadyOptions::default());
    for step in 0..8 {
        let photo = photo(4 + 5 * step);
        let shown = steadier.steady(&photo, photo.clone());
        let (mut worst, mut sum) = (0, 0.0);
        for (&shown, &wanted) in shown.rgb().iter().zip(photo.rgb()) {
            worst = worst.max(shown.abs_diff(wanted));
            sum += f64::from(shown.abs_diff(wanted));
        }
        let mean = sum / shown.rgb().len() as f64;
        assert!(worst < 60 && mean < 1.5, "step {step}: worst {worst}, mean {mean}");
    }
}

#[test]
fn resets_and_other_sizes_start_anew_and_alpha_passes_through() {
    let mut steadier = Steadier::new(SteadyOptions::default());
    let photo = photo(20);
    steadier.steady(&photo, flickering(&photo, 0));
    steadier.reset();
    assert_eq!(steadier.steady(&photo, flickering(&photo, 1)), flickering(&photo, 1));

    let alpha: Vec<u8> = (0..64 * 48).map(|place| (place % 251) as u8).collect();
    let painted = flickering(&photo, 0).with_alpha(alpha.clone()).unwrap();
    let shown = steadier.steady(&photo, painted.clone());
    assert_ne!(shown.rgb(), painted.rgb());
    assert_eq!(shown.alpha(), Some(&alpha[..]));

    let smaller = photo.crop(0, 0, 31, 17).unwrap();
    assert_eq!(steadier.steady(&smaller, flickering(&smaller, 1)), flickering(&smaller, 1));
    let dot = photo.crop(0, 0, 1, 1).unwrap();
    for frame in 0..3 {
        steadier.steady(&dot, flickering(&dot, frame));
    }
}

#[test]
fn a_new_scene_shows_nothing_of_the_old_one() {
    let mut steadier = Steadier::new(SteadyOptions::default());
    let old = photo(20);
    steadier.steady(&old, old.clone());
    let inverted = Picture::from_rgb(64, 48, old.rgb().iter().map(|&value| 255 - value).collect()).unwrap();
    let shown = steadier.steady(&inverted, inverted.clone());
    assert!(mean_difference(&shown, &inverted) < 2.0, "{}", mean_difference(&shown, &inverted));
}
