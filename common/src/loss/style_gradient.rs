//! The style loss of a layer with its gradient written out by hand, as far as it goes by moments of the features; other statistics
//! go through autograd, from the layer's features to the loss and no further.

use tch::{Kind, Tensor};

use super::StyleTarget;
use super::statistic::{MomentSums, Moments};
use super::style_target::StatisticTarget;
use crate::channels_last::pixels;
use crate::lossnet::Layer;

/// What the gradient of a layer's style loss is made of, for a batch as a whole or for each of its photos, with what it counts.
pub(super) struct WeightedStyleGradient(Vec<(StyleGradient, f64)>);

/// What the gradient of a layer's style loss is made of.
struct StyleGradient(Vec<Part>);

enum Part {
    /// From moments of what a guide shows.
    Moments { slopes: MomentSlopes, guide: Option<Tensor> },
    /// With respect to the features themselves, f32 `[n, c, h, w]`.
    Features(Tensor),
}

/// The gradient with respect to sums of moments.
pub(super) struct MomentSlopes {
    second: Tensor,       // [n, c, c], symmetric; counts both places of the features in the product
    mean: Option<Tensor>, // [n, c, 1]
}

/// The style loss of a layer in the target's unit, a scalar, and what its gradient is made of. Given what each photo of the batch
/// counts, it is the mean of their losses so many times.
pub(super) fn weighted_style_loss_and_gradient(
    target: &StyleTarget,
    layer: Layer,
    features: &Tensor,
    photo_factors: Option<&[f64]>,
) -> (Tensor, WeightedStyleGradient) {
    let Some(factors) = photo_factors else {
        let (loss, gradient) = style_loss_and_gradient(target, layer, features);
        return (loss, WeightedStyleGradient(vec![(gradient, 1.0)]));
    };
    assert_eq!(features.size()[0], factors.len() as i64, "photos and what they count");
    let mut loss = features.new_zeros([1], (Kind::Float, features.device())).squeeze();
    let mut gradients = Vec::with_capacity(factors.len());
    for (photo, factor) in factors.iter().enumerate() {
        let share = factor / factors.len() as f64;
        let (own, gradient) = style_loss_and_gradient(target, layer, &features.narrow(0, photo as i64, 1));
        loss += own * share;
        gradients.push((gradient, share));
    }
    (loss, WeightedStyleGradient(gradients))
}

/// The style loss of a layer in the target's unit, a scalar, and what its gradient is made of.
fn style_loss_and_gradient(target: &StyleTarget, layer: Layer, features: &Tensor) -> (Tensor, StyleGradient) {
    let mut loss = features.new_zeros([1], (Kind::Float, features.device())).squeeze();
    let mut parts = Vec::new();
    for (region, targets) in target.layer(layer) {
        let guide = region.guide_for(features);
        if targets.iter().any(|target| target.statistic.is_of_moments()) {
            let (_, c, h, w) = features.size4().expect("features have four dimensions");
            let count = guide.as_ref().map_or((h * w) as f64, counted_pixels);
            let sums = MomentSums::of(features, guide.as_ref(), look_at_mean(targets));
            let (of_moments, slopes) = loss_of_moments(targets, sums, count, c);
            loss += of_moments;
            parts.push(Part::Moments { slopes, guide: guide.as_ref().map(Tensor::shallow_clone) });
        }
        if targets.iter().any(|target| !target.statistic.is_of_moments()) {
            let (of_features, gradient) = loss_of_features(targets, features, guide.as_ref());
            loss += of_features;
            parts.push(Part::Features(gradient));
        }
    }
    (loss, StyleGradient(parts))
}

/// How many pixels a guide shows. Waits for the device.
pub(super) fn counted_pixels(guide: &Tensor) -> f64 {
    guide.square().sum(Kind::Double).double_value(&[]).max(f64::from(f32::MIN_POSITIVE))
}

/// Of those targets that are of moments: the loss from sums over `count` pixels of features with `channels`, and its slopes
/// along the sums.
pub(super) fn loss_of_moments(
    targets: &[StatisticTarget],
    sums: MomentSums,
    count: f64,
    channels: i64,
) -> (Tensor, MomentSlopes) {
    let targets = || targets.iter().filter(|target| target.statistic.is_of_moments());
    let Some(first) = sums.first else {
        return loss_of_grams(targets(), &sums.second, count, channels);
    };
    let leaf = |sum: Tensor| sum.detach().set_requires_grad(true);
    let (first, second) = (leaf(first), leaf(sums.second));
    let loss = tch::with_grad(|| {
        let moments = Moments { mean: &first / count, second: &second / count };
        let distance = |target: &StatisticTarget| {
            let measured = target.statistic.measure_moments(&moments, channels);
            target.statistic.distance(&measured, &target.target) * target.factor
        };
        targets().map(distance).reduce(|sum, loss| sum + loss).expect("one of moments")
    });
    let mut slopes = Tensor::run_backward(&[&loss], &[&second, &first], false, false);
    let mean = slopes.remove(1);
    let second = slopes.remove(0);
    (loss.detach(), MomentSlopes { second: &second + second.transpose(1, 2), mean: Some(mean) })
}

/// Whether the mean has to be summed up for any of these targets.
pub(super) fn look_at_mean(targets: &[StatisticTarget]) -> bool {
    targets.iter().any(|target| target.statistic.is_of_mean())
}

/// The way of the default, without autograd.
fn loss_of_grams<'a>(
    targets: impl Iterator<Item = &'a StatisticTarget>,
    second_sums: &Tensor,
    count: f64,
    channels: i64,
) -> (Tensor, MomentSlopes) {
    let per_gram = 1.0 / (count * channels as f64);
    let gram = second_sums * per_gram;
    let mut loss = gram.new_zeros([1], (Kind::Float, gram.device())).squeeze();
    let mut second = gram.zeros_like();
    for StatisticTarget { target, factor, .. } in targets {
        let difference = &gram - target;
        loss += difference.square().mean(Kind::Float) * *factor;
        // Once for the square and once for the two places of the features in the (symmetric) product.
        second += &difference * (4.0 * factor * per_gram / difference.numel() as f64);
    }
    (loss, MomentSlopes { second, mean: None })
}

/// Of the other targets: the loss and its gradient with respect to the features.
fn loss_of_features(
    targets: &[StatisticTarget],
    features: &Tensor,
    guide: Option<&Tensor>,
) -> (Tensor, Tensor) {
    let leaf = features.to_kind(Kind::Float).detach().set_requires_grad(true);
    let guide = guide.map(|guide| guide.to_kind(Kind::Float));
    tch::with_grad(|| {
        let mut loss = leaf.sum(Kind::Float) * 0.0;
        for StatisticTarget { statistic, target, factor } in
            targets.iter().filter(|target| !target.statistic.is_of_moments())
        {
            loss += statistic.distance(&statistic.measure(&leaf, guide.as_ref()), target) * *factor;
        }
        let gradient = Tensor::run_backward(&[&loss], &[&leaf], false, false).remove(0);
        (loss.detach(), gradient)
    })
}

impl WeightedStyleGradient {
    /// Adds `weight` times the loss's gradient to that with respect to `features`, which it may use up.
    pub(super) fn add(self, gradient: Option<Tensor>, features: &Tensor, weight: f64) -> Tensor {
        let gradient = gradient.unwrap_or_else(|| features.zeros_like());
        let photos = features.size()[0] / self.0.len() as i64;
        for (place, (own, share)) in self.0.into_iter().enumerate() {
            let [gradient, features] =
                [&gradient, features].map(|batch| batch.narrow(0, place as i64 * photos, photos));
            own.add(gradient, &features, weight * share);
        }
        gradient
    }
}

impl StyleGradient {
    /// Adds `weight` times the loss's gradient to `gradient`, that with respect to `features`, in place.
    fn add(self, mut gradient: Tensor, features: &Tensor, weight: f64) {
        for part in self.0 {
            match part {
                Part::Moments { slopes, guide } => {
                    gradient = slopes.add(gradient, features, guide.as_ref(), weight);
                }
                Part::Features(own) => gradient += (own * weight).to_kind(gradient.kind()),
            }
        }
    }
}

impl MomentSlopes {
    /// Adds `weight` times the gradient with respect to `features` to `gradient`.
    pub(super) fn add(
        &self,
        mut gradient: Tensor,
        features: &Tensor,
        guide: Option<&Tensor>,
        weight: f64,
    ) -> Tensor {
        let second = (&self.second * weight).to_kind(features.kind());
        match guide {
            None => {
                let _ = pixels(&gradient).baddbmm_(&pixels(features), &second);
            }
            Some(guide) => {
                // Second moments are of guided features, so that the guide comes twice: within them and on the way back.
                let counted = features * guide.square();
                let _ = pixels(&gradient).baddbmm_(&pixels(&counted), &second);
            }
        }
        if let Some(mean) = &self.mean {
            let mean = (mean * weight).to_kind(features.kind()).unsqueeze(3);
            gradient += match guide {
                None => mean,
                Some(guide) => mean * guide.square(),
            };
        }
        gradient
    }
}
