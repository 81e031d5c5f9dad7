//! The last convolution, from many channels to three.
//!
//! Three output channels leave most of a vector unused. So each row of the 9x9 kernel makes three channels of its own, 27 in
//! one 1x9 convolution, and the rows' results are summed up where they meet.
#![allow(clippy::needless_range_loop)] // loops over vectors, see `simd`

use std::ops::Range;

use super::CHANNEL_MULTIPLE;
use super::direct::pack;
use super::norm::Norm;
use super::product::{self, Keep, OVERREAD, Products, VECTORS, Weights};
use super::rows::{Border, Rows};
use super::scratch::{Pooled, Scratch, at_least};
use crate::parallel::{self, DisjointSlice};
use crate::simd::{InstructionSet, Kernel, LANES, Line, Simd, load_at, store_at};

/// Colours of the result.
const COLOURS: usize = 3;

/// Columns that are made together: the kernel's rows of so many stay in a core's second cache.
const SEGMENT: usize = 256;

/// A square convolution to three channels of stride 1 that keeps its input's size, made ready.
pub struct RowSumConv {
    /// `[kernel columns][stored inputs]`, outputs by kernel row and colour.
    weights: Vec<Weights>,
    bias: [f32; COLOURS],
    stored_inputs: usize,
    kernel: usize,
}

impl RowSumConv {
    /// The convolution with `weight` `[3, inputs, kernel, kernel]` and `bias` `[3]`, of pictures that have `stored_inputs`
    /// values a pixel.
    ///
    /// # Panics
    /// If `weight` has another length, or the kernel more than 10 rows.
    pub fn prepare(
        weight: &[f32],
        bias: [f32; 3],
        inputs: usize,
        stored_inputs: usize,
        kernel: usize,
    ) -> Self {
        assert_eq!(weight.len(), COLOURS * inputs * kernel * kernel, "weight is [3, inputs, k, k]");
        assert!(COLOURS * kernel <= CHANNEL_MULTIPLE, "a kernel of {kernel} rows");
        let mut weights = vec![[Line::ZERO; VECTORS]; kernel * stored_inputs];
        for (colour, input) in (0..COLOURS).flat_map(|colour| (0..inputs).map(move |input| (colour, input))) {
            for (row, column) in (0..kernel).flat_map(|row| (0..kernel).map(move |column| (row, column))) {
                let lane = row * COLOURS + colour;
                weights[column * stored_inputs + input][lane / LANES].0[lane % LANES] =
                    weight[((colour * inputs + input) * kernel + row) * kernel + column];
            }
        }
        Self { weights, bias, stored_inputs, kernel }
    }

    /// The rows of the input that rows of the result need.
    pub fn needed_rows(&self, rows: &Range<usize>, height: usize) -> Range<usize> {
        let half = self.kernel / 2;
        rows.start.saturating_sub(half)..(rows.end + half).min(height)
    }

    /// Convolves `input`, normalised by `norm` and rectified, at `rows` into planes `[3, rows, width]`.
    ///
    /// # Panics
    /// If the input lacks rows or channels.
    pub fn convolve(
        &self,
        input: Rows<'_>,
        norm: &Norm,
        border: Border,
        rows: &Range<usize>,
        planes: &mut [f32],
        threads: usize,
    ) {
        assert_eq!(input.channels, self.stored_inputs, "channels");
        assert_eq!(planes.len(), COLOURS * rows.len() * input.width, "planes: {rows:?}");
        let planes = DisjointSlice::new(planes);
        // Each chunk of rows makes a kernel's height of rows more than it has.
        let chunk = rows.len().div_ceil(2 * threads.max(1)).clamp(16, 256);
        let segments = input.width.div_ceil(SEGMENT);
        parallel::for_each_with(
            threads,
            rows.len().div_ceil(chunk) * segments,
            Pooled::take,
            |pooled, item| {
                let (chunk_index, segment) = (item / segments, item % segments);
                let start = rows.start + chunk_index * chunk;
                let left = segment * SEGMENT;
                InstructionSet::best().run(Part {
                    picture: Picture { conv: self, input, norm, border, rows, planes: &planes },
                    rows: start..rows.end.min(start + chunk),
                    columns: left..input.width.min(left + SEGMENT),
                    scratch: &mut pooled.0,
                });
            },
        );
    }
}

/// What becomes of what.
#[derive(Clone, Copy)]
struct Picture<'a> {
    conv: &'a RowSumConv,
    input: Rows<'a>,
    norm: &'a Norm,
    border: Border,
    /// Those of `planes`.
    rows: &'a Range<usize>,
    planes: &'a DisjointSlice<'a>,
}

/// Some rows and columns of the result.
struct Part<'a> {
    picture: Picture<'a>,
    rows: Range<usize>,
    columns: Range<usize>,
    scratch: &'a mut Scratch,
}

impl Kernel for Part<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Picture { conv, input, norm, border, .. } = self.picture;
        let RowSumConv { stored_inputs: channels, kernel, .. } = *conv;
        let (half, pixels) = ((kernel / 2) as isize, self.columns.len());
        let packed = (SEGMENT + OVERREAD + kernel - 1) * channels;
        let packed = Line::flat_mut(at_least(&mut self.scratch.inputs, packed / LANES));
        // The sums of the kernel's rows, in turns; the last pixel's are read beyond its end.
        let ring_row = (SEGMENT + OVERREAD + 1) * VECTORS;
        let ring = at_least(&mut self.scratch.sums, kernel * ring_row);
        for at in self.rows.start as isize - half..self.rows.end as isize + half {
            let turn = (at + half) as usize % kernel;
            let sums = &mut ring[turn * ring_row..][..ring_row];
            if let Some(row) = input.bordered_row(at, border) {
                let packed = &mut packed[..(pixels + kernel - 1) * channels];
                let first = self.columns.start as isize - half;
                pack(simd, packed, Some(row), channels, first, border, Some(norm));
            } else {
                packed.fill(0.0);
            }
            let products = Products {
                inputs: packed,
                pixel_step: channels,
                run_step: 0,
                runs: 1,
                weights: &conv.weights,
            };
            product::multiply(simd, &products, pixels, &mut Keep { sums });
            if at >= self.rows.start as isize + half {
                self.picture.write_row(simd, (at - half) as usize, &self.columns, ring, ring_row);
            }
        }
    }
}

impl Picture<'_> {
    #[inline(always)]
    fn write_row<S: Simd>(
        &self,
        simd: S,
        row: usize,
        columns: &Range<usize>,
        ring: &[Line],
        ring_row: usize,
    ) {
        let (kernel, width) = (self.conv.kernel, self.input.width);
        let (pixels, plane) = (columns.len(), self.rows.len() * width);
        let start = (row - self.rows.start) * width + columns.start;
        // SAFETY: rows and columns of parts do not overlap.
        #[allow(unsafe_code)]
        let [red, green, blue] = unsafe {
            [0, 1, 2].map(|colour| self.planes.part(colour * plane + start..colour * plane + start + pixels))
        };
        // The kernel's first row fell on `row - half`, which was made in turn `row`.
        let mut rows: [&[f32]; 10] = [&[]; 10];
        for kernel_row in 0..kernel {
            let turn = (row + kernel_row) % kernel;
            rows[kernel_row] = &Line::flat(&ring[turn * ring_row..][..ring_row])[kernel_row * COLOURS..];
        }
        let [bias_red, bias_green, bias_blue] = self.conv.bias;
        for pixel in 0..pixels {
            let mut sum = simd.splat(0.0);
            for kernel_row in 0..kernel {
                sum = simd.add(sum, load_at(simd, rows[kernel_row], pixel * CHANNEL_MULTIPLE));
            }
            let mut colours = [0.0; LANES];
            store_at(simd, sum, &mut colours, 0);
            red[pixel] = colours[0] + bias_red;
            green[pixel] = colours[1] + bias_green;
            blue[pixel] = colours[2] + bias_blue;
        }
    }
}
