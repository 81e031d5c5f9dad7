//! The innermost loop of all convolutions here: pixels times weights, with the sums in registers.
#![allow(clippy::needless_range_loop)] // loops over vectors, see `simd`

use crate::simd::{Line, RegisterTile, Simd};

/// Output channels that are summed up at once, as vectors.
pub(super) const VECTORS: usize = super::CHANNEL_MULTIPLE / crate::simd::LANES;

/// The weights of one input value for the output channels of a block.
pub(super) type Weights = [Line; VECTORS];

/// What is multiplied: `runs` stretches of values of each pixel with as many weights.
#[derive(Clone, Copy)]
pub(super) struct Products<'a> {
    /// The values that pixels are made of; those of the first pixel's first run begin at 0.
    pub(super) inputs: &'a [f32],
    /// From a pixel to the next.
    pub(super) pixel_step: usize,
    /// From a run to the next.
    pub(super) run_step: usize,
    pub(super) runs: usize,
    /// `[runs][values of a run]`
    pub(super) weights: &'a [Weights],
}

/// What becomes of sums. [`multiply`] calls `finish(first pixel, sums)` for `pixels` pixels in groups that fit into the registers. Up to 11 pixels more are
/// read, and their sums handed over too.
pub(super) trait Finish<S: Simd> {
    fn finish<const PIXELS: usize>(&mut self, simd: S, first: usize, sums: &[[S::Vector; VECTORS]; PIXELS]);
}

/// The most pixels that a group reads beyond what it is asked for.
pub(super) const OVERREAD: usize = 11;

#[inline(always)]
pub(super) fn multiply<S: Simd>(
    simd: S,
    products: &Products<'_>,
    pixels: usize,
    finish: &mut impl Finish<S>,
) {
    // The step as a constant lets the compiler address all pixels of a group from one register.
    match products.pixel_step {
        3 => multiply_stepping::<S, 3>(simd, products, pixels, finish),
        32 => multiply_stepping::<S, 32>(simd, products, pixels, finish),
        64 => multiply_stepping::<S, 64>(simd, products, pixels, finish),
        128 => multiply_stepping::<S, 128>(simd, products, pixels, finish),
        _ => multiply_stepping::<S, 0>(simd, products, pixels, finish),
    }
}

#[inline(always)]
fn multiply_stepping<S: Simd, const STEP: usize>(
    simd: S,
    products: &Products<'_>,
    pixels: usize,
    finish: &mut impl Finish<S>,
) {
    let mut first = 0;
    while first < pixels {
        let left = pixels - first;
        match S::TILE {
            RegisterTile::Rows8Vectors3 if left > 8 => {
                finish.finish(simd, first, &sums::<S, 12, VECTORS, STEP>(simd, products, first, 0));
                first += 12;
            }
            RegisterTile::Rows8Vectors3 if left > 4 => {
                finish.finish(simd, first, &sums::<S, 8, VECTORS, STEP>(simd, products, first, 0));
                first += 8;
            }
            RegisterTile::Rows8Vectors3 => {
                finish.finish(simd, first, &sums::<S, 4, VECTORS, STEP>(simd, products, first, 0));
                first += 4;
            }
            RegisterTile::Rows4Vectors1 => {
                finish.finish(simd, first, &sums_by_vector::<S, 6, STEP>(simd, products, first));
                first += 6;
            }
        }
    }
}

/// The sums of `AT_ONCE` vectors of output channels, from vector `vector` on.
#[inline(always)]
fn sums<S: Simd, const PIXELS: usize, const AT_ONCE: usize, const STEP: usize>(
    simd: S,
    products: &Products<'_>,
    first: usize,
    vector: usize,
) -> [[S::Vector; AT_ONCE]; PIXELS] {
    let step = if STEP == 0 { products.pixel_step } else { STEP };
    let run = products.weights.len() / products.runs;
    let mut sums = [[simd.splat(0.0); AT_ONCE]; PIXELS];
    for (index, weights) in products.weights.chunks_exact(run).enumerate() {
        let inputs = &products.inputs[index * products.run_step + first * step..];
        let mut pixels: [&[f32]; PIXELS] = [&[]; PIXELS];
        for pixel in 0..PIXELS {
            pixels[pixel] = &inputs[pixel * step..][..weights.len()];
        }
        for (at, weights) in weights.iter().enumerate() {
            let mut factors = [simd.splat(0.0); AT_ONCE];
            for offset in 0..AT_ONCE {
                factors[offset] = simd.load(&weights[vector + offset].0);
            }
            for pixel in 0..PIXELS {
                let value = simd.splat(pixels[pixel][at]);
                for offset in 0..AT_ONCE {
                    sums[pixel][offset] = simd.mul_add(value, factors[offset], sums[pixel][offset]);
                }
            }
        }
    }
    sums
}

/// All [`sums`] for fewer registers: one vector of output channels after the other.
#[inline(always)]
fn sums_by_vector<S: Simd, const PIXELS: usize, const STEP: usize>(
    simd: S,
    products: &Products<'_>,
    first: usize,
) -> [[S::Vector; VECTORS]; PIXELS] {
    let mut all = [[simd.splat(0.0); VECTORS]; PIXELS];
    for vector in 0..VECTORS {
        let sums = sums::<S, PIXELS, 1, STEP>(simd, products, first, vector);
        for pixel in 0..PIXELS {
            all[pixel][vector] = sums[pixel][0];
        }
    }
    all
}

/// Keeps all sums, `[pixels][VECTORS]`, for whoever makes something of them.
pub(super) struct Keep<'a> {
    pub(super) sums: &'a mut [Line],
}

impl<S: Simd> Finish<S> for Keep<'_> {
    #[inline(always)]
    fn finish<const PIXELS: usize>(&mut self, simd: S, first: usize, sums: &[[S::Vector; VECTORS]; PIXELS]) {
        let target = &mut self.sums[first * VECTORS..][..PIXELS * VECTORS];
        for pixel in 0..PIXELS {
            for vector in 0..VECTORS {
                simd.store(sums[pixel][vector], &mut target[pixel * VECTORS + vector].0);
            }
        }
    }
}
