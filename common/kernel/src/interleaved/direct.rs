//! Convolutions done directly: large kernels, and strides.
#![allow(clippy::needless_range_loop)] // loops over vectors, see `simd`

use std::ops::Range;

use super::norm::Norm;
use super::product::{self, Finish, OVERREAD, Products, VECTORS, Weights};
use super::rows::{Border, Rows, RowsMut};
use super::scratch::{Pooled, at_least};
use super::statistics::{Moments, RowStatistics, Tally};
use super::{CHANNEL_MULTIPLE, stored_channels};
use crate::parallel::{self, DisjointSlice};
use crate::simd::{InstructionSet, Kernel, LANES, Line, Simd, load_at, store_at};

/// Output rows that are made together, and whose statistics are kept together.
const GROUP_ROWS: usize = 4;

/// Output pixels of a row that are made together: what they need stays in a core's cache.
const SEGMENT: usize = 96;

/// A square convolution, made ready.
pub struct DirectConv {
    /// `[output blocks][kernel rows][kernel columns][stored inputs]`
    weights: Vec<Weights>,
    stored_inputs: usize,
    stored_outputs: usize,
    kernel: usize,
    stride: usize,
}

impl DirectConv {
    /// The convolution with `weight` `[outputs, inputs, kernel, kernel]`, of pictures that have `stored_inputs` values a
    /// pixel. There is no bias: the norm behind it would take it out.
    ///
    /// # Panics
    /// If `weight` has another length.
    pub fn prepare(
        weight: &[f32],
        outputs: usize,
        inputs: usize,
        stored_inputs: usize,
        kernel: usize,
        stride: usize,
    ) -> Self {
        assert_eq!(weight.len(), outputs * inputs * kernel * kernel, "weight is [outputs, inputs, k, k]");
        assert!(inputs <= stored_inputs, "stored inputs");
        let stored_outputs = stored_channels(outputs);
        let run = kernel * stored_inputs;
        let mut weights = vec![[Line::ZERO; VECTORS]; stored_outputs / CHANNEL_MULTIPLE * kernel * run];
        for output in 0..outputs {
            let (block, lane) = (output / CHANNEL_MULTIPLE, output % CHANNEL_MULTIPLE);
            for input in 0..inputs {
                for (row, column) in (0..kernel).flat_map(|row| (0..kernel).map(move |column| (row, column)))
                {
                    let at = (block * kernel + row) * run + column * stored_inputs + input;
                    weights[at][lane / LANES].0[lane % LANES] =
                        weight[((output * inputs + input) * kernel + row) * kernel + column];
                }
            }
        }
        Self { weights, stored_inputs, stored_outputs, kernel, stride }
    }

    /// Values of a pixel of the result.
    pub fn stored_outputs(&self) -> usize {
        self.stored_outputs
    }

    /// The result's rows that belong together: bands whose statistics are gathered begin at multiples of it.
    pub const fn row_group() -> usize {
        GROUP_ROWS
    }

    /// For a result of this height.
    pub fn statistics(&self, height: usize) -> RowStatistics {
        RowStatistics::new(height.div_ceil(GROUP_ROWS), self.stored_outputs)
    }

    /// The rows of the input that rows of the result need, as far as there are any.
    pub fn needed_rows(&self, rows: &Range<usize>, before: usize, height: usize) -> Range<usize> {
        let start = (rows.start * self.stride) as isize - before as isize;
        let end = start + ((rows.len() - 1) * self.stride + self.kernel) as isize;
        // What is mirrored at a border reaches as far inside.
        let (above, below) = ((-start).max(0), (end - height as isize).max(0));
        let start = start.max(0).min(height as isize - 1 - below).max(0) as usize;
        start..(end.max(above + 1) as usize).min(height)
    }

    /// Convolves `input`, normalised by `norm` and rectified if there is one, continued by `border` and starting `before`
    /// pixels before it, into rows of a result of `width` pixels `[rows, width, stored outputs]`.
    ///
    /// # Panics
    /// If the input lacks rows or channels, or rows with statistics do not begin at a [group](Self::row_group).
    #[allow(clippy::too_many_arguments)]
    pub fn convolve(
        &self,
        input: Rows<'_>,
        norm: Option<&Norm>,
        (border, before): (Border, usize),
        output: RowsMut<'_>,
        width: usize,
        statistics: Option<&mut RowStatistics>,
        threads: usize,
    ) {
        let RowsMut { values, rows } = output;
        let row_length = width * self.stored_outputs;
        assert_eq!(input.channels, self.stored_inputs, "channels");
        assert_eq!(values.len(), rows.len() * row_length, "output: {rows:?}");
        assert!(statistics.is_none() || rows.start.is_multiple_of(GROUP_ROWS), "statistics of {rows:?}");
        let values = DisjointSlice::new(values);
        let moments = statistics.map(RowStatistics::shared);
        parallel::for_each_with(threads, rows.len().div_ceil(GROUP_ROWS), Pooled::take, |pooled, group| {
            let start = rows.start + group * GROUP_ROWS;
            let group_rows = start..rows.end.min(start + GROUP_ROWS);
            let (from, to) = ((start - rows.start) * row_length, (group_rows.end - rows.start) * row_length);
            let index = start / GROUP_ROWS * self.stored_outputs;
            // SAFETY: each group of rows is one item.
            #[allow(unsafe_code)]
            let (output, moments) = unsafe {
                let moments = moments.as_ref().map(|all| all.part(index..index + self.stored_outputs));
                (values.part(from..to), moments)
            };
            InstructionSet::best().run(Group {
                conv: self,
                input,
                norm,
                border,
                before,
                output,
                rows: group_rows,
                width,
                moments,
                scratch: &mut pooled.0.inputs,
            });
        });
    }
}

/// A few rows of the result.
struct Group<'a> {
    conv: &'a DirectConv,
    input: Rows<'a>,
    norm: Option<&'a Norm>,
    border: Border,
    before: usize,
    output: &'a mut [f32],
    rows: Range<usize>,
    width: usize,
    moments: Option<&'a mut [Moments]>,
    scratch: &'a mut Vec<Line>,
}

impl Kernel for Group<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        let DirectConv { stored_inputs: channels, stored_outputs, kernel, stride, .. } = *self.conv;
        let columns = (SEGMENT + OVERREAD - 1) * stride + kernel;
        let pitch = (columns * channels).next_multiple_of(LANES);
        let packed_rows = (self.rows.len() - 1) * stride + kernel;
        let packed = Line::flat_mut(at_least(self.scratch, packed_rows * pitch / LANES));
        for left in (0..self.width).step_by(SEGMENT) {
            let pixels = SEGMENT.min(self.width - left);
            for (row, packed) in packed.chunks_exact_mut(pitch).enumerate() {
                let at = (self.rows.start * stride + row) as isize - self.before as isize;
                let source = self.input.bordered_row(at, self.border);
                let first = (left * stride) as isize - self.before as isize;
                let packed = &mut packed[..((pixels - 1) * stride + kernel) * channels];
                pack(simd, packed, source, channels, first, self.border, self.norm);
            }
            for block in 0..stored_outputs / CHANNEL_MULTIPLE {
                let panel = kernel * kernel * channels;
                let mut tallies = [Tally::EMPTY; VECTORS];
                for row in 0..self.rows.len() {
                    let products = Products {
                        inputs: &packed[row * stride * pitch..],
                        pixel_step: stride * channels,
                        run_step: pitch,
                        runs: kernel,
                        weights: &self.conv.weights[block * panel..][..panel],
                    };
                    let first = (row * self.width + left) * stored_outputs + block * CHANNEL_MULTIPLE;
                    let mut store = Store {
                        output: &mut self.output[first..],
                        pixel_step: stored_outputs,
                        pixels,
                        tallies: &mut tallies,
                    };
                    product::multiply(simd, &products, pixels, &mut store);
                }
                if let Some(moments) = &mut self.moments {
                    for (vector, tally) in tallies.iter_mut().enumerate() {
                        tally.drain_into(&mut moments[block * CHANNEL_MULTIPLE + vector * LANES..]);
                    }
                }
            }
        }
    }
}

/// Fills `packed` with the pixels of `row` from column `first` on, continued by `border`, and normalised.
#[inline(always)]
pub(super) fn pack<S: Simd>(
    simd: S,
    packed: &mut [f32],
    row: Option<&[f32]>,
    channels: usize,
    first: isize,
    border: Border,
    norm: Option<&Norm>,
) {
    let Some(row) = row else {
        packed.fill(0.0);
        return;
    };
    let width = row.len() / channels;
    for (column, pixel) in packed.chunks_exact_mut(channels).enumerate() {
        let Some(source) = border.source(first + column as isize, width) else {
            pixel.fill(0.0);
            continue;
        };
        let source = &row[source * channels..][..channels];
        if !channels.is_multiple_of(LANES) {
            pixel.copy_from_slice(source);
            continue;
        }
        for channel in (0..channels).step_by(LANES) {
            let mut value = load_at(simd, source, channel);
            if let Some(norm) = norm {
                value = norm.apply_with_relu(simd, value, channel);
            }
            store_at(simd, value, pixel, channel);
        }
    }
}

/// Writes sums to their pixels.
struct Store<'a> {
    output: &'a mut [f32],
    pixel_step: usize,
    pixels: usize,
    tallies: &'a mut [Tally; VECTORS],
}

impl<S: Simd> Finish<S> for Store<'_> {
    #[inline(always)]
    fn finish<const PIXELS: usize>(&mut self, simd: S, first: usize, sums: &[[S::Vector; VECTORS]; PIXELS]) {
        let count = PIXELS.min(self.pixels - first);
        for vector in 0..VECTORS {
            let mut values = [simd.splat(0.0); PIXELS];
            for pixel in 0..PIXELS {
                values[pixel] = sums[pixel][vector];
            }
            for pixel in 0..PIXELS {
                if pixel < count {
                    let at = (first + pixel) * self.pixel_step + vector * LANES;
                    store_at(simd, values[pixel], self.output, at);
                }
            }
            self.tallies[vector].add(simd, &values, count);
        }
    }
}
