//! Instance norm with scale and shift (Ulyanov et al. 2016, equation 5), together with the ReLU or the sum that follows
//! it: each channel of each picture, a plane, to mean 0 and variance 1 over its own pixels.
//!
//! A plane fits into a core's cache, so that it comes from memory once and the result goes there once.
#![allow(clippy::needless_range_loop)] // loops over vectors, see `simd`

use crate::parallel::{self, DisjointSlice};
use crate::simd::{InstructionSet, Kernel, LANES, Simd, load_some, store_some, sum_lanes};

/// A plane's mean, and one over its standard deviation.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Statistics {
    /// The mean.
    pub mean: f32,
    /// `1 / sqrt(variance + eps)`, with the variance over all pixels.
    pub inverse_deviation: f32,
}

/// What follows the norm.
#[derive(Clone, Copy, Debug)]
pub enum After<'a> {
    /// Nothing.
    Nothing,
    /// Negative values become 0.
    Relu,
    /// These are added, of the input's shape.
    Sum(&'a [f32]),
}

/// Gradients with respect to scale and shift, `[channels]` each.
#[derive(Clone, Debug, PartialEq)]
pub struct ParameterGradients {
    /// With respect to the scale.
    pub scale: Vec<f32>,
    /// With respect to the shift.
    pub shift: Vec<f32>,
}

/// The norm of pictures `[n, channels, pixels]`.
#[derive(Clone, Copy, Debug)]
pub struct InstanceNorm<'a> {
    /// `[channels]`
    pub scale: &'a [f32],
    /// `[channels]`
    pub shift: &'a [f32],
    /// Added to the variance.
    pub eps: f32,
    /// Pixels of a plane.
    pub pixels: usize,
}

impl InstanceNorm<'_> {
    /// Normalises `x` into `y`. Gives the statistics of each plane.
    ///
    /// # Panics
    /// If a slice's length does not fit to the others'.
    pub fn forward(&self, x: &[f32], after: After<'_>, y: &mut [f32], threads: usize) -> Vec<Statistics> {
        let (pixels, planes) = (self.pixels, self.planes(x));
        assert_eq!(y.len(), x.len(), "y: as x");
        let addend = match after {
            After::Sum(addend) => Some(addend),
            After::Nothing | After::Relu => None,
        };
        assert!(addend.is_none_or(|addend| addend.len() == x.len()), "addend: as x");
        let mut flat = vec![0.0; 2 * planes];
        let (y, statistics) = (DisjointSlice::new(y), DisjointSlice::new(&mut flat));
        parallel::for_each(threads, planes, |plane| {
            let (range, channel) = (plane * pixels..(plane + 1) * pixels, plane % self.scale.len());
            // SAFETY: each plane is one item.
            #[allow(unsafe_code)]
            let (y, statistics) =
                unsafe { (y.part(range.clone()), statistics.part(2 * plane..2 * plane + 2)) };
            let found = InstructionSet::best().run(ForwardPlane {
                x: &x[range.clone()],
                scale: self.scale[channel],
                shift: self.shift[channel],
                eps: self.eps,
                relu: matches!(after, After::Relu),
                addend: addend.map(|addend| &addend[range]),
                y,
            });
            statistics.copy_from_slice(&[found.mean, found.inverse_deviation]);
        });
        let (pairs, _) = flat.as_chunks::<2>();
        pairs.iter().map(|&[mean, inverse_deviation]| Statistics { mean, inverse_deviation }).collect()
    }

    /// Takes `gradient`, with respect to the output of [`InstanceNorm::forward`], to that with respect to `x`, which is
    /// written to `x_gradient`, and to those with respect to the parameters. `relu_output` is the output if a ReLU made
    /// it.
    ///
    /// # Panics
    /// If a slice's length does not fit to the others'.
    pub fn backward(
        &self,
        gradient: &[f32],
        x: &[f32],
        statistics: &[Statistics],
        relu_output: Option<&[f32]>,
        x_gradient: &mut [f32],
        threads: usize,
    ) -> ParameterGradients {
        let (pixels, planes, channels) = (self.pixels, self.planes(x), self.scale.len());
        assert_eq!(gradient.len(), x.len(), "gradient: as x");
        assert_eq!(x_gradient.len(), x.len(), "x_gradient: as x");
        assert_eq!(statistics.len(), planes, "statistics: one for each plane");
        assert!(relu_output.is_none_or(|output| output.len() == x.len()), "relu_output: as x");
        let mut flat = vec![0.0; 2 * planes];
        let (x_gradient, sums) = (DisjointSlice::new(x_gradient), DisjointSlice::new(&mut flat));
        parallel::for_each(threads, planes, |plane| {
            let range = plane * pixels..(plane + 1) * pixels;
            // SAFETY: each plane is one item.
            #[allow(unsafe_code)]
            let (x_gradient, sums) =
                unsafe { (x_gradient.part(range.clone()), sums.part(2 * plane..2 * plane + 2)) };
            let found = InstructionSet::best().run(BackwardPlane {
                gradient: &gradient[range.clone()],
                x: &x[range.clone()],
                statistics: statistics[plane],
                scale: self.scale[plane % channels],
                relu_output: relu_output.map(|output| &output[range]),
                x_gradient,
            });
            sums.copy_from_slice(&found);
        });
        let (sums, _) = flat.as_chunks::<2>();
        let total = |channel: usize, which: usize| {
            let of_pictures = sums.iter().skip(channel).step_by(channels);
            of_pictures.map(|sums| f64::from(sums[which])).sum::<f64>() as f32
        };
        ParameterGradients {
            scale: (0..channels).map(|channel| total(channel, 0)).collect(),
            shift: (0..channels).map(|channel| total(channel, 1)).collect(),
        }
    }

    fn planes(&self, x: &[f32]) -> usize {
        let channels = self.scale.len();
        assert_eq!(channels, self.shift.len(), "a scale and a shift for each channel");
        let picture = channels * self.pixels;
        assert!(picture > 0 && x.len().is_multiple_of(picture), "x: [n, {channels}, {}]", self.pixels);
        x.len() / self.pixels
    }
}

/// Vectors that are summed up in f32, side by side, before they are added to a sum in f64: 4096 values in all, so that
/// sums of large planes lose nothing.
const SUMMED: usize = 4096;
const SIDE_BY_SIDE: usize = 4;
const STRIDE: usize = SIDE_BY_SIDE * LANES;

struct ForwardPlane<'a> {
    x: &'a [f32],
    scale: f32,
    shift: f32,
    eps: f32,
    relu: bool,
    addend: Option<&'a [f32]>,
    y: &'a mut [f32],
}

impl Kernel for ForwardPlane<'_> {
    type Output = Statistics;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> Statistics {
        let count = self.x.len() as f64;
        let mean = (sum(simd, self.x) / count) as f32;
        let variance = sum_of_squares(simd, self.x, mean) / count;
        let inverse_deviation = (1.0 / (variance + f64::from(self.eps)).sqrt()) as f32;

        let scale = simd.splat(self.scale * inverse_deviation);
        let (mean_of_lanes, shift) = (simd.splat(mean), simd.splat(self.shift));
        for at in (0..self.x.len()).step_by(LANES) {
            let centred = simd.sub(load_some(simd, self.x, at, 0.0), mean_of_lanes);
            let mut y = simd.mul_add(centred, scale, shift);
            if self.relu {
                y = simd.max(y, simd.splat(0.0));
            }
            if let Some(addend) = self.addend {
                y = simd.add(y, load_some(simd, addend, at, 0.0));
            }
            store_some(simd, y, self.y, at);
        }
        Statistics { mean, inverse_deviation }
    }
}

#[inline(always)]
fn sum<S: Simd>(simd: S, values: &[f32]) -> f64 {
    let mut total = 0.0;
    for values in values.chunks(SUMMED) {
        let mut sums = [simd.splat(0.0); SIDE_BY_SIDE];
        for values in values.chunks(STRIDE) {
            for lane in 0..SIDE_BY_SIDE.min(values.len().div_ceil(LANES)) {
                sums[lane] = simd.add(sums[lane], load_some(simd, values, lane * LANES, 0.0));
            }
        }
        total += sum_all(simd, sums);
    }
    total
}

#[inline(always)]
fn sum_of_squares<S: Simd>(simd: S, values: &[f32], mean: f32) -> f64 {
    let mut total = 0.0;
    let mean_of_lanes = simd.splat(mean);
    for values in values.chunks(SUMMED) {
        let mut sums = [simd.splat(0.0); SIDE_BY_SIDE];
        for values in values.chunks(STRIDE) {
            for lane in 0..SIDE_BY_SIDE.min(values.len().div_ceil(LANES)) {
                let centred = simd.sub(load_some(simd, values, lane * LANES, mean), mean_of_lanes);
                sums[lane] = simd.mul_add(centred, centred, sums[lane]);
            }
        }
        total += sum_all(simd, sums);
    }
    total
}

#[inline(always)]
fn sum_all<S: Simd>(simd: S, [a, b, c, d]: [S::Vector; SIDE_BY_SIDE]) -> f64 {
    sum_lanes(simd, simd.add(simd.add(a, b), simd.add(c, d)))
}

struct BackwardPlane<'a> {
    gradient: &'a [f32],
    x: &'a [f32],
    statistics: Statistics,
    scale: f32,
    relu_output: Option<&'a [f32]>,
    x_gradient: &'a mut [f32],
}

impl Kernel for BackwardPlane<'_> {
    /// The sums of gradient times normalised value, and of the gradient.
    type Output = [f32; 2];

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> [f32; 2] {
        let len = self.x.len();
        let [mut scale_sum, mut shift_sum] = [0.0f64; 2];
        for from in (0..len).step_by(SUMMED) {
            let mut sums = [[simd.splat(0.0); 2]; 2];
            for (turn, at) in (from..len.min(from + SUMMED)).step_by(LANES).enumerate() {
                let (gradient, normalised) = (self.gradient_at(simd, at), self.normalised_at(simd, at));
                let [scale_sum, shift_sum] = &mut sums[turn % 2];
                *scale_sum = simd.mul_add(gradient, normalised, *scale_sum);
                *shift_sum = simd.add(gradient, *shift_sum);
            }
            scale_sum += sum_lanes(simd, simd.add(sums[0][0], sums[1][0]));
            shift_sum += sum_lanes(simd, simd.add(sums[0][1], sums[1][1]));
        }

        // scale / deviation * (gradient - its mean - normalised * the mean of both's product)
        let mean = simd.splat((shift_sum / len as f64) as f32);
        let slope = simd.splat((scale_sum / len as f64) as f32);
        let factor = simd.splat(self.scale * self.statistics.inverse_deviation);
        for at in (0..len).step_by(LANES) {
            let (gradient, normalised) = (self.gradient_at(simd, at), self.normalised_at(simd, at));
            let centred = simd.neg_mul_add(normalised, slope, simd.sub(gradient, mean));
            store_some(simd, simd.mul(centred, factor), self.x_gradient, at);
        }
        [scale_sum as f32, shift_sum as f32]
    }
}

impl BackwardPlane<'_> {
    /// The gradient before the ReLU; 0 after the end.
    #[inline(always)]
    fn gradient_at<S: Simd>(&self, simd: S, at: usize) -> S::Vector {
        let gradient = load_some(simd, self.gradient, at, 0.0);
        match self.relu_output {
            Some(output) => simd.where_positive(load_some(simd, output, at, 0.0), gradient),
            None => gradient,
        }
    }

    #[inline(always)]
    fn normalised_at<S: Simd>(&self, simd: S, at: usize) -> S::Vector {
        let centred =
            simd.sub(load_some(simd, self.x, at, self.statistics.mean), simd.splat(self.statistics.mean));
        simd.mul(centred, simd.splat(self.statistics.inverse_deviation))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: f32, expected: f64) -> bool {
        (f64::from(found) - expected).abs() < 1e-5 * expected.abs().max(1.0)
    }

    #[test]
    fn every_instruction_set_normalises_and_finds_the_gradient() {
        for len in [1usize, 15, 64, 5000] {
            let x: Vec<f32> = (0..len).map(|at| 20.0 + ((at * 7919) % 101) as f32 / 10.0).collect();
            let gradient: Vec<f32> = (0..len).map(|at| ((at * 104_729) % 37) as f32 / 37.0 - 0.4).collect();
            let (scale, shift, eps) = (1.5f32, 0.25f32, 1e-3f32);
            let mean_of = |values: &[f64]| values.iter().sum::<f64>() / len as f64;
            let exact: Vec<f64> = x.iter().copied().map(f64::from).collect();
            let mean = mean_of(&exact);
            let squares: Vec<f64> = exact.iter().map(|value| (value - mean).powi(2)).collect();
            let inverse_deviation = 1.0 / (mean_of(&squares) + f64::from(eps)).sqrt();
            let normalised: Vec<f64> = exact.iter().map(|value| (value - mean) * inverse_deviation).collect();
            let expected_y = |at: usize| (normalised[at] * 1.5 + 0.25).max(0.0);
            let gated: Vec<f64> =
                (0..len).map(|at| if expected_y(at) > 0.0 { f64::from(gradient[at]) } else { 0.0 }).collect();
            let products: Vec<f64> = gated.iter().zip(&normalised).map(|(g, n)| g * n).collect();

            for set in InstructionSet::all() {
                let mut y = vec![f32::NAN; len];
                let statistics =
                    set.run(ForwardPlane { x: &x, scale, shift, eps, relu: true, addend: None, y: &mut y });
                assert!((0..len).all(|at| close(y[at], expected_y(at))), "{len} {set:?}");
                let mut x_gradient = vec![f32::NAN; len];
                let [of_scale, of_shift] = set.run(BackwardPlane {
                    gradient: &gradient,
                    x: &x,
                    statistics,
                    scale,
                    relu_output: Some(&y),
                    x_gradient: &mut x_gradient,
                });
                assert!(close(of_scale, products.iter().sum()), "{len} {set:?}: {of_scale}");
                assert!(close(of_shift, gated.iter().sum()), "{len} {set:?}: {of_shift}");
                for at in 0..len {
                    let centred = gated[at] - mean_of(&gated) - normalised[at] * mean_of(&products);
                    let expected = 1.5 * inverse_deviation * centred;
                    assert!(close(x_gradient[at], expected), "{len} {set:?}: {} {expected}", x_gradient[at]);
                }
            }
        }
    }
}
