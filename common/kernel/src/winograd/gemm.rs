//! The 36 matrix products, one for each place in a tile: sums over input channels.
#![allow(clippy::needless_range_loop)] // loops over vectors, see `simd`

use super::transform::PRODUCTS;
use crate::simd::{Line, RegisterTile, Simd};

/// Output channels whose factors lie together for each input channel.
pub(super) const ROWS: usize = 8;

/// Most groups of tiles that are multiplied at once.
const PANEL: usize = 3;

/// Input channels that are summed up before the result is added to the others': shorter sums round less, and a panel's
/// factors of so many fit into the nearest cache.
const CHANNELS_AT_ONCE: usize = 128;

/// How the groups of a block are divided into panels, whose factors lie together for each input channel:
/// `[place][panel][input channel][group of the panel]`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Panels {
    groups: usize,
    channels: usize,
    width: usize,
}

impl Panels {
    pub(super) fn new<S: Simd>(groups: usize, channels: usize) -> Self {
        let width = match S::TILE {
            // Four are better cut in halves than into three and one.
            RegisterTile::Rows8Vectors3 if groups == 4 => 2,
            RegisterTile::Rows8Vectors3 => PANEL,
            RegisterTile::Rows4Vectors1 => 1,
        };
        Self { groups, channels, width }
    }

    /// The factors of a place, rounded up to an odd number of cache lines, so that the 36 places do not compete for the
    /// same sets.
    pub(super) fn place_stride(&self) -> usize {
        (self.groups * self.channels) | 1
    }

    /// Where the factors of a group are: for its first channel, and the step to the next.
    #[inline(always)]
    pub(super) fn group(&self, group: usize) -> (usize, usize) {
        let first = group / self.width * self.width;
        let width = self.width.min(self.groups - first);
        (first * self.channels + group - first, width)
    }
}

/// Multiplies the weights' factors `[place][row block][input channel][ROWS]` with the pictures' into `sums`,
/// `[row block][group][place][ROWS]`.
#[inline(always)]
pub(super) fn multiply<S: Simd>(
    simd: S,
    panels: &Panels,
    row_blocks: usize,
    weights: &[[f32; ROWS]],
    pictures: &[Line],
    sums: &mut [Line],
) {
    let Panels { groups, channels, width } = *panels;
    for place in 0..PRODUCTS {
        let pictures = &pictures[place * panels.place_stride()..][..groups * channels];
        let weights = &weights[place * row_blocks * channels..][..row_blocks * channels];
        for first in (0..groups).step_by(width) {
            let panel_groups = width.min(groups - first);
            let panel = Panel {
                pictures: &pictures[first * channels..][..panel_groups * channels],
                weights,
                channels,
                first_sum: (first * PRODUCTS + place) * ROWS,
                row_block_sums: groups * PRODUCTS * ROWS,
            };
            match (S::TILE, panel_groups) {
                (RegisterTile::Rows8Vectors3, 3) => panel.multiply::<S, 8, 3>(simd, sums),
                (RegisterTile::Rows8Vectors3, 2) => panel.multiply::<S, 8, 2>(simd, sums),
                (RegisterTile::Rows8Vectors3, _) => panel.multiply::<S, 8, 1>(simd, sums),
                (RegisterTile::Rows4Vectors1, _) => panel.multiply::<S, 4, 1>(simd, sums),
            }
        }
    }
}

/// A few groups at one place, whose factors the nearest cache holds while they meet all weights.
struct Panel<'a> {
    pictures: &'a [Line],
    weights: &'a [[f32; ROWS]],
    channels: usize,
    first_sum: usize,
    row_block_sums: usize,
}

impl Panel<'_> {
    /// Multiplies with `TILE_ROWS * GROUPS` sums in registers.
    #[inline(always)]
    fn multiply<S: Simd, const TILE_ROWS: usize, const GROUPS: usize>(&self, simd: S, sums: &mut [Line]) {
        let (pictures, _) = self.pictures.as_chunks::<GROUPS>();
        for (part, pictures) in pictures.chunks(CHANNELS_AT_ONCE).enumerate() {
            for (row_block, weights) in self.weights.chunks_exact(self.channels).enumerate() {
                let weights = &weights[part * CHANNELS_AT_ONCE..][..pictures.len()];
                for first_row in (0..ROWS).step_by(TILE_ROWS) {
                    let tile = Self::products::<S, TILE_ROWS, GROUPS>(simd, weights, first_row, pictures);
                    for group in 0..GROUPS {
                        let at = self.first_sum + row_block * self.row_block_sums;
                        let at = at + group * PRODUCTS * ROWS + first_row;
                        let target: &mut [Line; TILE_ROWS] =
                            sums[at..].first_chunk_mut().expect("all places have a sum");
                        for row in 0..TILE_ROWS {
                            let mut sum = tile[group][row];
                            if part > 0 {
                                sum = simd.add(sum, simd.load(&target[row].0));
                            }
                            simd.store(sum, &mut target[row].0);
                        }
                    }
                }
            }
        }
    }

    #[inline(always)]
    fn products<S: Simd, const TILE_ROWS: usize, const GROUPS: usize>(
        simd: S,
        weights: &[[f32; ROWS]],
        first_row: usize,
        pictures: &[[Line; GROUPS]],
    ) -> [[S::Vector; TILE_ROWS]; GROUPS] {
        let mut tile = [[simd.splat(0.0); TILE_ROWS]; GROUPS];
        for (factors, lines) in weights.iter().zip(pictures) {
            let factors: &[f32; TILE_ROWS] =
                factors[first_row..].first_chunk().expect("TILE_ROWS divide ROWS");
            for row in 0..TILE_ROWS {
                let factor = simd.splat(factors[row]);
                for group in 0..GROUPS {
                    tile[group][row] = simd.mul_add(factor, simd.load(&lines[group].0), tile[group][row]);
                }
            }
        }
        tile
    }
}
