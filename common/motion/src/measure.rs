//! How much a film flickers: what changes from frame to frame at points that are seen in both.

use pixel::Picture;

use crate::{Flow, Mask, warp};

/// What two frames differ by, once the second has been moved back onto the first.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PairError {
    /// Squared differences of all visible points, colours in 0..1, the mean over the three channels.
    pub squared_sum: f64,
    /// Points that are visible in both frames.
    pub points: u64,
    /// Points of the frame.
    pub all_points: u64,
}

/// Compares `next`, moved back by the flow from `previous` to it, with `previous` where `visible`. What leaves the frame and
/// unknown flow never count.
///
/// # Panics
/// The sizes differ.
pub fn warping_error(previous: &Picture, next: &Picture, flow: &Flow, visible: &Mask) -> PairError {
    let size = (previous.width(), previous.height());
    assert_eq!(size, (visible.width(), visible.height()), "a mask of the frames' size");
    assert_eq!(size, (next.width(), next.height()), "frames of one size");
    let warped = warp(next, flow);
    let counts = warped.known.and(visible);
    let pixels = warped.byte_rgb.as_chunks::<3>().0.iter().zip(previous.rgb().as_chunks::<3>().0);
    let mut squared_sum = 0.0;
    for ((moved, still), _) in pixels.zip(counts.values()).filter(|&(_, &counts)| counts) {
        for channel in 0..3 {
            squared_sum += (f64::from(moved[channel] - f32::from(still[channel])) / 255.0).powi(2);
        }
    }
    PairError {
        squared_sum: squared_sum / 3.0,
        points: counts.count() as u64,
        all_points: counts.values().len() as u64,
    }
}

impl PairError {
    /// The mean squared error of the visible points; `None` where there are none.
    pub fn mean(&self) -> Option<f64> {
        (self.points > 0).then(|| self.squared_sum / self.points as f64)
    }
}

/// The errors of a film's pairs, gathered as they come.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct WarpingErrors {
    pairs: u64,
    mean_sum: f64,
    pairs_with_points: u64,
    share_sum: f64,
}

impl WarpingErrors {
    /// Takes one more pair in.
    pub fn add(&mut self, pair: PairError) {
        self.pairs += 1;
        self.share_sum += pair.squared_sum / pair.all_points.max(1) as f64;
        if let Some(mean) = pair.mean() {
            self.pairs_with_points += 1;
            self.mean_sum += mean;
        }
    }

    /// How many pairs.
    pub const fn pairs(&self) -> u64 {
        self.pairs
    }

    /// The warping error (Lai et al., Learning Blind Video Temporal Consistency): the mean over pairs of their mean
    /// squared error over visible points, colours in 0..1. Pairs with no visible point do not count; `None` if there are
    /// no others.
    pub fn mean(&self) -> Option<f64> {
        (self.pairs_with_points > 0).then(|| self.mean_sum / self.pairs_with_points as f64)
    }

    /// The stability error of ReCoNet (Gao et al.): the root of the mean over pairs of the squared error divided by all
    /// points, visible or not. `None` without pairs.
    pub fn stability_error(&self) -> Option<f64> {
        (self.pairs > 0).then(|| (self.share_sum / self.pairs as f64).sqrt())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(rgb: &[u8]) -> Picture {
        Picture::from_rgb(rgb.len() as u32 / 3, 1, rgb.to_vec()).unwrap()
    }

    #[test]
    fn a_film_that_moves_with_its_flow_has_no_error() {
        let previous = picture(&[0, 0, 0, 10, 20, 30, 40, 50, 60]);
        let next = picture(&[9, 9, 9, 0, 0, 0, 10, 20, 30]);
        let flow = Flow::from_fn(3, 1, |_, _| Some([1.0, 0.0]));
        let found = warping_error(&previous, &next, &flow, &Mask::all(3, 1));
        assert_eq!(found, PairError { squared_sum: 0.0, points: 2, all_points: 3 });
    }

    #[test]
    fn errors_are_means_over_visible_points_in_0_to_1() {
        let (black, grey) = (picture(&[0; 12]), picture(&[51; 12]));
        let visible = Mask::from_fn(4, 1, |x, _| x == 0);
        let pair = warping_error(&black, &grey, &Flow::still(4, 1), &visible);
        assert!((pair.mean().unwrap() - 0.04).abs() < 1e-9);

        let mut errors = WarpingErrors::default();
        assert_eq!((errors.mean(), errors.stability_error()), (None, None));
        errors.add(pair);
        errors.add(warping_error(&black, &black, &Flow::still(4, 1), &visible));
        assert!((errors.mean().unwrap() - 0.02).abs() < 1e-9);
        // One point of four differs, in one pair of two: the root of 0.04 / 4 / 2.
        assert!((errors.stability_error().unwrap() - 0.005_f64.sqrt()).abs() < 1e-9);

        // A pair that shares no point says nothing about the visible ones.
        errors.add(warping_error(&black, &grey, &Flow::still(4, 1), &Mask::from_fn(4, 1, |_, _| false)));
        assert!((errors.mean().unwrap() - 0.02).abs() < 1e-9);
        assert_eq!(errors.pairs(), 3);
    }
}
