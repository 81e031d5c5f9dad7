//! The gradient with respect to the weights: the transpose of what [`Filter`](super::Filter) does, with the same saving.
#![allow(clippy::needless_range_loop)] // loops over vectors, see `simd`

use std::sync::{Mutex, PoisonError};

use super::grid::{Grid, Group};
use super::pixels::{InputPixels, OutputPixels};
use super::transform::{self, IN, OUT, PRODUCTS};
use super::{Padding, Pictures};
use crate::parallel::{self, DisjointSlice};
use crate::simd::{InstructionSet, Kernel, LANES, Line, Simd, load_at, store_at};

/// Channels that are multiplied at once: the eight of the gradient stay in the nearest cache, while the input's stream by.
/// Together they have sixteen sums.
const OUTPUTS: usize = 8;
const INPUTS: usize = LANES / OUTPUTS;

/// Groups of tiles whose factors are held at once: the more, the seldomer are sums gathered from lanes. Not for the
/// number of threads to decide, as sums would round differently.
const GROUPS_AT_ONCE: usize = 48;

/// The gradient with respect to the weight `[outputs, inputs, 3, 3]` of a convolution that made `[n, outputs, h, w]` of
/// `input` `[n, inputs, h, w]`, of which `pictures` tells n, h and w. `gradient` is that with respect to its output.
///
/// # Panics
/// If a slice's length is not that of its shape, or a side too short to be reflected.
pub fn weight_gradient(
    input: &[f32],
    gradient: &[f32],
    channels: Channels,
    pictures: Pictures,
    padding: Padding,
    threads: usize,
) -> Vec<f32> {
    weight_gradient_with(InstructionSet::best(), input, gradient, channels, pictures, padding, threads)
}

/// The channels of a convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Channels {
    /// Of its output.
    pub outputs: usize,
    /// Of its input.
    pub inputs: usize,
}

/// Kept from call to call, for it is large.
static FACTORS: Mutex<[Vec<Line>; 2]> = Mutex::new([Vec::new(), Vec::new()]);

pub(super) fn weight_gradient_with(
    instructions: InstructionSet,
    input: &[f32],
    gradient: &[f32],
    channels: Channels,
    pictures: Pictures,
    padding: Padding,
    threads: usize,
) -> Vec<f32> {
    let Channels { outputs, inputs } = channels;
    let grid = Grid::new(pictures, padding);
    assert_eq!(input.len(), pictures.count * inputs * pictures.pixels(), "input: {pictures:?}");
    assert_eq!(
        gradient.len(),
        pictures.count * outputs * grid.output.pixels(),
        "gradient: {:?}",
        grid.output
    );
    let shortest = if padding == Padding::Reflect { 2 } else { 1 };
    assert!(pictures.height >= shortest && pictures.width >= shortest, "{padding:?} of {pictures:?}");

    let input = InputPixels { grid: &grid, input, channels: inputs };
    let gradient = OutputPixels { grid: &grid, output: gradient, channels: outputs };
    let (input_blocks, output_blocks) = (inputs.div_ceil(INPUTS), outputs.div_ceil(OUTPUTS));
    let groups: Vec<Group> = (0..grid.groups()).map(|index| grid.group(index)).collect();
    let mut factors = std::mem::take(&mut *FACTORS.lock().unwrap_or_else(PoisonError::into_inner));
    // `[place][output block][input block][OUTPUTS][INPUTS]`
    let mut sums = vec![0.0; PRODUCTS * output_blocks * input_blocks * LANES];
    for groups in groups.chunks(GROUPS_AT_ONCE) {
        let layouts = [(input_blocks, INPUTS), (output_blocks, OUTPUTS)].map(|(blocks, side)| Layout {
            blocks,
            side,
            groups: groups.len(),
        });
        for (factors, layout) in factors.iter_mut().zip(layouts) {
            if factors.len() < PRODUCTS * layout.place_stride() {
                factors.resize(PRODUCTS * layout.place_stride(), Line::ZERO);
            }
        }
        let [of_input, of_gradient] = factors.each_mut().map(|factors| DisjointSlice::new(factors));
        parallel::for_each(threads, input_blocks + output_blocks, |block| {
            if block < input_blocks {
                let target = Target { factors: &of_input, layout: layouts[0], block };
                instructions.run(TransformInputs { input: &input, groups, target });
            } else {
                let target =
                    Target { factors: &of_gradient, layout: layouts[1], block: block - input_blocks };
                instructions.run(TransformGradients { gradient: &gradient, groups, target });
            }
        });
        let sums_of_place = output_blocks * input_blocks * LANES;
        let sums = DisjointSlice::new(&mut sums);
        parallel::for_each(threads, PRODUCTS, |place| {
            // SAFETY: each place is one item.
            #[allow(unsafe_code)]
            let sums = unsafe { sums.part(place * sums_of_place..(place + 1) * sums_of_place) };
            let at = |of: usize| &factors[of][place * layouts[of].place_stride()..][..layouts[of].lines()];
            instructions.run(Multiply { inputs: at(0), gradients: at(1), groups: groups.len(), sums });
        });
    }
    *FACTORS.lock().unwrap_or_else(PoisonError::into_inner) = factors;

    let mut weight_gradient = vec![0.0; outputs * inputs * 9];
    let of_output = DisjointSlice::new(&mut weight_gradient);
    parallel::for_each(threads, outputs, |output| {
        // SAFETY: each output is one item.
        #[allow(unsafe_code)]
        let kernels = unsafe { of_output.part(output * inputs * 9..(output + 1) * inputs * 9) };
        let (kernels, _) = kernels.as_chunks_mut::<9>();
        for (input, kernel) in kernels.iter_mut().enumerate() {
            let block = output / OUTPUTS * input_blocks + input / INPUTS;
            let at = block * LANES + output % OUTPUTS * INPUTS + input % INPUTS;
            *kernel =
                kernel_gradient(|place| f64::from(sums[place * output_blocks * input_blocks * LANES + at]));
        }
    });
    weight_gradient
}

/// G^T M G
fn kernel_gradient(sum: impl Fn(usize) -> f64) -> [f32; 9] {
    let rows: [[f64; 3]; IN] = std::array::from_fn(|row| {
        transform::weight_gradients(std::array::from_fn(|column| sum(row * IN + column)))
    });
    let columns: [[f64; 3]; 3] = std::array::from_fn(|column| {
        transform::weight_gradients(std::array::from_fn(|row| rows[row][column]))
    });
    std::array::from_fn(|place| columns[place % 3][place / 3] as f32)
}

/// Factors `[place][block][group][side]`, a line for each of the `side` channels of a block, and group.
#[derive(Clone, Copy)]
struct Layout {
    blocks: usize,
    side: usize,
    groups: usize,
}

impl Layout {
    fn lines(self) -> usize {
        self.blocks * self.groups * self.side
    }

    /// Odd, so that the places do not compete for the same sets of the caches.
    fn place_stride(self) -> usize {
        self.lines() | 1
    }
}

/// Where the factors of a block's channels go.
struct Target<'a> {
    factors: &'a DisjointSlice<'a, Line>,
    layout: Layout,
    block: usize,
}

impl Target<'_> {
    #[inline(always)]
    fn store<S: Simd>(&self, simd: S, factor: S::Vector, place: usize, group: usize, channel: usize) {
        let Layout { groups, side, .. } = self.layout;
        let at = place * self.layout.place_stride() + (self.block * groups + group) * side + channel;
        // SAFETY: each block is one item, and has its own lines at each place.
        #[allow(unsafe_code)]
        let line = unsafe { self.factors.part(at..at + 1) };
        simd.store(factor, &mut line[0].0);
    }

    /// Channels that are not there count as zeros.
    #[inline(always)]
    fn clear<S: Simd>(&self, simd: S, channel: usize) {
        for place in 0..PRODUCTS {
            for group in 0..self.layout.groups {
                self.store(simd, simd.splat(0.0), place, group, channel);
            }
        }
    }
}

struct TransformInputs<'a> {
    input: &'a InputPixels<'a>,
    groups: &'a [Group],
    target: Target<'a>,
}

impl Kernel for TransformInputs<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        for offset in 0..INPUTS {
            let channel = self.target.block * INPUTS + offset;
            if channel >= self.input.channels {
                self.target.clear(simd, offset);
                continue;
            }
            for (index, group) in self.groups.iter().enumerate() {
                let rows = self.input.half_transformed(simd, channel, group);
                for row in 0..IN {
                    let factors = transform::inputs(simd, rows[row]);
                    for column in 0..IN {
                        self.target.store(simd, factors[column], row * IN + column, index, offset);
                    }
                }
            }
        }
    }
}

struct TransformGradients<'a> {
    gradient: &'a OutputPixels<'a>,
    groups: &'a [Group],
    target: Target<'a>,
}

impl Kernel for TransformGradients<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        for offset in 0..OUTPUTS {
            let channel = self.target.block * OUTPUTS + offset;
            if channel >= self.gradient.channels {
                self.target.clear(simd, offset);
                continue;
            }
            for (index, group) in self.groups.iter().enumerate() {
                let pixels = self.gradient.load(simd, channel, group);
                // Each row of four to six, then the columns of those.
                let mut rows = [[simd.splat(0.0); IN]; OUT];
                for row in 0..OUT {
                    rows[row] = transform::output_gradients(simd, pixels[row]);
                }
                for column in 0..IN {
                    let line = [rows[0][column], rows[1][column], rows[2][column], rows[3][column]];
                    let factors = transform::output_gradients(simd, line);
                    for row in 0..IN {
                        self.target.store(simd, factors[row], row * IN + column, index, offset);
                    }
                }
            }
        }
    }
}

/// Adds the products of one place to its sums, over all tiles.
struct Multiply<'a> {
    inputs: &'a [Line],
    gradients: &'a [Line],
    groups: usize,
    sums: &'a mut [f32],
}

impl Kernel for Multiply<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let (inputs, _) = self.inputs.as_chunks::<INPUTS>();
        let (gradients, _) = self.gradients.as_chunks::<OUTPUTS>();
        let mut at = 0;
        for gradients in gradients.chunks_exact(self.groups) {
            for inputs in inputs.chunks_exact(self.groups) {
                let sums = simd.add(products(simd, gradients, inputs), load_at(simd, self.sums, at));
                store_at(simd, sums, self.sums, at);
                at += LANES;
            }
        }
    }
}

/// The sums over tiles of the products of some channels with some others, `[OUTPUTS][INPUTS]`.
#[inline(always)]
fn products<S: Simd>(simd: S, gradients: &[[Line; OUTPUTS]], inputs: &[[Line; INPUTS]]) -> S::Vector {
    let mut tile = [simd.splat(0.0); LANES];
    for (gradients, inputs) in gradients.iter().zip(inputs) {
        for output in 0..OUTPUTS {
            let gradient = simd.load(&gradients[output].0);
            for input in 0..INPUTS {
                let sum = &mut tile[output * INPUTS + input];
                *sum = simd.mul_add(gradient, simd.load(&inputs[input].0), *sum);
            }
        }
    }
    // Adding up columns of four shortens sixteen lanes to four, and then to one.
    add_columns(
        simd,
        [
            add_columns(simd, [tile[0], tile[1], tile[2], tile[3]]),
            add_columns(simd, [tile[4], tile[5], tile[6], tile[7]]),
            add_columns(simd, [tile[8], tile[9], tile[10], tile[11]]),
            add_columns(simd, [tile[12], tile[13], tile[14], tile[15]]),
        ],
    )
}

#[inline(always)]
fn add_columns<S: Simd>(simd: S, rows: [S::Vector; 4]) -> S::Vector {
    let [a, b, c, d] = simd.deinterleave4(rows);
    simd.add(simd.add(a, b), simd.add(c, d))
}
