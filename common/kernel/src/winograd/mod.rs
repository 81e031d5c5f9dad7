//! 3x3 convolutions of stride 1 by Winograd's minimal filtering F(4x4, 3x3) (Lavin and Gray 2015,
//! <https://arxiv.org/abs/1509.09308>): a quarter of the multiplications of the direct way.
//!
//! A thread takes a block of tiles from the pictures to the result, so that all that lies between them stays in its
//! cache: 6x6 inputs of each tile and channel to 36 factors, 36 matrix products with the weights' factors, which are
//! made once, and the sums to 4x4 outputs.
//!
//! The relative error of a result's norm is 1.6e-6 for 64 input channels of noise and under 3e-6 for 512 (see the tests).
//! Weights and their factors are converted in f64, and sums over channels are divided, to keep it there.

mod block;
mod fold;
mod gemm;
mod grid;
mod pixels;
mod prepare;
pub(crate) mod transform;
mod weight_gradient;

use std::sync::{Mutex, PoisonError};

use block::{Block, Scratch, Weights};
use gemm::ROWS;
use grid::{Grid, Group};
use prepare::RowBlock;
use transform::PRODUCTS;

use crate::parallel::{self, DisjointSlice};
use crate::simd::{InstructionSet, LANES, Simd, load_at};

pub use fold::fold_reflection;
pub use weight_gradient::{Channels, weight_gradient};

/// How many pictures of which size; the number of channels is the filter's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pictures {
    /// Pictures in the batch.
    pub count: usize,
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
}

impl Pictures {
    /// Pixels of a picture's channel.
    pub fn pixels(self) -> usize {
        self.height * self.width
    }
}

/// What lies around a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Padding {
    /// One ring of zeros; the result has the input's size.
    Zero,
    /// One ring of the picture's reflection, without repeating its border; the result has the input's size. Height and
    /// width must be 2 or more.
    Reflect,
    /// Two rings of zeros; the result is larger by one ring. With transposed weights this is the gradient with respect
    /// to a padded input, which [`fold_reflection`] brings back to the input's size.
    Full,
}

impl Padding {
    /// The rings around the picture.
    fn margin(self) -> usize {
        match self {
            Self::Zero | Self::Reflect => 1,
            Self::Full => 2,
        }
    }

    /// The size of the result.
    pub fn output(self, input: Pictures) -> Pictures {
        let growth = 2 * self.margin() - 2;
        Pictures { count: input.count, height: input.height + growth, width: input.width + growth }
    }
}

/// What is done to the sums before they are written, in the order of the fields. All that is not asked for costs
/// nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Epilogue<'a> {
    /// Added to each output channel.
    pub bias: Option<&'a [f32]>,
    /// Added value by value; of the output's shape.
    pub addend: Option<&'a [f32]>,
    /// Whether negative values become 0.
    pub relu: bool,
    /// Results become 0 where this is not above 0, as a ReLU's gradient does where its output is 0; of the output's
    /// shape.
    pub gate: Option<&'a [f32]>,
}

impl Epilogue<'_> {
    /// All but the bias, for the values from place `at` of the output on.
    #[inline(always)]
    fn apply<S: Simd>(&self, simd: S, mut values: S::Vector, at: usize) -> S::Vector {
        if let Some(addend) = self.addend {
            values = simd.add(values, load_at(simd, addend, at));
        }
        if self.relu {
            values = simd.max(values, simd.splat(0.0));
        }
        if let Some(gate) = self.gate {
            values = simd.where_positive(load_at(simd, gate, at), values);
        }
        values
    }

    #[inline(always)]
    fn apply_to_pixel(&self, mut value: f32, at: usize) -> f32 {
        value += self.addend.map_or(0.0, |addend| addend[at]);
        if self.relu {
            value = value.max(0.0);
        }
        if self.gate.is_some_and(|gate| gate[at] <= 0.0) { 0.0 } else { value }
    }
}

/// The weights of a convolution, made ready once.
pub struct Filter {
    /// `[slab][place][row block][input channel][ROWS]`
    factors: Vec<[f32; ROWS]>,
    inputs: usize,
    outputs: usize,
}

/// Row blocks whose sums are held at once: 64 output channels.
const SLAB: usize = 8;

/// A block's factors of the pictures take about this much, if there is work enough for all threads.
const BLOCK_BYTES: usize = 900 << 10;

impl Filter {
    /// The convolution with `weight` `[outputs, inputs, 3, 3]`, made ready on up to `threads` threads.
    ///
    /// # Panics
    /// If `weight` has another length.
    pub fn prepare(weight: &[f32], outputs: usize, inputs: usize, threads: usize) -> Self {
        assert_eq!(weight.len(), outputs * inputs * 9, "weight is [{outputs}, {inputs}, 3, 3]");
        Self::from_weights(outputs, inputs, threads, |output, input, place| {
            weight[(output * inputs + input) * 9 + place]
        })
    }

    /// The convolution that takes the gradient with respect to the output of [`Filter::prepare`]'s convolution with
    /// `weight` `[outputs, inputs, 3, 3]` to that with respect to its input: from `outputs` to `inputs` channels.
    ///
    /// # Panics
    /// If `weight` has another length.
    pub fn prepare_transposed(weight: &[f32], outputs: usize, inputs: usize, threads: usize) -> Self {
        assert_eq!(weight.len(), outputs * inputs * 9, "weight is [{outputs}, {inputs}, 3, 3]");
        Self::from_weights(inputs, outputs, threads, |input, output, place| {
            weight[(output * inputs + input) * 9 + 8 - place]
        })
    }

    fn from_weights(
        outputs: usize,
        inputs: usize,
        threads: usize,
        weight: impl Fn(usize, usize, usize) -> f32 + Sync,
    ) -> Self {
        let row_blocks = outputs.div_ceil(ROWS);
        let mut factors = vec![[0.0; ROWS]; row_blocks * PRODUCTS * inputs];
        let factors_of_block = DisjointSlice::new(factors.as_flattened_mut());
        parallel::for_each(threads, row_blocks, |row_block| {
            let (slab, block_in_slab) = (row_block / SLAB, row_block % SLAB);
            let slab_blocks = SLAB.min(row_blocks - slab * SLAB);
            InstructionSet::best().run(RowBlock {
                inputs,
                rows: ROWS.min(outputs - row_block * ROWS),
                weight_at: |row, input, place| weight(row_block * ROWS + row, input, place),
                factors: &factors_of_block,
                first: (slab * SLAB * PRODUCTS + block_in_slab) * inputs * ROWS,
                place_stride: slab_blocks * inputs * ROWS,
            });
        });
        Self { factors, inputs, outputs }
    }

    /// Channels of the input.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// Channels of the output.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// Convolves `input` `[n, inputs, h, w]`, of which `pictures` tells n, h and w, into `output`
    /// `[n, outputs, h', w']`, where h' and w' are [`Padding::output`]'s, on up to `threads` threads.
    ///
    /// # Panics
    /// If a slice's length is not that of its shape, or a side too short to be reflected.
    pub fn convolve(
        &self,
        input: &[f32],
        output: &mut [f32],
        pictures: Pictures,
        padding: Padding,
        epilogue: &Epilogue<'_>,
        threads: usize,
    ) {
        self.convolve_with(InstructionSet::best(), input, output, pictures, padding, epilogue, threads);
    }

    #[allow(clippy::too_many_arguments)] // the public ones, and what tests choose
    fn convolve_with(
        &self,
        instructions: InstructionSet,
        input: &[f32],
        output: &mut [f32],
        pictures: Pictures,
        padding: Padding,
        epilogue: &Epilogue<'_>,
        threads: usize,
    ) {
        let grid = Grid::new(pictures, padding);
        let output_len = pictures.count * self.outputs * grid.output.pixels();
        assert_eq!(input.len(), pictures.count * self.inputs * pictures.pixels(), "input: {pictures:?}");
        assert_eq!(output.len(), output_len, "output: {:?}", grid.output);
        assert!(epilogue.bias.is_none_or(|bias| bias.len() == self.outputs), "one bias for each output");
        assert!(epilogue.addend.is_none_or(|addend| addend.len() == output_len), "addend: as output");
        assert!(epilogue.gate.is_none_or(|gate| gate.len() == output_len), "gate: as output");
        let shortest = if padding == Padding::Reflect { 2 } else { 1 };
        assert!(pictures.height >= shortest && pictures.width >= shortest, "{padding:?} of {pictures:?}");

        let groups: Vec<Group> = (0..grid.groups()).map(|index| grid.group(index)).collect();
        let per_block = self.groups_per_block(groups.len(), threads);
        let blocks: Vec<&[Group]> = groups.chunks(per_block).collect();
        let output = DisjointSlice::new(output);
        let weights =
            Weights { factors: &self.factors, inputs: self.inputs, outputs: self.outputs, slab: SLAB };
        parallel::for_each_with(threads, blocks.len(), PooledScratch::take, |scratch, block| {
            instructions.run(Block {
                grid: &grid,
                groups: blocks[block],
                weights: &weights,
                input,
                output: &output,
                epilogue,
                scratch: &mut scratch.0,
            });
        });
    }

    /// Enough tiles that reading the weights is paid for, few enough that what lies between fits into the cache, and
    /// blocks enough for all threads.
    fn groups_per_block(&self, groups: usize, threads: usize) -> usize {
        let group_bytes = self.inputs * PRODUCTS * LANES * size_of::<f32>();
        // The more channels there are, the more it costs to read the weights again.
        let fitting = (BLOCK_BYTES / group_bytes).clamp((self.inputs / 64).clamp(3, 8), 9);
        let rounds = groups.div_ceil(fitting * threads.max(1));
        groups.div_ceil(rounds.max(1) * threads.max(1)).max(1)
    }
}

/// A thread's memory, kept for the next convolution: fresh pages would cost more than the shorter ones take.
struct PooledScratch(Scratch);

static SCRATCH_POOL: Mutex<Vec<Scratch>> = Mutex::new(Vec::new());

impl PooledScratch {
    fn take() -> Self {
        Self(SCRATCH_POOL.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default())
    }
}

impl Drop for PooledScratch {
    fn drop(&mut self) {
        let scratch = std::mem::take(&mut self.0);
        SCRATCH_POOL.lock().unwrap_or_else(PoisonError::into_inner).push(scratch);
    }
}

#[cfg(test)]
mod tests;
