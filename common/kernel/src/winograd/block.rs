//! One block of tiles from pictures to pictures: the unit of work of a thread.
#![allow(clippy::needless_range_loop)] // loops over vectors, see `simd`

use std::ops::Range;

use super::Epilogue;
use super::gemm::{self, Panels, ROWS};
use super::grid::{Grid, Group, Run};
use super::pixels::{InputPixels, STRAIGHT};
use super::transform::{self, IN, OUT, PRODUCTS};
use crate::parallel::DisjointSlice;
use crate::simd::{Kernel, LANES, Line, Simd, load_at, store_at};

/// Memory of a thread, kept from block to block.
#[derive(Default)]
pub(super) struct Scratch {
    /// Of the pictures, laid out as [`Panels`] says.
    factors: Vec<Line>,
    /// `[row block][group][place][ROWS]`
    sums: Vec<Line>,
}

/// The weights' factors, `[slab][place][row block][input channel][ROWS]`.
pub(super) struct Weights<'a> {
    pub(super) factors: &'a [[f32; ROWS]],
    pub(super) inputs: usize,
    pub(super) outputs: usize,
    /// Row blocks of a slab.
    pub(super) slab: usize,
}

/// The convolution of a few groups of tiles.
pub(super) struct Block<'a> {
    pub(super) grid: &'a Grid,
    pub(super) groups: &'a [Group],
    pub(super) weights: &'a Weights<'a>,
    pub(super) input: &'a [f32],
    pub(super) output: &'a DisjointSlice<'a>,
    pub(super) epilogue: &'a Epilogue<'a>,
    pub(super) scratch: &'a mut Scratch,
}

impl Kernel for Block<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        let Weights { factors, inputs, outputs, slab } = *self.weights;
        let panels = Panels::new::<S>(self.groups.len(), inputs);
        resize(&mut self.scratch.factors, PRODUCTS * panels.place_stride());
        resize(&mut self.scratch.sums, slab * self.groups.len() * PRODUCTS * ROWS);

        self.transform_inputs(simd, &panels);
        for (index, factors) in factors.chunks(slab * PRODUCTS * inputs).enumerate() {
            let row_blocks = factors.len() / (PRODUCTS * inputs);
            let Scratch { factors: pictures, sums } = &mut *self.scratch;
            gemm::multiply(simd, &panels, row_blocks, factors, pictures, sums);
            for row_block in 0..row_blocks {
                let first = (index * slab + row_block) * ROWS;
                self.transform_outputs(simd, row_block, first..outputs.min(first + ROWS));
            }
        }
    }
}

fn resize(lines: &mut Vec<Line>, len: usize) {
    if lines.len() < len {
        lines.resize(len, Line::ZERO);
    }
}

impl Block<'_> {
    #[inline(always)]
    fn transform_inputs<S: Simd>(&mut self, simd: S, panels: &Panels) {
        let channels = self.weights.inputs;
        let pixels = InputPixels { grid: self.grid, input: self.input, channels };
        for channel in 0..channels {
            for (index, group) in self.groups.iter().enumerate() {
                let columns = pixels.half_transformed(simd, channel, group);
                let (first, step) = panels.group(index);
                let at = first + channel * step;
                let place_stride = panels.place_stride();
                for row in 0..IN {
                    let factors = transform::inputs(simd, columns[row]);
                    for column in 0..IN {
                        let place = row * IN + column;
                        simd.store(factors[column], &mut self.scratch.factors[at + place * place_stride].0);
                    }
                }
            }
        }
    }

    #[inline(always)]
    fn transform_outputs<S: Simd>(&self, simd: S, row_block: usize, outputs: Range<usize>) {
        for (index, group) in self.groups.iter().enumerate() {
            let at = (row_block * self.groups.len() + index) * PRODUCTS * ROWS;
            let sums: &[Line; PRODUCTS * ROWS] =
                self.scratch.sums[at..].first_chunk().expect("all places have a sum");
            for output in outputs.clone() {
                let pixels = self.pixels(simd, sums, output);
                self.write(simd, group, output, pixels);
            }
        }
    }

    /// The four rows of sixteen tiles, 64 pixels each.
    #[inline(always)]
    fn pixels<S: Simd>(
        &self,
        simd: S,
        sums: &[Line; PRODUCTS * ROWS],
        output: usize,
    ) -> [[S::Vector; 4]; OUT] {
        let zero = simd.splat(0.0);
        let bias = simd.splat(self.epilogue.bias.map_or(0.0, |bias| bias[output]));
        // Each row of six sums to four, then the columns of those.
        let mut rows = [[zero; OUT]; IN];
        for row in 0..IN {
            let mut line = [zero; IN];
            for column in 0..IN {
                line[column] = simd.load(&sums[(row * IN + column) * ROWS + output % ROWS].0);
            }
            rows[row] = transform::outputs(simd, line);
        }
        let mut pixels = [[zero; OUT]; OUT];
        for column in 0..OUT {
            let mut line = [zero; IN];
            for row in 0..IN {
                line[row] = rows[row][column];
            }
            let line = transform::outputs(simd, line);
            for row in 0..OUT {
                pixels[row][column] = simd.add(line[row], bias);
            }
        }
        for row in 0..OUT {
            pixels[row] = simd.interleave4(pixels[row]);
        }
        pixels
    }

    #[inline(always)]
    fn write<S: Simd>(&self, simd: S, group: &Group, output: usize, pixels: [[S::Vector; 4]; OUT]) {
        let size = self.grid.output;
        if let Some(run) = group.straight()
            && run.left + STRAIGHT <= size.width
        {
            for row in 0..OUT.min(size.height - run.top) {
                let start = self.output_at(run, row, output);
                // SAFETY: each tile belongs to one group, each group to one block, and these pixels to these tiles.
                #[allow(unsafe_code)]
                let target = unsafe { self.output.part(start..start + STRAIGHT) };
                for vector in 0..4 {
                    let at = vector * LANES;
                    let finished = self.epilogue.apply(simd, pixels[row][vector], start + at);
                    store_at(simd, finished, target, at);
                }
            }
            return;
        }
        let mut staged = [[0.0f32; STRAIGHT]; OUT];
        for row in 0..OUT {
            for vector in 0..4 {
                store_at(simd, pixels[row][vector], &mut staged[row], vector * LANES);
            }
        }
        for run in group.runs() {
            let columns = (run.len * OUT).min(size.width - run.left);
            for (row, staged) in staged.iter().enumerate().take(OUT.min(size.height - run.top)) {
                let start = self.output_at(run, row, output);
                // SAFETY: as above.
                #[allow(unsafe_code)]
                let target = unsafe { self.output.part(start..start + columns) };
                let staged = &staged[run.lane * OUT..][..columns];
                let whole = columns / LANES * LANES;
                for at in (0..whole).step_by(LANES) {
                    let finished = self.epilogue.apply(simd, load_at(simd, staged, at), start + at);
                    store_at(simd, finished, target, at);
                }
                for at in whole..columns {
                    target[at] = self.epilogue.apply_to_pixel(staged[at], start + at);
                }
            }
        }
    }

    /// Where in the output the first pixel of a run's row is.
    #[inline(always)]
    fn output_at(&self, run: &Run, row: usize, output: usize) -> usize {
        let size = self.grid.output;
        let plane = run.picture * self.weights.outputs + output;
        (plane * size.height + run.top + row) * size.width + run.left
    }
}
