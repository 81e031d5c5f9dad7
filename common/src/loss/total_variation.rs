//! Total variation: how rough the picture is from pixel to pixel.

use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::Reduction;

/// How neighbours are compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TotalVariation {
    /// What each difference costs.
    pub form: TotalVariationForm,
    /// Whether horizontal and vertical differences are each averaged, or summed up.
    pub reduction: Reduction,
}

/// What the difference of two neighbours costs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TotalVariationForm {
    /// Its square, as in Johnson et al. 2016's code and lengstrom/fast-style-transfer.
    #[default]
    Squared,
    /// Its size, which leaves edges alone (Rudin, Osher and Fatemi 1992, anisotropic).
    Absolute,
    /// The squared differences to the right and below, added, to the power of 1.25, as in the Keras example. The last row and
    /// column have no such pair and are left out.
    Keras,
}

/// The exponent of [`TotalVariationForm::Keras`] on a sum of two squares.
const KERAS_EXPONENT: f64 = 1.25;

impl TotalVariation {
    /// The total variation of a picture `[n, 3, h, w]`, a scalar. A side of one pixel has no neighbours and adds nothing.
    /// The plain version of [`TotalVariation::loss_and_gradient`].
    pub fn loss(self, picture: &Tensor) -> Tensor {
        let nothing = || picture.new_zeros([1], (picture.kind(), picture.device())).squeeze();
        let along = |dimension: i64, cost: fn(&Tensor) -> Tensor| {
            differences(picture, dimension)
                .map_or_else(nothing, |difference| self.reduction.of(&cost(&difference)))
        };
        match self.form {
            TotalVariationForm::Squared => along(2, Tensor::square) + along(3, Tensor::square),
            TotalVariationForm::Absolute => along(2, Tensor::abs) + along(3, Tensor::abs),
            TotalVariationForm::Keras => keras_differences(picture).map_or_else(nothing, |[below, right]| {
                let squares: Tensor = below.square() + right.square();
                self.reduction.of(&squares.pow_tensor_scalar(KERAS_EXPONENT))
            }),
        }
    }

    /// [`TotalVariation::loss`] and `weight` times its gradient, `[n, 3, h, w]`.
    pub(super) fn loss_and_gradient(self, picture: &Tensor, weight: f64) -> (Tensor, Tensor) {
        let mut loss = picture.new_zeros([1], (picture.kind(), picture.device())).squeeze();
        let gradient = picture.zeros_like();
        match self.form {
            TotalVariationForm::Keras => {
                if let Some([below, right]) = keras_differences(picture) {
                    let factor = self.reduction.factor(below.numel());
                    let squares: Tensor = below.square() + right.square();
                    loss = self.reduction.of(&squares.pow_tensor_scalar(KERAS_EXPONENT));
                    let slope = squares.pow_tensor_scalar(KERAS_EXPONENT - 1.0)
                        * (2.0 * KERAS_EXPONENT * weight * factor);
                    let (height, width) = (below.size()[2], below.size()[3]);
                    let corner =
                        |down: i64, along: i64| gradient.narrow(2, down, height).narrow(3, along, width);
                    for (difference, mut after) in [(below, corner(1, 0)), (right, corner(0, 1))] {
                        let slope = &slope * difference;
                        after += &slope;
                        let mut before = corner(0, 0);
                        before -= slope;
                    }
                }
            }
            TotalVariationForm::Squared | TotalVariationForm::Absolute => {
                for dimension in [2, 3] {
                    let Some(difference) = differences(picture, dimension) else { continue };
                    let factor = self.reduction.factor(difference.numel());
                    let slope = if self.form == TotalVariationForm::Squared {
                        loss += self.reduction.of(&difference.square());
                        &difference * (2.0 * weight * factor)
                    } else {
                        loss += self.reduction.of(&difference.abs());
                        difference.sign() * (weight * factor)
                    };
                    let length = difference.size()[dimension as usize];
                    let (mut after, mut before) =
                        (gradient.narrow(dimension, 1, length), gradient.narrow(dimension, 0, length));
                    after += &slope;
                    before -= &slope;
                }
            }
        }
        (loss, gradient)
    }
}

/// Each pixel's successor along a dimension less the pixel; `None` where there is only one.
fn differences(picture: &Tensor, dimension: i64) -> Option<Tensor> {
    let length = picture.size()[dimension as usize];
    (length > 1).then(|| picture.narrow(dimension, 1, length - 1) - picture.narrow(dimension, 0, length - 1))
}

/// The pixel below less the pixel, and the pixel to the right less the pixel, where both are there.
fn keras_differences(picture: &Tensor) -> Option<[Tensor; 2]> {
    let (_, _, height, width) = picture.size4().expect("a picture has four dimensions");
    let corner = |down: i64, along: i64| picture.narrow(2, down, height - 1).narrow(3, along, width - 1);
    (height > 1 && width > 1).then(|| [corner(1, 0) - corner(0, 0), corner(0, 1) - corner(0, 0)])
}

/// [`TotalVariation::default`]'s loss: the mean squared difference of horizontal neighbours plus that of vertical ones.
pub fn total_variation_loss(picture: &Tensor) -> Tensor {
    TotalVariation::default().loss(picture)
}

#[cfg(test)]
mod tests {
    use tch::Kind;

    use super::*;

    fn forms() -> impl Iterator<Item = TotalVariation> {
        let forms = [TotalVariationForm::Squared, TotalVariationForm::Absolute, TotalVariationForm::Keras];
        forms.into_iter().flat_map(|form| {
            [Reduction::Mean, Reduction::Sum].map(|reduction| TotalVariation { form, reduction })
        })
    }

    /// One channel, rows (0, 1) and (0, 3): horizontal differences 1 and 3, vertical ones 0 and 2.
    fn picture() -> Tensor {
        Tensor::from_slice(&[0.0f32, 1.0, 0.0, 3.0]).view([1, 1, 2, 2])
    }

    #[test]
    fn by_hand() {
        let losses: Vec<f64> = forms().map(|form| form.loss(&picture()).double_value(&[])).collect();
        // Of the one pixel with both neighbours: (1 + 0)^1.25.
        assert_eq!(losses, [5.0 + 2.0, 10.0 + 4.0, 2.0 + 1.0, 4.0 + 2.0, 1.0, 1.0]);
    }

    #[test]
    fn one_pixel_is_smooth() {
        for form in forms() {
            for size in [[2, 3, 1, 1], [1, 3, 1, 1]] {
                let picture = Tensor::rand(size, tch::kind::FLOAT_CPU);
                let (loss, gradient) = form.loss_and_gradient(&picture, 1.0);
                assert_eq!(form.loss(&picture).double_value(&[]), 0.0, "{form:?}");
                assert_eq!(
                    [loss, gradient.abs().sum(Kind::Float)].map(|sum| sum.double_value(&[])),
                    [0.0; 2]
                );
            }
        }
    }

    #[test]
    fn gradients_by_hand_are_those_of_autograd() {
        for form in forms() {
            for size in [[2, 3, 5, 4], [1, 3, 1, 6], [1, 3, 7, 1]] {
                let picture = Tensor::rand(size, tch::kind::FLOAT_CPU) * 255.0;
                let leaf = picture.copy().set_requires_grad(true);
                let plain = form.loss(&leaf);
                let (loss, gradient) = form.loss_and_gradient(&picture, 0.5);
                assert!(
                    (&plain - &loss).abs().double_value(&[]) <= 1e-5 * plain.double_value(&[]),
                    "{form:?}"
                );
                if !plain.requires_grad() {
                    continue; // a row has no pixel below
                }
                let expected = Tensor::run_backward(&[&(plain * 0.5)], &[&leaf], false, false).remove(0);
                let error = (&gradient - &expected).abs().max().double_value(&[]);
                assert!(error <= 1e-5 * expected.abs().max().double_value(&[]), "{form:?} {size:?}: {error}");
            }
        }
    }
}
