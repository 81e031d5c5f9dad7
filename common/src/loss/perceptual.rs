//! The perceptual loss: content, style and smoothness, weighed together (Johnson et al. 2016, equation 5).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::grid_pattern::{grid_pattern_loss, grid_pattern_loss_and_gradient};
use super::style_target::StatisticTarget;
use super::{
    LayerWeights, Reduction, StyleRegion, StyleStatistics, StyleTarget, StyleUnit, TotalVariation,
    WeightedPainting, content_loss,
};
use crate::lossnet::{Features, Layer, LossNet};
use crate::precision::Precision;

/// How much each kind of loss counts.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LossWeights {
    /// Of the content loss, summed over its layers.
    pub content: f64,
    /// Of the style loss, summed over its layers.
    pub style: f64,
    /// Of the total variation of the `byte_rgb` output.
    pub total_variation: f64,
}

/// What is compared, and how much it counts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PerceptualLossSpec {
    /// What the style loss is measured in.
    pub style_unit: StyleUnit,
    /// How much each kind counts.
    pub weights: LossWeights,
    /// Layers whose features should stay those of the photo.
    pub content_layers: LayerWeights,
    /// Layers whose statistics should become those of the painting.
    pub style_layers: LayerWeights,
    /// Which statistics.
    #[serde(default)]
    pub style_statistics: StyleStatistics,
    /// How differences of content become one number.
    #[serde(default)]
    pub content_reduction: Reduction,
    /// How neighbouring pixels are compared.
    #[serde(default)]
    pub total_variation: TotalVariation,
    /// How much the [grid pattern](super::grid_pattern_loss) of the `byte_rgb` output counts; 0 (left out of files, which older
    /// programs can then read) does not look at it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub grid_weight: f64,
    /// Divide the gradient of each layer's content and style loss by its own size, the sum of absolute values, before it is weighted
    /// (jcjohnson/neural-style's `-normalize_gradients`): each layer then pulls as hard as its weight says, however large its
    /// loss. The gradient is that of no loss then, which a line search cannot follow.
    #[serde(default)]
    pub normalize_gradients: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_zero(weight: &f64) -> bool {
    *weight == 0.0
}

impl PerceptualLossSpec {
    /// Whether the grid pattern counts.
    fn looks_at_grid(&self) -> bool {
        self.grid_weight > 0.0
    }

    /// Every layer that is compared, in either way, from the shallowest to the deepest.
    pub fn layers(&self) -> Vec<Layer> {
        let mut layers: Vec<Layer> = self.content_layers.layers().chain(self.style_layers.layers()).collect();
        layers.sort_unstable();
        layers.dedup();
        layers
    }
}

impl Default for PerceptualLossSpec {
    /// The layers of lengstrom/fast-style-transfer for VGG-19; weights for [`StyleUnit::Painting`], by eye and measurement
    /// (docs/records/2026-11-21-training.md).
    fn default() -> Self {
        let layers = |places: &[(u8, u8)]| {
            LayerWeights::equal(places.iter().filter_map(|&(block, index)| Layer::vgg(block, index)))
        };
        Self {
            style_unit: StyleUnit::Painting,
            weights: LossWeights { content: 1.0, style: 5e5, total_variation: 7.0 },
            content_layers: layers(&[(4, 2)]),
            style_layers: layers(&[(1, 1), (2, 1), (3, 1), (4, 1), (5, 1)]),
            style_statistics: StyleStatistics::default(),
            content_reduction: Reduction::Mean,
            total_variation: TotalVariation::default(),
            grid_weight: 0.0,
            normalize_gradients: false,
        }
    }
}

/// A perceptual loss against one painting, or several blended.
pub struct PerceptualLoss {
    pub(super) spec: PerceptualLossSpec,
    pub(super) network: LossNet,
    pub(super) target: StyleTarget,
}

/// The terms of a loss, each a scalar tensor that still knows how it came about. None of them is weighted but `total`.
pub struct LossTerms {
    /// The weighted sum.
    pub total: Tensor,
    /// Content loss at each content layer.
    pub content: Vec<(Layer, Tensor)>,
    /// Style loss at each style layer, in the spec's unit.
    pub style: Vec<(Layer, Tensor)>,
    /// Total variation.
    pub total_variation: Tensor,
    /// The grid pattern, where it counts.
    pub grid_pattern: Option<Tensor>,
    /// The temporal loss, where one was looked at: see [`LossTerms::add_temporal`].
    pub temporal: Option<Tensor>,
    /// That of features, where one was looked at: see [`LossTerms::add_temporal_features`].
    pub temporal_features: Option<Tensor>,
    /// The matting Laplacian's energy, where it was looked at: see [`LossTerms::add_photorealism`].
    pub photorealism: Option<Tensor>,
}

/// The terms that no network is asked for.
pub(super) struct SurfaceTerms {
    pub(super) total_variation: Tensor,
    pub(super) grid_pattern: Option<Tensor>,
}

/// The terms of a loss as numbers: `total` = weight · `content` + weight · `style` + weight · `total_variation`, and where
/// they are looked at + weight · `grid_pattern` + factor · `temporal` + factor · `temporal_features`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LossValues {
    /// The weighted sum.
    pub total: f64,
    /// Content loss: the sum over its layers, each with the layer's own weight.
    pub content: f64,
    /// Style loss: the sum over its layers, each with the layer's own weight.
    pub style: f64,
    /// Total variation.
    pub total_variation: f64,
    /// The grid pattern, where it counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grid_pattern: Option<f64>,
    /// Temporal loss, where one was looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temporal: Option<f64>,
    /// Temporal loss of features, where one was looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temporal_features: Option<f64>,
    /// The matting Laplacian's energy, where it was looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub photorealism: Option<f64>,
    /// Content loss at each layer, unweighted.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub content_layers: BTreeMap<Layer, f64>,
    /// Style loss at each layer, unweighted.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub style_layers: BTreeMap<Layer, f64>,
}

/// What a picture should show: the features of a photo at the content layers.
pub struct ContentTarget(pub(super) Features);

impl ContentTarget {
    /// Of no photo, where there are no content layers.
    pub fn nothing() -> Self {
        Self(Features::new())
    }
}

impl PerceptualLoss {
    /// A loss against these paintings, blended into one.
    ///
    /// # Panics
    /// As [`StyleTarget::of_regions`].
    pub fn new(spec: PerceptualLossSpec, network: LossNet, paintings: Vec<WeightedPainting>) -> Self {
        Self::with_regions(spec, network, vec![StyleRegion { paintings, guide: None }])
    }

    /// A loss against other paintings in each region of the picture.
    ///
    /// # Panics
    /// As [`StyleTarget::of_regions`].
    pub fn with_regions(spec: PerceptualLossSpec, network: LossNet, regions: Vec<StyleRegion>) -> Self {
        let target = StyleTarget::of_regions(regions, &spec, &network);
        Self { spec, network, target }
    }

    /// The loss network again, without the targets.
    pub fn into_network(self) -> LossNet {
        self.network
    }

    /// What is compared.
    pub fn spec(&self) -> &PerceptualLossSpec {
        &self.spec
    }

    /// What a photo `byte_rgb` `[n, 3, h, w]` shows, to judge several pictures by.
    pub fn content_target(&self, photo_byte_rgb: &Tensor, precision: Precision) -> ContentTarget {
        let layers: Vec<Layer> = self.spec.content_layers.layers().collect();
        ContentTarget(tch::no_grad(|| self.network.features_in(photo_byte_rgb, &layers, precision)))
    }

    /// Judges a painted batch by the photos it was painted from, both `byte_rgb` `[n, 3, h, w]`. Differentiable in
    /// `painted_byte_rgb`, but for [`PerceptualLossSpec::normalize_gradients`], of which it knows nothing.
    pub fn evaluate(&self, painted_byte_rgb: &Tensor, photo_byte_rgb: &Tensor) -> LossTerms {
        let content_layers: Vec<Layer> = self.spec.content_layers.layers().collect();
        let photo = tch::no_grad(|| self.network.features(photo_byte_rgb, &content_layers));
        let painted = self.network.features(painted_byte_rgb, &self.spec.layers());
        let content: Vec<(Layer, Tensor)> = content_layers
            .iter()
            .map(|layer| (*layer, content_loss(&painted[layer], &photo[layer], self.spec.content_reduction)))
            .collect();
        let style: Vec<(Layer, Tensor)> = self
            .spec
            .style_layers
            .layers()
            .map(|layer| (layer, style_loss(&self.target, layer, &painted[&layer])))
            .collect();
        let total_variation = self.spec.total_variation.loss(painted_byte_rgb);

        let grid_pattern = self.spec.looks_at_grid().then(|| grid_pattern_loss(painted_byte_rgb));
        self.weigh(content, style, SurfaceTerms { total_variation, grid_pattern })
    }

    /// The terms of the picture's own surface and their weighted gradient, `[n, 3, h, w]`.
    pub(super) fn surface_and_gradient(&self, painted_byte_rgb: &Tensor) -> (SurfaceTerms, Tensor) {
        let PerceptualLossSpec { weights, grid_weight, total_variation, .. } = &self.spec;
        let (total_variation, gradient) =
            total_variation.loss_and_gradient(painted_byte_rgb, weights.total_variation);
        if !self.spec.looks_at_grid() {
            return (SurfaceTerms { total_variation, grid_pattern: None }, gradient);
        }
        let (grid_pattern, of_grid) = grid_pattern_loss_and_gradient(painted_byte_rgb, *grid_weight);
        (SurfaceTerms { total_variation, grid_pattern: Some(grid_pattern) }, gradient + of_grid)
    }

    /// The terms with their weighted sum.
    pub(super) fn weigh(
        &self,
        content: Vec<(Layer, Tensor)>,
        style: Vec<(Layer, Tensor)>,
        SurfaceTerms { total_variation, grid_pattern }: SurfaceTerms,
    ) -> LossTerms {
        let LossWeights { content: content_weight, style: style_weight, total_variation: tv_weight } =
            self.spec.weights;
        let mut total = &total_variation * tv_weight;
        if let Some(loss) = &grid_pattern {
            total += loss * self.spec.grid_weight;
        }
        for (layer, loss) in &content {
            total += loss * (content_weight * self.spec.content_layers.weight(*layer));
        }
        for (layer, loss) in &style {
            total += loss * (style_weight * self.spec.style_layers.weight(*layer));
        }
        LossTerms {
            total,
            content,
            style,
            total_variation,
            grid_pattern,
            temporal: None,
            temporal_features: None,
            photorealism: None,
        }
    }
}

/// The style loss of a layer in the target's unit, a scalar; differentiable in the features.
fn style_loss(target: &StyleTarget, layer: Layer, features: &Tensor) -> Tensor {
    let mut loss = features.new_zeros([1], (features.kind(), features.device())).squeeze();
    for (region, targets) in target.layer(layer) {
        let guide = region.guide_for(features);
        for StatisticTarget { statistic, target, factor } in targets {
            loss += statistic.distance(&statistic.measure(features, guide.as_ref()), target) * *factor;
        }
    }
    loss
}

impl LossTerms {
    /// Puts a [temporal loss](super::temporal_loss) beside the others, and `factor` times it into the total.
    pub fn add_temporal(&mut self, loss: Tensor, factor: f64) {
        self.total = &self.total + &loss * factor;
        self.temporal = Some(loss);
    }

    /// The same for the [temporal loss of features](PerceptualLoss::temporal_feature_loss).
    pub fn add_temporal_features(&mut self, loss: Tensor, factor: f64) {
        self.total = &self.total + &loss * factor;
        self.temporal_features = Some(loss);
    }

    /// The same for the energy of [`MattingLaplacian`](super::MattingLaplacian).
    pub fn add_photorealism(&mut self, energy: Tensor, factor: f64) {
        self.total = &self.total + &energy * factor;
        self.photorealism = Some(energy);
    }

    /// The terms as numbers, weighed by `spec`'s layers. Waits for the device: a synchronisation point.
    pub fn values(&self, spec: &PerceptualLossSpec) -> LossValues {
        let by_layer = |terms: &[(Layer, Tensor)]| -> BTreeMap<Layer, f64> {
            terms.iter().map(|(layer, loss)| (*layer, loss.double_value(&[]))).collect()
        };
        let sum = |values: &BTreeMap<Layer, f64>, weights: &LayerWeights| {
            values.iter().map(|(&layer, value)| value * weights.weight(layer)).sum()
        };
        let optional = |loss: &Option<Tensor>| loss.as_ref().map(|loss| loss.double_value(&[]));
        let (content_layers, style_layers) = (by_layer(&self.content), by_layer(&self.style));
        LossValues {
            total: self.total.double_value(&[]),
            content: sum(&content_layers, &spec.content_layers),
            style: sum(&style_layers, &spec.style_layers),
            total_variation: self.total_variation.double_value(&[]),
            grid_pattern: optional(&self.grid_pattern),
            temporal: optional(&self.temporal),
            temporal_features: optional(&self.temporal_features),
            photorealism: optional(&self.photorealism),
            content_layers,
            style_layers,
        }
    }
}

impl LossValues {
    /// The mean over several pictures, of which either all have an optional term or none has; zeros for no pictures.
    pub fn mean(values: &[Self]) -> Self {
        let count = values.len().max(1) as f64;
        let mut mean = Self::default();
        for value in values {
            mean.total += value.total / count;
            mean.content += value.content / count;
            mean.style += value.style / count;
            mean.total_variation += value.total_variation / count;
            for (sum, term) in [
                (&mut mean.grid_pattern, value.grid_pattern),
                (&mut mean.temporal, value.temporal),
                (&mut mean.temporal_features, value.temporal_features),
                (&mut mean.photorealism, value.photorealism),
            ] {
                if let Some(term) = term {
                    *sum.get_or_insert_default() += term / count;
                }
            }
            for (sums, terms) in [
                (&mut mean.content_layers, &value.content_layers),
                (&mut mean.style_layers, &value.style_layers),
            ] {
                for (&layer, term) in terms {
                    *sums.entry(layer).or_default() += term / count;
                }
            }
        }
        mean
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_written_before_layers_and_films_are_read() {
        let old = r#"{"total":1.0,"content":2.0,"style":3.0,"total_variation":4.0}"#;
        let values: LossValues = serde_json::from_str(old).unwrap();
        assert!(values.content_layers.is_empty() && values.temporal.is_none());
        assert!(values.temporal_features.is_none());
        assert_eq!(serde_json::to_string(&values).unwrap(), old);
    }

    #[test]
    fn a_mean_of_losses_is_taken_term_by_term() {
        let layer: Layer = "relu1_1".parse().unwrap();
        let value = |x: f64| LossValues {
            total: x,
            content: 2.0 * x,
            style: 3.0 * x,
            total_variation: 4.0 * x,
            grid_pattern: Some(10.0 * x),
            temporal: Some(7.0 * x),
            temporal_features: Some(8.0 * x),
            photorealism: Some(9.0 * x),
            content_layers: [(layer, 5.0 * x)].into(),
            style_layers: [(layer, 6.0 * x)].into(),
        };
        assert_eq!(LossValues::mean(&[value(1.0), value(3.0)]), value(2.0));
        assert_eq!(LossValues::mean(&[]), LossValues::default());
    }
}
