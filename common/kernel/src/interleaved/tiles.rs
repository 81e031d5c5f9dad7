//! 3x3 convolutions of stride 1 by Winograd's F(4x4, 3x3), as [`crate::winograd`], and those that double the resolution:
//! each pixel of the result sees at most 3x3 pixels of the small picture, so that four convolutions of that make the four
//! kinds of pixels.
#![allow(clippy::needless_range_loop)] // loops over vectors, see `simd`

use std::ops::Range;

use super::norm::Norm;
use super::product::{self, Keep, OVERREAD, Products, VECTORS, Weights};
use super::rows::{Border, Rows};
use super::scratch::{Pooled, Scratch, at_least};
use super::statistics::{Moments, RowStatistics, Tally};
use super::{CHANNEL_MULTIPLE, stored_channels};
use crate::parallel::{self, DisjointSlice};
use crate::simd::{InstructionSet, Kernel, LANES, Line, Simd, load_at, store_at};
use crate::winograd::transform::{self, IN, OUT, PRODUCTS};

/// Tiles that are multiplied together: enough that reading the weights is paid for, few enough that what lies between
/// fits into a core's second cache.
const TILES: usize = 64;

/// A group of rows has at least this many tiles, if the picture has.
const GROUP_TILES: usize = 48;

/// How the result is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Write {
    /// As large as the input.
    Same,
    /// Twice as large in both directions.
    Doubled,
}

/// A 3x3 convolution, made ready.
pub struct TileConv {
    /// `[output blocks][places][stored inputs]`; where the result is doubled, outputs by row parity, column parity and
    /// channel.
    weights: Vec<Weights>,
    stored_inputs: usize,
    /// Values of a pixel of the result.
    stored_outputs: usize,
    write: Write,
}

impl TileConv {
    /// The convolution with `weight` `[outputs, inputs, 3, 3]`, made ready on up to `threads` threads. There is no bias: the norm behind it would take it out.
    ///
    /// # Panics
    /// If `weight` has another length.
    pub fn prepare(weight: &[f32], outputs: usize, inputs: usize, threads: usize) -> Self {
        assert_eq!(weight.len(), outputs * inputs * 9, "weight is [outputs, inputs, 3, 3]");
        Self::from_weights([outputs, inputs], Write::Same, threads, |_, output, input, row, column| {
            f64::from(weight[(output * inputs + input) * 9 + row * 3 + column])
        })
    }

    /// The convolution with `weight` `[outputs, inputs, 3, 3]` of the picture enlarged to double its size by nearest
    /// neighbour. A border that mirrors the enlarged picture is one that [replicates](Border::Replicate) the small one.
    ///
    /// # Panics
    /// If `weight` has another length.
    pub fn prepare_doubling(weight: &[f32], outputs: usize, inputs: usize, threads: usize) -> Self {
        /// Which of the kernel's rows fall on which of three small rows, for even and odd rows of the result.
        const FALLING: [[&[usize]; 3]; 2] = [[&[0], &[1, 2], &[]], [&[], &[0, 1], &[2]]];
        assert_eq!(weight.len(), outputs * inputs * 9, "weight is [outputs, inputs, 3, 3]");
        Self::from_weights(
            [outputs, inputs],
            Write::Doubled,
            threads,
            |parity, output, input, row, column| {
                let kernel = &weight[(output * inputs + input) * 9..][..9];
                let (rows, columns) = (FALLING[parity[0]][row], FALLING[parity[1]][column]);
                let entries = rows.iter().flat_map(|row| columns.iter().map(move |column| row * 3 + column));
                entries.map(|entry| f64::from(kernel[entry])).sum()
            },
        )
    }

    /// The transposed convolution of stride 2 with `weight` `[inputs, outputs, 3, 3]`, of whose full result the first
    /// `cut` (0 or 1) rows and columns are left out, and the last ones, so that it is twice as large as the input. Its
    /// border is [`Border::Zero`].
    ///
    /// # Panics
    /// If `weight` has another length.
    pub fn prepare_transposed(
        weight: &[f32],
        outputs: usize,
        inputs: usize,
        cut: usize,
        threads: usize,
    ) -> Self {
        assert_eq!(weight.len(), outputs * inputs * 9, "weight is [inputs, outputs, 3, 3]");
        // Row `2 small + kernel row - cut` of the result has a product of that small row.
        let entry = move |parity: usize, place: usize| {
            let kernel = (parity + cut) as isize - 2 * (place as isize - 1);
            (0..3).contains(&kernel).then_some(kernel as usize)
        };
        Self::from_weights(
            [outputs, inputs],
            Write::Doubled,
            threads,
            |parity, output, input, row, column| match (entry(parity[0], row), entry(parity[1], column)) {
                (Some(row), Some(column)) => {
                    f64::from(weight[(input * outputs + output) * 9 + row * 3 + column])
                }
                _ => 0.0,
            },
        )
    }

    /// `weight(parity, output, input, row, column)`
    fn from_weights(
        [outputs, inputs]: [usize; 2],
        write: Write,
        threads: usize,
        weight: impl Fn([usize; 2], usize, usize, usize, usize) -> f64 + Sync,
    ) -> Self {
        let (stored_inputs, stored_outputs) = (stored_channels(inputs), stored_channels(outputs));
        let kinds = if write == Write::Doubled { 4 } else { 1 };
        let panel = PRODUCTS * stored_inputs;
        let blocks = kinds * stored_outputs / CHANNEL_MULTIPLE;
        let mut weights = vec![[Line::ZERO; VECTORS]; blocks * panel];
        let panels = DisjointSlice::new(&mut weights);
        parallel::for_each(threads, blocks, |block| {
            // SAFETY: each block is one item.
            #[allow(unsafe_code)]
            let panel = unsafe { panels.part(block * panel..(block + 1) * panel) };
            for input in 0..inputs {
                let mut kernel = [[0.0; CHANNEL_MULTIPLE]; 9];
                for lane in 0..CHANNEL_MULTIPLE {
                    let channel = block * CHANNEL_MULTIPLE + lane;
                    let (kind, output) = (channel / stored_outputs, channel % stored_outputs);
                    if output < outputs {
                        for (entry, values) in kernel.iter_mut().enumerate() {
                            values[lane] = weight([kind / 2, kind % 2], output, input, entry / 3, entry % 3);
                        }
                    }
                }
                for (place, factors) in factors(&kernel).iter().enumerate() {
                    for (lane, &factor) in factors.iter().enumerate() {
                        panel[place * stored_inputs + input][lane / LANES].0[lane % LANES] = factor as f32;
                    }
                }
            }
        });
        Self { weights, stored_inputs, stored_outputs, write }
    }

    /// Values of a pixel of the result.
    pub fn stored_outputs(&self) -> usize {
        self.stored_outputs
    }

    /// The factor from the input's sides to the result's.
    pub fn enlargement(&self) -> usize {
        if self.write == Write::Doubled { 2 } else { 1 }
    }

    /// The input's rows that belong together, for a picture of this width: bands whose statistics are gathered begin at
    /// multiples of it. Other bands begin and end at multiples of 4.
    pub fn row_group(width: usize) -> usize {
        GROUP_TILES.div_ceil(width.div_ceil(OUT)) * OUT
    }

    /// For an input of this size.
    pub fn statistics(&self, height: usize, width: usize) -> RowStatistics {
        RowStatistics::new(height.div_ceil(Self::row_group(width)), self.stored_outputs)
    }

    /// The rows of the input that those at the places of `rows` need.
    #[allow(clippy::unused_self)] // as of the other convolutions
    pub fn needed_rows(&self, rows: &Range<usize>, height: usize) -> Range<usize> {
        rows.start.saturating_sub(1)..(rows.end.next_multiple_of(OUT) + 1).min(height)
    }

    /// Convolves `input`, normalised by `norm` and rectified if there is one, at its rows `rows`, into `output`,
    /// `[rows, width, stored outputs]`, doubled if so prepared.
    ///
    /// # Panics
    /// If the input lacks rows or channels, or `rows` begins amid tiles, or, with statistics, amid a
    /// [group](Self::row_group).
    #[allow(clippy::too_many_arguments)]
    pub fn convolve(
        &self,
        input: Rows<'_>,
        norm: Option<&Norm>,
        border: Border,
        rows: &Range<usize>,
        output: &mut [f32],
        statistics: Option<&mut RowStatistics>,
        threads: usize,
    ) {
        let enlargement = self.enlargement();
        let row_length = enlargement * enlargement * input.width * self.stored_outputs;
        let group_rows = Self::row_group(input.width);
        assert_eq!(input.channels, self.stored_inputs, "channels");
        assert_eq!(output.len(), rows.len() * row_length, "output: {rows:?}");
        assert!(rows.start.is_multiple_of(OUT), "{rows:?} begins amid tiles");
        assert!(rows.end.is_multiple_of(OUT) || rows.end == input.height, "{rows:?} ends amid tiles");
        assert!(statistics.is_none() || rows.start.is_multiple_of(group_rows), "statistics of {rows:?}");
        let output = DisjointSlice::new(output);
        let moments = statistics.map(RowStatistics::shared);
        parallel::for_each_with(threads, rows.len().div_ceil(group_rows), Pooled::take, |pooled, group| {
            let start = rows.start + group * group_rows;
            let band = start..rows.end.min(start + group_rows);
            let (from, to) = ((start - rows.start) * row_length, (band.end - rows.start) * row_length);
            let index = start / group_rows * self.stored_outputs;
            // SAFETY: each group of rows is one item.
            #[allow(unsafe_code)]
            let (output, moments) = unsafe {
                let moments = moments.as_ref().map(|all| all.part(index..index + self.stored_outputs));
                (output.part(from..to), moments)
            };
            InstructionSet::best().run(Group {
                conv: self,
                input,
                norm,
                border,
                rows: band,
                output,
                moments,
                scratch: &mut pooled.0,
            });
        });
    }
}

/// G g G^T of kernels, each row of three weights to six, then the columns of those.
fn factors(kernel: &[[f64; CHANNEL_MULTIPLE]; 9]) -> [[f64; CHANNEL_MULTIPLE]; PRODUCTS] {
    let wide: [[[f64; CHANNEL_MULTIPLE]; IN]; 3] = std::array::from_fn(|row| {
        transform::weights(&[kernel[3 * row], kernel[3 * row + 1], kernel[3 * row + 2]])
    });
    let mut factors = [[0.0; CHANNEL_MULTIPLE]; PRODUCTS];
    for column in 0..IN {
        let rows = transform::weights(&[wide[0][column], wide[1][column], wide[2][column]]);
        for (row, values) in rows.into_iter().enumerate() {
            factors[row * IN + column] = values;
        }
    }
    factors
}

/// A few rows of tiles.
struct Group<'a> {
    conv: &'a TileConv,
    input: Rows<'a>,
    norm: Option<&'a Norm>,
    border: Border,
    rows: Range<usize>,
    output: &'a mut [f32],
    moments: Option<&'a mut [Moments]>,
    scratch: &'a mut Scratch,
}

/// Where a tile's first pixel is.
#[derive(Clone, Copy)]
struct Tile {
    top: usize,
    left: usize,
}

impl Kernel for Group<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { conv, input, norm, border, rows, output, mut moments, scratch } = self;
        let channels = conv.stored_inputs;
        let across = input.width.div_ceil(OUT);
        let all = rows.len().div_ceil(OUT) * across;
        let chunk = all.div_ceil(all.div_ceil(TILES));
        // Odd numbers of cache lines, so that the places do not compete for the same sets.
        let input_stride = ((chunk + OVERREAD) * channels / LANES) | 1;
        let sum_stride = ((chunk + OVERREAD) * VECTORS) | 1;
        let factors = at_least(&mut scratch.inputs, PRODUCTS * input_stride);
        let sums = at_least(&mut scratch.sums, PRODUCTS * sum_stride);
        let tile_at =
            |index: usize| Tile { top: rows.start + index / across * OUT, left: index % across * OUT };
        let mut outputs = Outputs { output, conv, rows: rows.clone(), width: input.width };
        for first in (0..all).step_by(chunk) {
            let tiles = chunk.min(all - first);
            for tile in 0..tiles {
                let source = Source { input, norm, border, tile: tile_at(first + tile) };
                source.transform(simd, &mut factors[tile * channels / LANES..], input_stride);
            }
            for block in 0..conv.weights.len() / (PRODUCTS * channels) {
                for place in 0..PRODUCTS {
                    let products = Products {
                        inputs: Line::flat(&factors[place * input_stride..]),
                        pixel_step: channels,
                        run_step: 0,
                        runs: 1,
                        weights: &conv.weights[(block * PRODUCTS + place) * channels..][..channels],
                    };
                    let mut keep = Keep { sums: &mut sums[place * sum_stride..] };
                    product::multiply(simd, &products, tiles, &mut keep);
                }
                let mut tallies = [Tally::EMPTY; VECTORS];
                for tile in 0..tiles {
                    for vector in 0..VECTORS {
                        let sums = &sums[tile * VECTORS + vector..];
                        let pixels = tile_outputs(simd, sums, sum_stride);
                        outputs.write(
                            simd,
                            &pixels,
                            tile_at(first + tile),
                            block * CHANNEL_MULTIPLE + vector * LANES,
                            &mut tallies[vector],
                        );
                    }
                }
                if let Some(moments) = &mut moments {
                    let channel = block * CHANNEL_MULTIPLE % conv.stored_outputs;
                    for (vector, tally) in tallies.iter_mut().enumerate() {
                        tally.drain_into(&mut moments[channel + vector * LANES..]);
                    }
                }
            }
        }
    }
}

/// The 6x6 pixels that a tile is made from.
struct Source<'a> {
    input: Rows<'a>,
    norm: Option<&'a Norm>,
    border: Border,
    tile: Tile,
}

impl Source<'_> {
    /// Writes the 36 factors of each channel, a place every `stride` lines.
    #[inline(always)]
    fn transform<S: Simd>(&self, simd: S, factors: &mut [Line], stride: usize) {
        let Rows { width, channels, .. } = self.input;
        let mut rows: [Option<&[f32]>; IN] = [None; IN];
        let mut columns = [None; IN];
        for at in 0..IN {
            // Only results that are thrown away see more than one row beyond the picture. They may see that one again, so that
            // no more rows are needed.
            let row = (self.tile.top + at).min(self.input.height + 1) as isize - 1;
            rows[at] = self.input.bordered_row(row, self.border);
            columns[at] = self.border.source((self.tile.left + at) as isize - 1, width);
        }
        for (line, channel) in (0..channels).step_by(LANES).enumerate() {
            // B^T d B: the columns of six pixels, then the rows of those.
            let mut half = [[simd.splat(0.0); IN]; IN];
            for column in 0..IN {
                let mut pixels = [simd.splat(0.0); IN];
                if let Some(column) = columns[column] {
                    for row in 0..IN {
                        if let Some(row_values) = rows[row] {
                            let value = load_at(simd, row_values, column * channels + channel);
                            pixels[row] = match self.norm {
                                Some(norm) => norm.apply_with_relu(simd, value, channel),
                                None => value,
                            };
                        }
                    }
                }
                let pixels = transform::inputs(simd, pixels);
                for row in 0..IN {
                    half[row][column] = pixels[row];
                }
            }
            for row in 0..IN {
                let places = transform::inputs(simd, half[row]);
                for column in 0..IN {
                    simd.store(places[column], &mut factors[(row * IN + column) * stride + line].0);
                }
            }
        }
    }
}

/// The 4x4 pixels of a tile from its 36 sums, one every `stride` lines.
#[inline(always)]
fn tile_outputs<S: Simd>(simd: S, sums: &[Line], stride: usize) -> [[S::Vector; OUT]; OUT] {
    let zero = simd.splat(0.0);
    let mut half = [[zero; OUT]; IN];
    for row in 0..IN {
        let mut line = [zero; IN];
        for column in 0..IN {
            line[column] = simd.load(&sums[(row * IN + column) * stride].0);
        }
        half[row] = transform::outputs(simd, line);
    }
    let mut pixels = [[zero; OUT]; OUT];
    for column in 0..OUT {
        let mut line = [zero; IN];
        for row in 0..IN {
            line[row] = half[row][column];
        }
        let line = transform::outputs(simd, line);
        for row in 0..OUT {
            pixels[row][column] = line[row];
        }
    }
    pixels
}

/// Where tiles' pixels go.
struct Outputs<'a> {
    output: &'a mut [f32],
    conv: &'a TileConv,
    rows: Range<usize>,
    width: usize,
}

impl Outputs<'_> {
    /// Writes 16 channels of a tile, of which `channel` is the first, counted through all blocks.
    #[inline(always)]
    fn write<S: Simd>(
        &mut self,
        simd: S,
        pixels: &[[S::Vector; OUT]; OUT],
        tile: Tile,
        channel: usize,
        tally: &mut Tally,
    ) {
        let (stored, enlargement) = (self.conv.stored_outputs, self.conv.enlargement());
        let (kind, channel) = (channel / stored, channel % stored);
        let columns = OUT.min(self.width - tile.left);
        for row in 0..OUT.min(self.rows.end - tile.top) {
            let down = (tile.top - self.rows.start + row) * enlargement + kind / 2;
            let first = (down * self.width + tile.left) * enlargement + kind % 2;
            for column in 0..OUT {
                if column < columns {
                    let at = (first + column * enlargement) * stored + channel;
                    store_at(simd, pixels[row][column], self.output, at);
                }
            }
            tally.add(simd, &pixels[row], columns);
        }
    }
}
