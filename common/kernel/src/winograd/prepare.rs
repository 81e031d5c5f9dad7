//! Weights to factors.
#![allow(clippy::needless_range_loop)] // loops over vectors, see `simd`

use super::gemm::ROWS;
use super::transform::{self, IN, PRODUCTS};
use crate::parallel::DisjointSlice;
use crate::simd::{Kernel, Simd};

/// A number for each output channel of a row block. In f64: rounded once, at the end.
type Rows = [f64; ROWS];

/// Fills the factors of one row block, `[input channel][ROWS]` for each place.
pub(super) struct RowBlock<'a, WeightAt> {
    pub(super) inputs: usize,
    /// The output channels that there are, up to [`ROWS`].
    pub(super) rows: usize,
    /// The weight of a row, an input channel and one of the nine places in a kernel.
    pub(super) weight_at: WeightAt,
    pub(super) factors: &'a DisjointSlice<'a>,
    /// Where the factors of the first place begin, and the step to the next.
    pub(super) first: usize,
    pub(super) place_stride: usize,
}

impl<WeightAt: Fn(usize, usize, usize) -> f32> Kernel for RowBlock<'_, WeightAt> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, _simd: S) {
        for input in 0..self.inputs {
            let mut kernel = [[0.0; ROWS]; 9];
            for row in 0..self.rows {
                for (place, weights) in kernel.iter_mut().enumerate() {
                    weights[row] = f64::from((self.weight_at)(row, input, place));
                }
            }
            // G g G^T: each row of three weights to six, then the columns of those.
            let mut wide = [[[0.0; ROWS]; 3]; IN];
            for row in 0..3 {
                let factors =
                    transform::weights(&[kernel[3 * row], kernel[3 * row + 1], kernel[3 * row + 2]]);
                for column in 0..IN {
                    wide[column][row] = factors[column];
                }
            }
            for (column, weights) in wide.iter().enumerate() {
                for (row, factors) in transform::weights(weights).iter().enumerate() {
                    self.write(row * IN + column, input, factors);
                }
            }
        }
    }
}

impl<WeightAt> RowBlock<'_, WeightAt> {
    #[inline(always)]
    fn write(&self, place: usize, input: usize, factors: &Rows) {
        debug_assert!(place < PRODUCTS);
        let at = self.first + place * self.place_stride + input * ROWS;
        // SAFETY: each row block has its own factors at each place.
        #[allow(unsafe_code)]
        let to = unsafe { self.factors.part(at..at + ROWS) };
        for (to, &factor) in to.iter_mut().zip(factors) {
            *to = factor as f32;
        }
    }
}
