//! Means and variances of channels, gathered while they are written.
//!
//! One pass, and well-conditioned all the same: values are taken relative to one of their own, and parts are merged by
//! the formula of Chan, Golub and LeVeque (1979).
#![allow(clippy::needless_range_loop)] // loops over vectors, see `simd`

use crate::parallel::DisjointSlice;
use crate::simd::{LANES, Line, Simd};

/// How many values, their mean, and the sum of their squared distances to it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Moments {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Moments {
    pub(super) fn merge(&mut self, other: Self) {
        let count = self.count + other.count;
        if count == 0.0 {
            return;
        }
        let (distance, share) = (other.mean - self.mean, other.count / count);
        self.squares += other.squares + distance * distance * self.count * share;
        self.mean += distance * share;
        self.count = count;
    }
}

/// Sums over one part of a picture, for 16 channels.
#[derive(Clone, Copy)]
pub(super) struct Tally {
    /// A value of each channel, near its mean.
    pivot: Line,
    /// Of the distances to the pivot, and of their squares.
    sum: Line,
    squares: Line,
    count: usize,
}

impl Tally {
    pub(super) const EMPTY: Self = Self { pivot: Line::ZERO, sum: Line::ZERO, squares: Line::ZERO, count: 0 };

    /// Adds the first `count` of `values`.
    #[inline(always)]
    pub(super) fn add<S: Simd, const VALUES: usize>(
        &mut self,
        simd: S,
        values: &[S::Vector; VALUES],
        count: usize,
    ) {
        if self.count == 0 {
            simd.store(values[0], &mut self.pivot.0);
        }
        let pivot = simd.load(&self.pivot.0);
        let (mut sum, mut squares) = (simd.load(&self.sum.0), simd.load(&self.squares.0));
        for value in 0..VALUES.min(count) {
            let distance = simd.sub(values[value], pivot);
            sum = simd.add(sum, distance);
            squares = simd.mul_add(distance, distance, squares);
        }
        simd.store(sum, &mut self.sum.0);
        simd.store(squares, &mut self.squares.0);
        self.count += count;
    }

    /// Adds what was tallied to the moments of these channels, and starts anew.
    pub(super) fn drain_into(&mut self, moments: &mut [Moments]) {
        if self.count > 0 {
            let count = self.count as f64;
            for (lane, moments) in moments.iter_mut().enumerate().take(LANES) {
                let (sum, squares) = (f64::from(self.sum.0[lane]), f64::from(self.squares.0[lane]));
                moments.merge(Moments {
                    count,
                    mean: f64::from(self.pivot.0[lane]) + sum / count,
                    squares: (squares - sum * sum / count).max(0.0),
                });
            }
        }
        *self = Self::EMPTY;
    }
}

/// What a convolution found out about the rows that it wrote; complete when all rows of a picture have been written.
#[derive(Clone, Debug)]
pub struct RowStatistics {
    /// `[row groups][channels]`
    groups: Vec<Moments>,
    channels: usize,
}

/// Mean and variance (over all pixels) of a channel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Statistics {
    /// The mean.
    pub mean: f64,
    /// The mean square distance to it.
    pub variance: f64,
}

impl Statistics {
    /// Those of a mixture of pixels, of which `share` are like `newest` and the others like these.
    #[must_use]
    pub fn mixed(self, newest: Self, share: f64) -> Self {
        let distance = newest.mean - self.mean;
        // Written so that what stays the same stays so, bit for bit.
        Self {
            mean: self.mean + share * distance,
            variance: self.variance
                + share * (newest.variance - self.variance)
                + share * (1.0 - share) * distance * distance,
        }
    }
}

impl RowStatistics {
    /// For a picture that is written in this many groups of rows.
    pub(super) fn new(groups: usize, channels: usize) -> Self {
        Self { groups: vec![Moments::default(); groups * channels], channels }
    }

    pub(super) fn shared(&mut self) -> DisjointSlice<'_, Moments> {
        DisjointSlice::new(&mut self.groups)
    }

    /// Those of the whole picture, for each channel.
    pub fn merged(&self) -> Vec<Statistics> {
        let mut merged = vec![Moments::default(); self.channels];
        for group in self.groups.chunks_exact(self.channels) {
            for (merged, group) in merged.iter_mut().zip(group) {
                merged.merge(*group);
            }
        }
        let statistics = |Moments { count, mean, squares }| Statistics { mean, variance: squares / count };
        merged.into_iter().map(statistics).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn merged_parts_have_the_moments_of_the_whole(
            values in prop::collection::vec(-3.0f64..3.0, 2..60),
            offset in -1e4f64..1e4,
            cut in 0usize..60,
        ) {
            let values: Vec<f64> = values.iter().map(|value| value + offset).collect();
            let cut = cut % values.len();
            let of = |values: &[f64]| {
                let mut moments = Moments::default();
                for &mean in values {
                    moments.merge(Moments { count: 1.0, mean, squares: 0.0 });
                }
                moments
            };
            let mut merged = of(&values[..cut]);
            merged.merge(of(&values[cut..]));
            let count = values.len() as f64;
            let mean = values.iter().sum::<f64>() / count;
            let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
            prop_assert!((merged.mean - mean).abs() < 1e-9 * offset.abs().max(1.0));
            prop_assert!((merged.squares - squares).abs() < 1e-6 * squares.max(1.0));
        }

        #[test]
        fn mixed_parts_have_the_moments_of_the_mixture(
            (a, b) in (-50.0f64..50.0, -50.0f64..50.0),
            (variance_a, variance_b) in (0.0f64..9.0, 0.0f64..9.0),
            share in 0.0f64..=1.0,
        ) {
            let (a, b) =
                (Statistics { mean: a, variance: variance_a }, Statistics { mean: b, variance: variance_b });
            let mixed = a.mixed(b, share);
            let of = |of_a: f64, of_b: f64| (1.0 - share) * of_a + share * of_b;
            let mean_square = of(a.variance + a.mean.powi(2), b.variance + b.mean.powi(2));
            prop_assert!((mixed.mean - of(a.mean, b.mean)).abs() < 1e-9);
            prop_assert!((mixed.variance - (mean_square - mixed.mean.powi(2))).abs() < 1e-8);
            prop_assert!(mixed.variance >= 0.0);
            prop_assert_eq!(a.mixed(a, share), a);
        }
    }
}
