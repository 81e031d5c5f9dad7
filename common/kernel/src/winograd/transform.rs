//! The three linear maps of Winograd's F(4, 3) (Lavin and Gray 2015, section 4.3), in one dimension: four outputs of a
//! correlation with three weights, by six multiplications instead of twelve. Applied to columns and rows they give
//! F(4x4, 3x3).

use crate::simd::Simd;

/// Outputs of a tile's side.
pub(crate) const OUT: usize = 4;
/// Inputs of a tile's side, and products.
pub(crate) const IN: usize = 6;
/// Products of a tile.
pub(crate) const PRODUCTS: usize = IN * IN;

/// G g: weights to factors, of several output channels.
#[inline(always)]
pub(crate) fn weights<const ROWS: usize>([a, b, c]: &[[f64; ROWS]; 3]) -> [[f64; ROWS]; IN] {
    let mut factors = [[0.0; ROWS]; IN];
    for row in 0..ROWS {
        let (a, b, c) = (a[row], b[row], c[row]);
        let (near_even, near_odd) = ((a + c) * (-1.0 / 6.0), b * (-1.0 / 6.0));
        let (far_even, far_odd) = (a * (1.0 / 24.0) + c * (1.0 / 6.0), b * (1.0 / 12.0));
        factors[0][row] = a * (1.0 / 4.0);
        factors[1][row] = near_even + near_odd;
        factors[2][row] = near_even - near_odd;
        factors[3][row] = far_even + far_odd;
        factors[4][row] = far_even - far_odd;
        factors[5][row] = c;
    }
    factors
}

/// B^T d: inputs to factors.
#[inline(always)]
pub(crate) fn inputs<S: Simd>(simd: S, [d0, d1, d2, d3, d4, d5]: [S::Vector; IN]) -> [S::Vector; IN] {
    let [two, four, five] = [simd.splat(2.0), simd.splat(4.0), simd.splat(5.0)];
    let near_even = simd.neg_mul_add(four, d2, d4);
    let near_odd = simd.neg_mul_add(four, d1, d3);
    let far_even = simd.sub(d4, d2);
    let far_odd = simd.mul(two, simd.sub(d3, d1));
    [
        simd.mul_add(four, d0, simd.neg_mul_add(five, d2, d4)),
        simd.add(near_even, near_odd),
        simd.sub(near_even, near_odd),
        simd.add(far_even, far_odd),
        simd.sub(far_even, far_odd),
        simd.mul_add(four, d1, simd.neg_mul_add(five, d3, d5)),
    ]
}

/// A^T m: sums of products to outputs.
#[inline(always)]
pub(crate) fn outputs<S: Simd>(simd: S, [m0, m1, m2, m3, m4, m5]: [S::Vector; IN]) -> [S::Vector; OUT] {
    let [two, four, eight] = [simd.splat(2.0), simd.splat(4.0), simd.splat(8.0)];
    let (near_even, near_odd) = (simd.add(m1, m2), simd.sub(m1, m2));
    let (far_even, far_odd) = (simd.add(m3, m4), simd.sub(m3, m4));
    [
        simd.add(m0, simd.add(near_even, far_even)),
        simd.mul_add(two, far_odd, near_odd),
        simd.mul_add(four, far_even, near_even),
        simd.add(m5, simd.mul_add(eight, far_odd, near_odd)),
    ]
}

/// A y: gradients of outputs to those of sums of products, the transpose of [`outputs`].
#[inline(always)]
pub(super) fn output_gradients<S: Simd>(simd: S, [y0, y1, y2, y3]: [S::Vector; OUT]) -> [S::Vector; IN] {
    let [two, four] = [simd.splat(2.0), simd.splat(4.0)];
    let (near_even, near_odd) = (simd.add(y0, y2), simd.add(y1, y3));
    let far_even = simd.mul_add(four, y2, y0);
    let far_odd = simd.mul(two, simd.mul_add(four, y3, y1));
    [
        y0,
        simd.add(near_even, near_odd),
        simd.sub(near_even, near_odd),
        simd.add(far_even, far_odd),
        simd.sub(far_even, far_odd),
        y3,
    ]
}

/// G^T m: gradients of the weights' factors to those of the weights, the transpose of [`weights`].
pub(super) fn weight_gradients([m0, m1, m2, m3, m4, m5]: [f64; IN]) -> [f64; 3] {
    let (near, far) = (-(m1 + m2) / 6.0, (m3 + m4) / 24.0);
    [m0 / 4.0 + near + far, (m2 - m1) / 6.0 + (m3 - m4) / 12.0, near + 4.0 * far + m5]
}
