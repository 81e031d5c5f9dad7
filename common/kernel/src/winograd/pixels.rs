//! Pixels of tiles to vectors, in which each lane is a tile.
#![allow(clippy::needless_range_loop)] // loops over vectors, see `simd`

use super::grid::{Grid, Group, Run};
use super::transform::{self, IN, OUT};
use crate::simd::{LANES, Simd, load_at, load4_at, store_at};

/// Columns that sixteen tiles side by side write.
pub(super) const STRAIGHT: usize = LANES * OUT;

/// The pictures `[n, channels, h, w]` that a convolution reads.
pub(super) struct InputPixels<'a> {
    pub(super) grid: &'a Grid,
    pub(super) input: &'a [f32],
    pub(super) channels: usize,
}

impl InputPixels<'_> {
    /// The 6x6 pixels of each tile of a group, by row and column, already transformed from top to bottom.
    #[inline(always)]
    pub(super) fn half_transformed<S: Simd>(
        &self,
        simd: S,
        channel: usize,
        group: &Group,
    ) -> [[S::Vector; IN]; IN] {
        match group.straight() {
            Some(run) => self.straight_columns(simd, channel, run),
            None => self.gathered_columns(simd, channel, group),
        }
    }

    #[inline(always)]
    fn plane(&self, channel: usize, run: &Run) -> &[f32] {
        let plane = self.grid.input.pixels();
        &self.input[(run.picture * self.channels + channel) * plane..][..plane]
    }

    /// Fetches the rows of the next channel: they are too short for the processor to foresee them.
    #[inline(always)]
    fn prefetch_below<S: Simd>(&self, simd: S, channel: usize, run: &Run) {
        if channel + 1 == self.channels {
            return;
        }
        let plane = self.plane(channel + 1, run);
        for row in 0..IN {
            let first = (run.top + row) * self.grid.input.width + run.left;
            for line in 0..=OUT {
                simd.prefetch(plane, first + line * LANES);
            }
        }
    }

    /// The columns of sixteen tiles side by side, already transformed from top to bottom: that is done before they
    /// are taken apart, for whole rows of pixels.
    #[inline(always)]
    fn straight_columns<S: Simd>(&self, simd: S, channel: usize, run: &Run) -> [[S::Vector; IN]; IN] {
        self.prefetch_below(simd, channel, run);
        let plane = self.plane(channel, run);
        let mut rows = [[0.0f32; STRAIGHT + LANES]; IN];
        for (row, to) in rows.iter_mut().enumerate() {
            self.grid.fill_straight(to, self.grid.input_row(plane, run.top, row), run.left);
        }
        transform_rows(simd, &mut rows);
        let mut columns = [[simd.splat(0.0); IN]; IN];
        for row in 0..IN {
            columns[row][..4].copy_from_slice(&simd.deinterleave4(load4_at(simd, &rows[row], 0)));
            columns[row][4..].copy_from_slice(&simd.deinterleave4(load4_at(simd, &rows[row], OUT))[..2]);
        }
        columns
    }

    /// The same for tiles that lie elsewhere: the first four columns of each, and the last two, are gathered.
    #[inline(always)]
    fn gathered_columns<S: Simd>(&self, simd: S, channel: usize, group: &Group) -> [[S::Vector; IN]; IN] {
        let mut firsts = [[0.0f32; STRAIGHT]; IN];
        let mut lasts = [[0.0f32; STRAIGHT]; IN];
        for run in group.runs() {
            let plane = self.plane(channel, run);
            let (from, len) = (run.lane * OUT, run.len * OUT);
            for row in 0..IN {
                let pixels = self.grid.input_row(plane, run.top, row);
                self.grid.fill_columns(&mut firsts[row][from..from + len], pixels, run.left);
                let lasts = &mut lasts[row][from..from + len - 2];
                self.grid.fill_columns(lasts, pixels, run.left + OUT);
            }
        }
        transform_rows(simd, &mut firsts);
        transform_rows(simd, &mut lasts);
        let mut columns = [[simd.splat(0.0); IN]; IN];
        for row in 0..IN {
            columns[row][..4].copy_from_slice(&simd.deinterleave4(load4_at(simd, &firsts[row], 0)));
            columns[row][4..].copy_from_slice(&simd.deinterleave4(load4_at(simd, &lasts[row], 0))[..2]);
        }
        columns
    }
}

/// The pictures `[n, channels, h', w']` of a convolution's result.
pub(super) struct OutputPixels<'a> {
    pub(super) grid: &'a Grid,
    pub(super) output: &'a [f32],
    pub(super) channels: usize,
}

impl OutputPixels<'_> {
    /// The 4x4 pixels of each tile of a group, by row and column; zeros where a tile hangs over.
    #[inline(always)]
    pub(super) fn load<S: Simd>(&self, simd: S, channel: usize, group: &Group) -> [[S::Vector; OUT]; OUT] {
        let size = self.grid.output;
        let mut staged = [[0.0f32; STRAIGHT]; OUT];
        for run in group.runs() {
            let columns = (run.len * OUT).min(size.width - run.left);
            let plane = run.picture * self.channels + channel;
            for row in 0..OUT.min(size.height - run.top) {
                let start = (plane * size.height + run.top + row) * size.width + run.left;
                staged[row][run.lane * OUT..][..columns]
                    .copy_from_slice(&self.output[start..start + columns]);
            }
        }
        let mut pixels = [[simd.splat(0.0); OUT]; OUT];
        for row in 0..OUT {
            pixels[row] = simd.deinterleave4(load4_at(simd, &staged[row], 0));
        }
        pixels
    }
}

/// Transforms six rows of pixels from top to bottom, in place.
#[inline(always)]
fn transform_rows<S: Simd, const WIDTH: usize>(simd: S, rows: &mut [[f32; WIDTH]; IN]) {
    for first in (0..WIDTH).step_by(LANES) {
        let mut column = [simd.splat(0.0); IN];
        for row in 0..IN {
            column[row] = load_at(simd, &rows[row], first);
        }
        let factors = transform::inputs(simd, column);
        for row in 0..IN {
            store_at(simd, factors[row], &mut rows[row], first);
        }
    }
}
