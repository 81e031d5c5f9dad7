//! Total variation: how rough the picture is from pixel to pixel.

use tch::{Kind, Tensor};

/// The mean squared difference of horizontal neighbours plus that of vertical ones, of a picture `[n, 3, h, w]`, a
/// scalar. Squared (isotropic to first order) as in Johnson et al. 2016's code and lengstrom/fast-style-transfer, whose
/// weights it shares for `byte_rgb`. A side of one pixel has no neighbours and adds nothing.
pub fn total_variation_loss(picture: &Tensor) -> Tensor {
    let differences = |dimension: i64| {
        let length = picture.size()[dimension as usize];
        if length < 2 {
            return picture.new_zeros([1], (picture.kind(), picture.device()));
        }
        picture.narrow(dimension, 1, length - 1) - picture.narrow(dimension, 0, length - 1)
    };
    differences(2).square().mean(None::<Kind>) + differences(3).square().mean(None::<Kind>)
}

/// [`total_variation_loss`] and `weight` times its gradient, `[n, 3, h, w]`.
pub(super) fn total_variation_and_gradient(picture: &Tensor, weight: f64) -> (Tensor, Tensor) {
    let mut loss = picture.new_zeros([1], (picture.kind(), picture.device()));
    let gradient = picture.zeros_like();
    for dimension in [2, 3] {
        let length = picture.size()[dimension as usize];
        if length < 2 {
            continue;
        }
        let difference = picture.narrow(dimension, 1, length - 1) - picture.narrow(dimension, 0, length - 1);
        loss += difference.square().mean(None::<Kind>);
        let of_difference = &difference * (2.0 * weight / difference.numel() as f64);
        let (mut after, mut before) =
            (gradient.narrow(dimension, 1, length - 1), gradient.narrow(dimension, 0, length - 1));
        after += &of_difference;
        before -= &of_difference;
    }
    (loss.squeeze(), gradient)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        // One channel, rows (0, 1) and (0, 3): horizontal differences 1 and 3 (mean square 5), vertical ones 0 and
        // 2 (mean square 2).
        let picture = Tensor::from_slice(&[0.0f32, 1.0, 0.0, 3.0]).view([1, 1, 2, 2]);
        assert_eq!(total_variation_loss(&picture).double_value(&[]), 5.0 + 2.0);
    }

    #[test]
    fn one_pixel_is_smooth() {
        let picture = Tensor::rand([2, 3, 1, 1], tch::kind::FLOAT_CPU);
        assert_eq!(total_variation_loss(&picture).double_value(&[]), 0.0);
    }
}
