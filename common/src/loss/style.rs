//! Style: how the picture is painted, as the correlations between features, wherever they are.

use tch::{Reduction, Tensor};

/// The Gram matrix `F Fᵀ / (C H W)` of features `[n, c, h, w]`: `[n, c, c]` (Johnson et al. 2016, equation 3).
#[allow(clippy::many_single_char_names, reason = "the paper's names")]
pub fn gram_matrix(features: &Tensor) -> Tensor {
    let (n, c, h, w) = features.size4().expect("features have four dimensions");
    let f = features.reshape([n, c, h * w]); // [n, c, h*w]
    f.bmm(&f.transpose(1, 2)) / (c * h * w) as f64
}

/// The mean squared difference between the Gram matrices of `features` `[n, c, h, w]` and one painting's `target_gram`
/// `[1, c, c]`, a scalar. The mean runs over the batch too.
///
/// Johnson et al. 2016, equation 4, take the sum over the matrix; the mean is what everybody's weights are given for.
pub fn style_loss(features: &Tensor, target_gram: &Tensor) -> Tensor {
    let gram = gram_matrix(features);
    gram.mse_loss(&target_gram.expand_as(&gram), Reduction::Mean)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gram_matrix_by_hand() {
        // Two channels of two pixels: (1, 2) and (3, 4); divided by 2 * 1 * 2.
        let features = Tensor::from_slice(&[1.0f32, 2.0, 3.0, 4.0]).view([1, 2, 1, 2]);
        let gram = Vec::<f32>::try_from(gram_matrix(&features).flatten(0, 2)).unwrap();
        assert_eq!(gram, [5.0 / 4.0, 11.0 / 4.0, 11.0 / 4.0, 25.0 / 4.0]);
    }

    #[test]
    fn a_picture_has_its_own_style() {
        let features = Tensor::rand([1, 4, 5, 6], tch::kind::FLOAT_CPU);
        let loss = style_loss(&features, &gram_matrix(&features));
        assert_eq!(loss.double_value(&[]), 0.0);
    }

    #[test]
    fn style_does_not_depend_on_where_things_are() {
        let features = Tensor::rand([1, 4, 6, 6], tch::kind::FLOAT_CPU);
        let loss = style_loss(&features.flip([2, 3]), &gram_matrix(&features));
        assert!(loss.double_value(&[]) < 1e-10);
    }
}
