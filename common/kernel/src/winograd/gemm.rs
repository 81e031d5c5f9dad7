//! The 36 matrix products, one for each place in a tile: sums over input channels.

use super::transform::PRODUCTS;
use crate::simd::{Line, RegisterTile, Simd};

/// Output channels whose factors lie together for each input channel.
pub(super) const ROWS: usize = 8;

/// Factors of the weights, `[place][row block][input channel][ROWS]`, of some output channels.
pub(super) struct WeightFactors<'a> {
    pub(super) factors: &'a [[f32; ROWS]],
    pub(super) row_blocks: usize,
    pub(super) channels: usize,
}

/// Factors of the pictures, `[place][group][input channel]`, with `place_stride` from place to place.
pub(super) struct InputFactors<'a> {
    pub(super) factors: &'a [Line],
    pub(super) groups: usize,
    pub(super) place_stride: usize,
}

/// Fills `sums`, `[output channel][group][place]`.
#[inline(always)]
pub(super) fn multiply<S: Simd>(
    simd: S,
    weights: &WeightFactors<'_>,
    inputs: &InputFactors<'_>,
    sums: &mut [Line],
) {
    let channels = weights.channels;
    for place in 0..PRODUCTS {
        let inputs_here = &inputs.factors[place * inputs.place_stride..][..inputs.groups * channels];
        let weights_here =
            &weights.factors[place * weights.row_blocks * channels..][..weights.row_blocks * channels];
        let mut group = 0;
        while group < inputs.groups {
            let panel = Panel { inputs: &inputs_here[group * channels..], weights: weights_here, channels };
            let target = Target { place, group, groups: inputs.groups };
            group += match (S::TILE, inputs.groups - group) {
                // Four are better cut in halves than into three and one.
                (RegisterTile::Rows8Vectors3, 2 | 4) => panel.multiply::<S, 8, 2>(simd, &target, sums),
                (RegisterTile::Rows8Vectors3, 1) => panel.multiply::<S, 8, 1>(simd, &target, sums),
                (RegisterTile::Rows8Vectors3, _) => panel.multiply::<S, 8, 3>(simd, &target, sums),
                (RegisterTile::Rows4Vectors1, _) => panel.multiply::<S, 4, 1>(simd, &target, sums),
            };
        }
    }
}

/// A few groups of tiles, small enough for the nearest cache, at one place.
struct Panel<'a> {
    inputs: &'a [Line],
    weights: &'a [[f32; ROWS]],
    channels: usize,
}

/// Where in the sums results go.
struct Target {
    place: usize,
    group: usize,
    groups: usize,
}

impl Panel<'_> {
    /// Multiplies `GROUPS` groups with all weights, with `TILE_ROWS * GROUPS` sums in registers. Gives `GROUPS`.
    #[inline(always)]
    fn multiply<S: Simd, const TILE_ROWS: usize, const GROUPS: usize>(
        &self,
        simd: S,
        target: &Target,
        sums: &mut [Line],
    ) -> usize {
        let inputs: [&[Line]; GROUPS] =
            std::array::from_fn(|group| &self.inputs[group * self.channels..][..self.channels]);
        for (row_block, weights) in self.weights.chunks_exact(self.channels).enumerate() {
            for first_row in (0..ROWS).step_by(TILE_ROWS) {
                let mut tile = [[simd.splat(0.0); GROUPS]; TILE_ROWS];
                for (channel, factors) in weights.iter().enumerate() {
                    let lines: [S::Vector; GROUPS] =
                        std::array::from_fn(|group| simd.load(&inputs[group][channel].0));
                    for row in 0..TILE_ROWS {
                        let factor = simd.splat(factors[first_row + row]);
                        for group in 0..GROUPS {
                            tile[row][group] = simd.mul_add(factor, lines[group], tile[row][group]);
                        }
                    }
                }
                for (row, vectors) in tile.into_iter().enumerate() {
                    let output = row_block * ROWS + first_row + row;
                    for (group, vector) in vectors.into_iter().enumerate() {
                        let at = (output * target.groups + target.group + group) * PRODUCTS + target.place;
                        simd.store(vector, &mut sums[at].0);
                    }
                }
            }
        }
        GROUPS
    }
}
