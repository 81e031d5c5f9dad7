use pixel::Picture;

use super::*;

/// Bumps of several sizes, seen at a place that need not be whole.
fn brightness(x: f64, y: f64) -> f64 {
    let wave =
        |length: f64, turn: f64| ((x * turn.cos() + y * turn.sin()) * std::f64::consts::TAU / length).sin();
    127.0 + 40.0 * wave(37.0, 0.3) * wave(29.0, 1.9) + 30.0 * wave(13.0, 1.1) + 25.0 * wave(17.0, 2.6)
}

/// What is seen where each pixel shows the place that `place` says.
fn seen(width: u32, height: u32, place: impl Fn(f64, f64) -> (f64, f64)) -> Picture {
    let mut rgb = Vec::new();
    for y in 0..height {
        for x in 0..width {
            let (x, y) = place(f64::from(x), f64::from(y));
            rgb.extend([brightness(x, y) as u8; 3]);
        }
    }
    Picture::from_rgb(width, height, rgb).unwrap()
}

/// The mean length of the error, in pixels, at least 12 pixels from the border.
fn end_point_error(flow: &Flow, truth: impl Fn(f64, f64) -> (f64, f64)) -> f64 {
    let (mut sum, mut count) = (0.0, 0.0);
    for y in 12..flow.height() - 12 {
        for x in 12..flow.width() - 12 {
            let [u, v] = flow.at(x, y).expect("estimates are known everywhere");
            let (true_u, true_v) = truth(f64::from(x), f64::from(y));
            sum += (f64::from(u) - true_u).hypot(f64::from(v) - true_v);
            count += 1.0;
        }
    }
    sum / count
}

#[test]
fn a_shift_is_found_both_ways() {
    let (width, height) = (200, 140);
    let from = seen(width, height, |x, y| (x, y));
    let to = seen(width, height, |x, y| (x - 7.3, y + 4.6));
    for (effort, most) in [(Effort::Light, 0.3), (Effort::Careful, 0.15)] {
        let (there, back) = Estimator::new(effort).both_ways(&from, &to);
        let found = [end_point_error(&there, |_, _| (7.3, -4.6)), end_point_error(&back, |_, _| (-7.3, 4.6))];
        assert!(found.iter().all(|&error| error < most), "{effort:?}: {found:?}");
    }
}

#[test]
fn a_zoom_is_found() {
    let (width, height) = (201, 141);
    let from = seen(width, height, |x, y| (x, y));
    let to = seen(width, height, |x, y| (100.0 + (x - 100.0) / 1.06, 70.0 + (y - 70.0) / 1.06));
    let truth = |x: f64, y: f64| ((x - 100.0) * 0.06, (y - 70.0) * 0.06);
    for (effort, most) in [(Effort::Light, 0.3), (Effort::Careful, 0.15)] {
        let (there, _) = Estimator::new(effort).both_ways(&from, &to);
        let found = end_point_error(&there, truth);
        assert!(found < most, "{effort:?}: {found}");
    }
}

#[test]
fn light_that_changes_is_no_motion() {
    let from = seen(120, 90, |x, y| (x, y));
    let darker = from.rgb().iter().map(|&value| value - 15).collect();
    let to = Picture::from_rgb(120, 90, darker).unwrap();
    let (there, _) = Estimator::new(Effort::Light).both_ways(&from, &to);
    assert!(end_point_error(&there, |_, _| (0.0, 0.0)) < 0.05);
}

#[test]
fn any_size_and_nothing_to_see_will_do() {
    for (width, height) in [(1, 1), (1, 40), (7, 3), (33, 9), (1200, 2)] {
        for effort in [Effort::Light, Effort::Careful] {
            let photo = seen(width, height, |_, _| (0.0, 0.0));
            let (there, back) = Estimator::new(effort).both_ways(&photo, &photo);
            assert_eq!((there.width(), there.height()), (width, height));
            assert!(there.u().iter().chain(back.v()).all(|&value| value == 0.0), "{width}x{height}");
        }
    }
}
