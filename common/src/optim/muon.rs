//! Muon's step (Jordan et al. 2024, <https://kellerjordan.github.io/posts/muon/>): a matrix moves by its momentum with all singular
//! values made alike, so that rare directions count as much as common ones.

use tch::{Kind, Tensor};

/// A matrix in a flat buffer: a convolution's kernel, an output a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MatrixRange {
    /// Where it begins.
    pub offset: i64,
    /// Its rows, one after the other.
    pub rows: i64,
    /// Numbers in a row.
    pub columns: i64,
}

impl MatrixRange {
    /// The matrix in `flat` `[count]`, sharing its memory: `[rows, columns]`.
    pub(super) fn view(self, flat: &Tensor) -> Tensor {
        flat.narrow(0, self.offset, self.rows * self.columns).view([self.rows, self.columns])
    }

    /// What makes an orthogonalised step as large as a usual one of Adam, whose values have a root mean square of about 0.2
    /// (Liu et al. 2025, <https://arxiv.org/abs/2502.16982>, section 2.2).
    pub(super) fn step_scale(self) -> f64 {
        0.2 * (self.rows.max(self.columns) as f64).sqrt()
    }
}

/// Coefficients of the iteration and how often it is done: all singular values from 0.01 on end between 0.68 and 1.14, which is
/// as good as 1 and takes half the products that reaching it would.
const NEWTON_SCHULZ: [f64; 3] = [3.4445, -4.7750, 2.0315];
const ITERATIONS: usize = 5;

/// The matrix `[rows, columns]` with singular vectors as they are and singular values near 1, by products alone (Newton and
/// Schulz's iteration).
pub(super) fn orthogonalised(matrix: &Tensor) -> Tensor {
    let [a, b, c] = NEWTON_SCHULZ;
    let (rows, columns) = matrix.size2().expect("a matrix");
    let is_tall = rows > columns;
    let wide = if is_tall { matrix.tr() } else { matrix.shallow_clone() };
    // No singular value is larger than the Frobenius norm.
    let norm = wide.square().sum(Kind::Float).sqrt().clamp_min(f64::from(f32::MIN_POSITIVE));
    let mut x = wide / norm;
    for _ in 0..ITERATIONS {
        let product = x.matmul(&x.tr());
        let polynomial = &product * b + product.matmul(&product) * c;
        x = &x * a + polynomial.matmul(&x);
    }
    if is_tall { x.tr() } else { x }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::gaussian;

    fn singular_values(matrix: &Tensor) -> Vec<f32> {
        let (_, values, _) = matrix.svd(true, true);
        Vec::try_from(values).unwrap()
    }

    #[test]
    fn singular_values_become_alike_and_vectors_stay() {
        for (rows, columns) in [(8, 8), (16, 40), (40, 16), (1, 5)] {
            let matrix = gaussian(&[rows, columns], 3) * 1e-4;
            let made = orthogonalised(&matrix);
            assert_eq!(made.size(), [rows, columns]);
            let values = singular_values(&made);
            assert!(values.iter().all(|value| (0.6..1.2).contains(value)), "{rows}x{columns}: {values:?}");
            // U' M V is as diagonal as it was.
            let (u, _, v) = matrix.svd(true, true);
            let inner = u.tr().matmul(&made).matmul(&v);
            let off_diagonal = &inner - Tensor::diag(&Tensor::diag(&inner, 0), 0);
            assert!(off_diagonal.abs().max().double_value(&[]) < 1e-2, "{rows}x{columns}");
        }
    }

    #[test]
    fn nothing_stays_nothing() {
        let made = orthogonalised(&Tensor::zeros([4, 6], tch::kind::FLOAT_CPU));
        assert_eq!(made.abs().max().double_value(&[]), 0.0);
    }

    #[test]
    fn a_matrix_is_found_in_the_buffer() {
        let flat = Tensor::arange(10, tch::kind::FLOAT_CPU);
        let matrix = MatrixRange { offset: 3, rows: 2, columns: 3 };
        let values = Vec::<f32>::try_from(matrix.view(&flat).reshape([-1])).unwrap();
        assert_eq!(values, [3.0, 4.0, 5.0, 6.0, 7.0, 8.0]);
    }
}
