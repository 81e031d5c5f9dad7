//! Instance norm (Ulyanov et al. 2016, equation 5), applied where its result is read.
#![allow(clippy::needless_range_loop)] // loops over vectors, see `simd`

use super::statistics::Statistics;
use crate::parallel;
use crate::simd::{InstructionSet, Kernel, LANES, Simd, load_at, store_at};

/// An instance norm with learned scale and shift whose statistics are known: one multiplication and one addition.
#[derive(Clone, Debug)]
pub struct Norm {
    /// `[channels]`
    pub(super) factor: Vec<f32>,
    /// `[channels]`
    pub(super) offset: Vec<f32>,
}

impl Norm {
    /// The norm of channels with these statistics. `scale` and `shift` may be shorter: the other channels become 0.
    pub fn new(statistics: &[Statistics], scale: &[f32], shift: &[f32], eps: f64) -> Self {
        let (mut factor, mut offset) = (vec![0.0; statistics.len()], vec![0.0; statistics.len()]);
        for (channel, (statistics, (&scale, &shift))) in
            statistics.iter().zip(scale.iter().zip(shift)).enumerate()
        {
            let exact = f64::from(scale) / (statistics.variance + eps).sqrt();
            factor[channel] = exact as f32;
            offset[channel] = (f64::from(shift) - statistics.mean * exact) as f32;
        }
        Self { factor, offset }
    }

    #[inline(always)]
    pub(super) fn apply<S: Simd>(&self, simd: S, value: S::Vector, channel: usize) -> S::Vector {
        simd.mul_add(value, load_at(simd, &self.factor, channel), load_at(simd, &self.offset, channel))
    }

    /// With the ReLU that follows it.
    #[inline(always)]
    pub(super) fn apply_with_relu<S: Simd>(&self, simd: S, value: S::Vector, channel: usize) -> S::Vector {
        simd.max(self.apply(simd, value, channel), simd.splat(0.0))
    }
}

/// Pixels of one item of work.
const PIXELS: usize = 1024;

/// Replaces `values` `[pixels, channels]` by their norm, with its ReLU.
pub fn normalise(values: &mut [f32], norm: &Norm, threads: usize) {
    parallel::for_each_part(values, PIXELS * norm.factor.len(), threads, |_, values| {
        InstructionSet::best().run(Normalise { values, norm });
    });
}

struct Normalise<'a> {
    values: &'a mut [f32],
    norm: &'a Norm,
}

impl Kernel for Normalise<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        for pixel in self.values.chunks_exact_mut(self.norm.factor.len()) {
            for channel in (0..pixel.len()).step_by(LANES) {
                let value = self.norm.apply_with_relu(simd, load_at(simd, pixel, channel), channel);
                store_at(simd, value, pixel, channel);
            }
        }
    }
}

/// Adds the norm of `addend` to `values`, `[pixels, channels]` each.
///
/// # Panics
/// If they differ in length.
pub fn add_normalised(values: &mut [f32], addend: &[f32], norm: &Norm, threads: usize) {
    assert_eq!(values.len(), addend.len(), "addend: as values");
    parallel::for_each_part(values, PIXELS * norm.factor.len(), threads, |first, values| {
        let addend = &addend[first..][..values.len()];
        InstructionSet::best().run(Add { values, addend, norm });
    });
}

struct Add<'a> {
    values: &'a mut [f32],
    addend: &'a [f32],
    norm: &'a Norm,
}

impl Kernel for Add<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let channels = self.norm.factor.len();
        for (pixel, addend) in self.values.chunks_exact_mut(channels).zip(self.addend.chunks_exact(channels))
        {
            for channel in (0..channels).step_by(LANES) {
                let addend = self.norm.apply(simd, load_at(simd, addend, channel), channel);
                store_at(simd, simd.add(load_at(simd, pixel, channel), addend), pixel, channel);
            }
        }
    }
}
