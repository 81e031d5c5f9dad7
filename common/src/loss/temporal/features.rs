//! The temporal loss in features: strokes, too, should move with what they are painted on.
//!
//! The features of the painting of the moved photo should be the moved features of the painting of the photo, which are
//! taken as they are: only the second painting learns, so that the way back through the loss network is a shallow one. The
//! [loss of colours](super::temporal_loss) moves both.

use tch::{Kind, Tensor};

use super::Motion;
use crate::loss::PerceptualLoss;
use crate::lossnet::Layer;
use crate::precision::Precision;

/// Where features are compared: the first layer at half the resolution, whose features are a few pixels wide, as strokes are. A
/// deeper one would cost more and say less of what flickers.
pub(super) fn layer() -> Layer {
    Layer::vgg(2, 1).expect("all VGG networks have it")
}

/// There, features this near to an edge have seen zeros beyond it: one for its own convolution and one for the two pixels
/// of the two before.
const MARGIN: i64 = 2;

impl PerceptualLoss {
    /// How far the features (at relu2_1) of the painting of the moved photos are from the moved features of the painting of
    /// the photos: the sum of squares relative to that of the latter, over channels and the places that have seen nothing but the
    /// frame. A scalar: 0 for features that move along, 1 for such that differ by as much as there is. Both paintings are
    /// `byte_rgb` `[n, 3, h, w]`; differentiable in the second alone. The plain version of
    /// [`PerceptualLoss::temporal_feature_loss_and_gradient`].
    ///
    /// # Panics
    /// If the network was not loaded up to [`TemporalSpec::feature_layer`](super::TemporalSpec::feature_layer).
    pub fn temporal_feature_loss(&self, painted: &Tensor, painted_moved: &Tensor, motion: &Motion) -> Tensor {
        let layer = layer();
        let features_of =
            |picture: &Tensor| self.network.features(picture, &[layer]).remove(&layer).expect("asked for");
        let features = tch::no_grad(|| features_of(painted));
        let FeatureTarget { target, visible, unit } = FeatureTarget::of(&features, motion);
        let difference = features_of(painted_moved) * visible - target;
        difference.square().sum(Kind::Float) * unit
    }

    /// [`PerceptualLoss::temporal_feature_loss`] of a painting whose `features` are known (see
    /// [`PerceptualLoss::evaluate_looking`]), and `weight` times its gradient with respect to `painted_moved`, through the
    /// loss network in `precision`. Neither knows how it came about.
    ///
    /// # Panics
    /// As [`PerceptualLoss::temporal_feature_loss`].
    pub fn temporal_feature_loss_and_gradient(
        &self,
        features: &Tensor,
        painted_moved: &Tensor,
        motion: &Motion,
        weight: f64,
        precision: Precision,
    ) -> (Tensor, Tensor) {
        let layer = layer();
        tch::no_grad(|| {
            let FeatureTarget { target, visible, unit } = FeatureTarget::of(features, motion);
            let recording = self.network.record(painted_moved, &[layer], precision);
            let difference = recording.features(layer) * visible - target;
            let loss = difference.square().sum(Kind::Float) * &unit;
            let of_features = difference * (unit * (2.0 * weight));
            let gradient = recording.backward(|at, features, gradient| {
                if at != layer {
                    return gradient;
                }
                let mut own = features.empty_like(); // with its kind and memory format
                own.copy_(&of_features);
                Some(own)
            });
            (loss, gradient)
        })
    }
}

/// What the features of the painting of the moved photos should be, f32, nothing where they do not count.
struct FeatureTarget {
    target: Tensor,  // [n, c, h, w]
    visible: Tensor, // [n, 1, h, w]
    unit: Tensor,    // factor on sums of squares, a scalar
}

impl FeatureTarget {
    fn of(features: &Tensor, motion: &Motion) -> Self {
        let motion = motion.at_half(MARGIN);
        let visible = motion.visible().shallow_clone();
        let target = motion.warp(&features.to_kind(Kind::Float)) * &visible;
        // Where there is next to nothing to be seen, there is no loss to speak of either.
        let unit = target.square().sum(Kind::Float).clamp_min(1.0).reciprocal();
        Self { target, visible, unit }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use rand::SeedableRng as _;
    use rand_chacha::ChaCha8Rng;
    use tch::Device;

    use super::*;
    use crate::loss::drawn::{network, photo};
    use crate::loss::{Look, MotionKey, PerceptualLossSpec, WeightedPainting};
    use crate::lossnet::Arch;
    use crate::space::LossInputSpace;

    fn loss() -> PerceptualLoss {
        let rng = RefCell::new(ChaCha8Rng::seed_from_u64(2));
        let spec = PerceptualLossSpec {
            content_layers: "relu2_2".parse().unwrap(),
            style_layers: "relu1_1".parse().unwrap(),
            ..PerceptualLossSpec::default()
        };
        let network = network(&rng, Arch::Vgg19, LossInputSpace::torchvision_rgb(), &spec.layers());
        let painting = photo(&mut rng.borrow_mut(), [1, 3, 24, 24]);
        PerceptualLoss::new(spec, network, vec![WeightedPainting::whole(painting, 1.0)])
    }

    fn pictures(seed: u64, size: [i64; 4]) -> [Tensor; 2] {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        [0, 1].map(|_| photo(&mut rng, size))
    }

    fn motion(seed: u64, size: [i64; 4]) -> Motion {
        Motion::draw(MotionKey { seed, step: 1, batch: 0 }, [size[0], size[2], size[3]], 0.0, Device::Cpu)
    }

    /// Everything moves by as much.
    fn shift(size: [i64; 4], [across, down]: [i64; 2]) -> Motion {
        let plane =
            |value: i64| Tensor::full([size[0], 1, size[2], size[3]], value, (Kind::Float, Device::Cpu));
        Motion::new(Tensor::cat(&[plane(across), plane(down)], 1), None)
    }

    /// By hand, from features as the loss keeps them.
    fn by_hand(
        loss: &PerceptualLoss,
        [painted, moved]: &[Tensor; 2],
        motion: &Motion,
        weight: f64,
        precision: Precision,
    ) -> (f64, Tensor) {
        let (_, _, features) = loss.evaluate_looking(
            painted,
            painted,
            Look { precision, kept: Some(layer()), ..Look::default() },
        );
        let features = features.unwrap();
        let (found, gradient) =
            loss.temporal_feature_loss_and_gradient(&features, moved, motion, weight, precision);
        assert!(!found.requires_grad() && !gradient.requires_grad());
        assert_eq!(gradient.kind(), Kind::Float);
        (value(&found), gradient)
    }

    fn by_autograd(
        loss: &PerceptualLoss,
        [painted, moved]: &[Tensor; 2],
        motion: &Motion,
        weight: f64,
    ) -> (f64, Tensor) {
        let moved = moved.detach().set_requires_grad(true);
        let expected = loss.temporal_feature_loss(painted, &moved, motion);
        let gradient = Tensor::run_backward(&[&(&expected * weight)], &[&moved], false, false).remove(0);
        (value(&expected), gradient)
    }

    fn value(scalar: &Tensor) -> f64 {
        scalar.double_value(&[])
    }

    #[test]
    fn by_hand_and_autograd_agree() {
        let loss = loss();
        for size in [[2, 3, 32, 40], [1, 3, 27, 33]] {
            // As of the perceptual loss: where a ReLU hangs in the balance, a gradient jumps.
            let mut errors = [1, 2, 3, 4, 5].map(|seed| {
                let (pictures, motion) = (pictures(seed, size), motion(seed, size));
                let (expected, expected_gradient) = by_autograd(&loss, &pictures, &motion, 7.0);
                let (found, gradient) = by_hand(&loss, &pictures, &motion, 7.0, Precision::F32);
                assert!((found / expected - 1.0).abs() < 1e-5, "{size:?}: {found} and {expected}");
                value(&(gradient - &expected_gradient).norm()) / value(&expected_gradient.norm())
            });
            errors.sort_by(f64::total_cmp);
            assert!(errors[2] < 1e-5 && errors[4] < 1e-2, "{size:?}: gradients off by {errors:?}");
        }
    }

    #[test]
    fn in_bf16_the_gradient_points_the_same_way() {
        let (loss, size) = (loss(), [2, 3, 40, 32]);
        let (pictures, motion) = (pictures(8, size), motion(8, size));
        let (expected, expected_gradient) = by_autograd(&loss, &pictures, &motion, 1.0);
        let (found, gradient) = by_hand(&loss, &pictures, &motion, 1.0, Precision::Bf16);
        assert!((found / expected - 1.0).abs() < 0.02, "{found} and {expected}");
        let cosine = value(&(&gradient * &expected_gradient).sum(Kind::Double))
            / value(&gradient.norm())
            / value(&expected_gradient.norm());
        assert!(cosine > 0.99, "cosine {cosine}");
    }

    #[test]
    fn features_that_move_along_have_no_loss() {
        // Where pooling divides the picture alike before and after, features of a moved picture are moved features: where
        // they have seen the frame alone, exactly.
        let (loss, size) = (loss(), [1, 3, 40, 36]);
        let [painted, other] = pictures(3, size);
        for by in [[0, 0], [4, -2], [-6, 8]] {
            let motion = shift(size, by);
            let moved = motion.warp(&painted);
            let of_moved = value(&loss.temporal_feature_loss(&painted, &moved, &motion));
            assert!(of_moved < 1e-9, "{by:?}: {of_moved:e}");
            let of_other = value(&loss.temporal_feature_loss(&painted, &other, &motion));
            assert!(of_other > 1e-3, "{by:?}: {of_other:e}");
        }
    }

    #[test]
    fn what_has_seen_beyond_the_frame_does_not_count() {
        let size = [1, 3, 24, 24];
        let visible = |by| value(&shift(size, by).at_half(MARGIN).visible().sum(Kind::Float));
        assert_eq!(visible([0, 0]), 64.0); // 12 - 2 * 2, squared
        assert_eq!(visible([4, 0]), 48.0);
        assert_eq!(visible([4, -8]), 24.0);
        // Odd sides lose a row, small ones everything.
        assert_eq!(value(&shift([1, 3, 25, 24], [0, 0]).at_half(MARGIN).visible().sum(Kind::Float)), 64.0);
        let nothing = [1, 3, 8, 8];
        let [painted, moved] = pictures(1, nothing);
        let found = value(&loss().temporal_feature_loss(&painted, &moved, &motion(1, nothing)));
        assert_eq!(found, 0.0);
    }

    #[test]
    fn features_are_kept_for_nothing_and_change_nothing() {
        let (loss, size) = (loss(), [1, 3, 32, 24]);
        let [photo, painted] = pictures(4, size);
        let (terms, gradient) = loss.evaluate_with_gradient(&painted, &photo, Precision::F32);
        let (kept_terms, kept_gradient, features) =
            loss.evaluate_looking(&painted, &photo, Look { kept: Some(layer()), ..Look::default() });
        assert_eq!(terms.values(loss.spec()), kept_terms.values(loss.spec()));
        assert!(gradient.equal(&kept_gradient));
        let expected = loss.network.features(&painted, &[layer()]).remove(&layer()).unwrap();
        assert!(value(&(features.unwrap() - &expected).norm()) < 1e-5 * value(&expected.norm()));
    }
}
