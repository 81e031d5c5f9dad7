//! One block of tiles from pictures to pictures: the unit of work of a thread.

use super::Epilogue;
use super::gemm::{self, InputFactors, ROWS, WeightFactors};
use super::grid::{Grid, Group, Run};
use super::transform::{self, IN, OUT, PRODUCTS};
use crate::parallel::DisjointSlice;
use crate::simd::{Kernel, LANES, Line, Simd};

/// Columns that sixteen tiles side by side write.
const STRAIGHT: usize = LANES * OUT;

/// Memory of a thread, kept from block to block.
#[derive(Default)]
pub(super) struct Scratch {
    input_factors: Vec<Line>,
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
        let groups = self.groups.len();
        // An odd number of cache lines from place to place, so that the 36 do not compete for the same sets.
        let place_stride = (groups * inputs) | 1;
        resize(&mut self.scratch.input_factors, PRODUCTS * place_stride);
        resize(&mut self.scratch.sums, slab * ROWS * groups * PRODUCTS);

        self.transform_inputs(simd, place_stride);
        for (slab_index, slab_factors) in factors.chunks(slab * PRODUCTS * inputs).enumerate() {
            let row_blocks = slab_factors.len() / (PRODUCTS * inputs);
            let weights = WeightFactors { factors: slab_factors, row_blocks, channels: inputs };
            let pictures = InputFactors { factors: &self.scratch.input_factors, groups, place_stride };
            gemm::multiply(simd, &weights, &pictures, &mut self.scratch.sums);
            let first = slab_index * slab * ROWS;
            for output in first..outputs.min(first + row_blocks * ROWS) {
                self.transform_outputs(simd, output - first, output);
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
    fn transform_inputs<S: Simd>(&mut self, simd: S, place_stride: usize) {
        let channels = self.weights.inputs;
        let plane_len = self.grid.input.pixels();
        for channel in 0..channels {
            for (index, group) in self.groups.iter().enumerate() {
                let plane =
                    |run: &Run| &self.input[(run.picture * channels + channel) * plane_len..][..plane_len];
                let columns = match group.straight() {
                    Some(run) => self.straight_columns(simd, plane(run), run),
                    None => self.gathered_columns(simd, group, plane),
                };
                for (row, columns) in columns.into_iter().enumerate() {
                    for (column, factor) in transform::inputs(simd, columns).into_iter().enumerate() {
                        let at = (row * IN + column) * place_stride + index * channels + channel;
                        simd.store(factor, &mut self.scratch.input_factors[at].0);
                    }
                }
            }
        }
    }

    /// The columns of sixteen tiles side by side, already transformed from top to bottom: that is done before they
    /// are taken apart, for whole rows of pixels.
    #[inline(always)]
    fn straight_columns<S: Simd>(&self, simd: S, plane: &[f32], run: &Run) -> [[S::Vector; IN]; IN] {
        let mut rows = [[0.0f32; 80]; IN];
        for (row, to) in rows.iter_mut().enumerate() {
            self.grid.fill_straight(to, self.grid.input_row(plane, run.top, row), run.left);
        }
        transform_rows(simd, &mut rows);
        rows.map(|row| {
            let vectors =
                |first: usize| std::array::from_fn(|vector| simd.load(chunk(&row, first + vector * LANES)));
            let [a, b, c, d] = simd.deinterleave4(vectors(0));
            let [e, f, ..] = simd.deinterleave4(vectors(OUT));
            [a, b, c, d, e, f]
        })
    }

    /// The same for tiles that lie elsewhere: the first four columns of each, and the last two, are gathered.
    #[inline(always)]
    fn gathered_columns<'p, S: Simd>(
        &self,
        simd: S,
        group: &Group,
        plane: impl Fn(&Run) -> &'p [f32],
    ) -> [[S::Vector; IN]; IN] {
        let mut firsts = [[0.0f32; STRAIGHT]; IN];
        let mut lasts = [[0.0f32; STRAIGHT]; IN];
        for run in group.runs() {
            let plane = plane(run);
            let (from, len) = (run.lane * OUT, run.len * OUT);
            for row in 0..IN {
                let mut pixels = [0.0f32; STRAIGHT + OUT];
                let pixels = &mut pixels[..len + IN - OUT];
                self.grid.fill_columns(pixels, self.grid.input_row(plane, run.top, row), run.left);
                firsts[row][from..from + len].copy_from_slice(&pixels[..len]);
                lasts[row][from..from + len - OUT + 2].copy_from_slice(&pixels[OUT..]);
            }
        }
        transform_rows(simd, &mut firsts);
        transform_rows(simd, &mut lasts);
        std::array::from_fn(|row| {
            let columns = |rows: &[[f32; STRAIGHT]; IN]| {
                simd.deinterleave4(std::array::from_fn(|vector| simd.load(chunk(&rows[row], vector * LANES))))
            };
            let [a, b, c, d] = columns(&firsts);
            let [e, f, ..] = columns(&lasts);
            [a, b, c, d, e, f]
        })
    }

    #[inline(always)]
    fn transform_outputs<S: Simd>(&self, simd: S, sums_row: usize, output: usize) {
        let bias = simd.splat(self.epilogue.bias.map_or(0.0, |bias| bias[output]));
        for (index, group) in self.groups.iter().enumerate() {
            let at = (sums_row * self.groups.len() + index) * PRODUCTS;
            let (sums, _) = self.scratch.sums[at..at + PRODUCTS].as_chunks::<IN>();
            // Each row of six sums to four, then the columns of those.
            let rows: [[S::Vector; OUT]; IN] = std::array::from_fn(|row| {
                transform::outputs(simd, sums[row].each_ref().map(|line| simd.load(&line.0)))
            });
            let columns: [[S::Vector; OUT]; OUT] =
                std::array::from_fn(|column| transform::outputs(simd, rows.map(|row| row[column])));
            let pixels: [[S::Vector; 4]; OUT] = std::array::from_fn(|row| {
                simd.interleave4(columns.map(|column| simd.add(column[row], bias)))
            });
            self.write(simd, group, output, pixels);
        }
    }

    #[inline(always)]
    fn write<S: Simd>(&self, simd: S, group: &Group, output: usize, pixels: [[S::Vector; 4]; OUT]) {
        let size = self.grid.output;
        let row_start = |run: &Run, row: usize| {
            let plane = run.picture * self.weights.outputs + output;
            (plane * size.height + run.top + row) * size.width + run.left
        };
        if let Some(run) = group.straight()
            && run.left + STRAIGHT <= size.width
        {
            let rows = OUT.min(size.height - run.top);
            for (row, vectors) in pixels.into_iter().enumerate().take(rows) {
                let start = row_start(run, row);
                for (vector, pixels) in vectors.into_iter().enumerate() {
                    let at = start + vector * LANES;
                    let pixels = self.epilogue.apply(simd, pixels, at);
                    // SAFETY: each tile belongs to one group, each group to one block, and this row to one tile.
                    #[allow(unsafe_code)]
                    let target = unsafe { self.output.part(at..at + LANES) };
                    let (target, _) = target.as_chunks_mut::<LANES>();
                    simd.store(pixels, &mut target[0]);
                }
            }
            return;
        }
        let mut staged = [[0.0f32; STRAIGHT]; OUT];
        for (row, vectors) in pixels.into_iter().enumerate() {
            let (chunks, _) = staged[row].as_chunks_mut::<LANES>();
            for (vector, to) in vectors.into_iter().zip(chunks) {
                simd.store(vector, to);
            }
        }
        for run in group.runs() {
            let columns = (run.len * OUT).min(size.width - run.left);
            for (row, staged) in staged.iter().enumerate().take(OUT.min(size.height - run.top)) {
                let start = row_start(run, row);
                // SAFETY: as above.
                #[allow(unsafe_code)]
                let target = unsafe { self.output.part(start..start + columns) };
                let staged = &staged[run.lane * OUT..][..columns];
                for (column, (target, &pixel)) in target.iter_mut().zip(staged).enumerate() {
                    *target = self.epilogue.apply_to_pixel(pixel, start + column);
                }
            }
        }
    }
}

/// Transforms six rows of pixels from top to bottom, in place.
#[inline(always)]
fn transform_rows<S: Simd, const WIDTH: usize>(simd: S, rows: &mut [[f32; WIDTH]; IN]) {
    for first in (0..WIDTH).step_by(LANES) {
        let column = std::array::from_fn(|row| simd.load(chunk(&rows[row], first)));
        for (row, factor) in transform::inputs(simd, column).into_iter().enumerate() {
            let (to, _) = rows[row][first..].as_chunks_mut::<LANES>();
            simd.store(factor, &mut to[0]);
        }
    }
}

#[inline(always)]
fn chunk(values: &[f32], first: usize) -> &[f32; LANES] {
    values[first..].first_chunk().expect("a vector's worth is left")
}
