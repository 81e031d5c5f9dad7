//! The perceptual loss: content, style and smoothness, weighed together (Johnson et al. 2016, equation 5).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::{content_loss, gram_matrix, style_loss, total_variation_loss};
use crate::lossnet::{Layer, Vgg};

/// How much each kind of loss counts.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LossWeights {
    /// Of the content loss, for each content layer.
    pub content: f64,
    /// Of the style loss, for each style layer.
    pub style: f64,
    /// Of the total variation of the `byte_rgb` output.
    pub total_variation: f64,
}

/// What is compared, and how much it counts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PerceptualLossSpec {
    /// Layers whose features should stay those of the photo.
    pub content_layers: Vec<Layer>,
    /// Layers whose Gram matrices should become those of the painting.
    pub style_layers: Vec<Layer>,
    /// How much each counts.
    pub weights: LossWeights,
}

impl PerceptualLossSpec {
    /// Every layer that is compared, in either way.
    pub fn layers(&self) -> Vec<Layer> {
        let mut layers = [self.content_layers.as_slice(), &self.style_layers].concat();
        layers.sort_unstable();
        layers.dedup();
        layers
    }
}

impl Default for PerceptualLossSpec {
    /// The layers and weights of lengstrom/fast-style-transfer, for VGG-19 in the Oxford input space.
    fn default() -> Self {
        let layers = |places: &[(u8, u8)]| {
            places.iter().filter_map(|&(block, index)| Layer::new(block, index)).collect()
        };
        Self {
            content_layers: layers(&[(4, 2)]),
            style_layers: layers(&[(1, 1), (2, 1), (3, 1), (4, 1), (5, 1)]),
            weights: LossWeights { content: 7.5, style: 100.0, total_variation: 200.0 },
        }
    }
}

/// A perceptual loss against one painting.
pub struct PerceptualLoss {
    spec: PerceptualLossSpec,
    network: Vgg,
    target_grams: Vec<(Layer, Tensor)>, // [1, c, c] each
}

/// The terms of a loss, each a scalar tensor that still knows how it came about. None of them is weighted but `total`.
pub struct LossTerms {
    /// The weighted sum.
    pub total: Tensor,
    /// Content loss at each content layer.
    pub content: Vec<(Layer, Tensor)>,
    /// Style loss at each style layer.
    pub style: Vec<(Layer, Tensor)>,
    /// Total variation.
    pub total_variation: Tensor,
}

/// The terms of a loss as numbers: `content` and `style` are sums over their layers, unweighted.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LossValues {
    /// The weighted sum.
    pub total: f64,
    /// Content loss.
    pub content: f64,
    /// Style loss.
    pub style: f64,
    /// Total variation.
    pub total_variation: f64,
    /// Content loss at each content layer; none in files that were written before layers were told apart.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub content_layers: BTreeMap<Layer, f64>,
    /// Style loss at each style layer; none in files that were written before layers were told apart.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub style_layers: BTreeMap<Layer, f64>,
}

impl PerceptualLoss {
    /// A loss against the painting `painting_byte_rgb` `[1, 3, h, w]`, at its own size.
    ///
    /// # Panics
    /// If the network was not loaded as deep as `spec` asks for, or the painting is smaller than
    /// [`Vgg::smallest_side`] of the deepest style layer.
    pub fn new(spec: PerceptualLossSpec, network: Vgg, painting_byte_rgb: &Tensor) -> Self {
        let target_grams = tch::no_grad(|| {
            let features = network.features(painting_byte_rgb, &spec.style_layers);
            spec.style_layers.iter().map(|layer| (*layer, gram_matrix(&features[layer]))).collect()
        });
        Self { spec, network, target_grams }
    }

    /// What is compared.
    pub fn spec(&self) -> &PerceptualLossSpec {
        &self.spec
    }

    /// Judges a painted batch by the photos it was painted from, both `byte_rgb` `[n, 3, h, w]`. Differentiable in
    /// `painted_byte_rgb`.
    pub fn evaluate(&self, painted_byte_rgb: &Tensor, photo_byte_rgb: &Tensor) -> LossTerms {
        let photo = tch::no_grad(|| self.network.features(photo_byte_rgb, &self.spec.content_layers));
        let painted = self.network.features(painted_byte_rgb, &self.spec.layers());
        let content: Vec<(Layer, Tensor)> = self
            .spec
            .content_layers
            .iter()
            .map(|layer| (*layer, content_loss(&painted[layer], &photo[layer])))
            .collect();
        let style: Vec<(Layer, Tensor)> = self
            .target_grams
            .iter()
            .map(|(layer, gram)| (*layer, style_loss(&painted[layer], gram)))
            .collect();
        let total_variation = total_variation_loss(painted_byte_rgb);

        let weights = self.spec.weights;
        let mut total = &total_variation * weights.total_variation;
        for (_, loss) in &content {
            total += loss * weights.content;
        }
        for (_, loss) in &style {
            total += loss * weights.style;
        }
        LossTerms { total, content, style, total_variation }
    }
}

impl LossTerms {
    /// The terms as numbers. Waits for the device: a synchronisation point.
    pub fn values(&self) -> LossValues {
        let by_layer = |terms: &[(Layer, Tensor)]| -> BTreeMap<Layer, f64> {
            terms.iter().map(|(layer, loss)| (*layer, loss.double_value(&[]))).collect()
        };
        let (content_layers, style_layers) = (by_layer(&self.content), by_layer(&self.style));
        LossValues {
            total: self.total.double_value(&[]),
            content: content_layers.values().sum(),
            style: style_layers.values().sum(),
            total_variation: self.total_variation.double_value(&[]),
            content_layers,
            style_layers,
        }
    }
}

impl LossValues {
    /// The mean of several, term by term; all zeros of none.
    pub fn mean(values: &[Self]) -> Self {
        let count = values.len().max(1) as f64;
        let mean = |term: fn(&Self) -> f64| values.iter().map(term).sum::<f64>() / count;
        let mean_by_layer = |layers: fn(&Self) -> &BTreeMap<Layer, f64>| {
            let mut means = BTreeMap::new();
            for (layer, loss) in values.iter().flat_map(layers) {
                *means.entry(*layer).or_default() += loss / count;
            }
            means
        };
        Self {
            total: mean(|values| values.total),
            content: mean(|values| values.content),
            style: mean(|values| values.style),
            total_variation: mean(|values| values.total_variation),
            content_layers: mean_by_layer(|values| &values.content_layers),
            style_layers: mean_by_layer(|values| &values.style_layers),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_are_taken_term_by_term_and_layer_by_layer() {
        let layer: Layer = "relu1_1".parse().unwrap();
        let values = |factor: f64| LossValues {
            total: factor,
            content: 2.0 * factor,
            style: 3.0 * factor,
            total_variation: 4.0 * factor,
            content_layers: BTreeMap::from([(layer, 5.0 * factor)]),
            style_layers: BTreeMap::from([(layer, 6.0 * factor)]),
        };
        assert_eq!(LossValues::mean(&[values(1.0), values(3.0)]), values(2.0));
        assert_eq!(LossValues::mean(&[]), LossValues::default());
    }

    #[test]
    fn values_written_before_layers_were_told_apart_are_read() {
        let old = r#"{"total":1.0,"content":2.0,"style":3.0,"total_variation":4.0}"#;
        let values: LossValues = serde_json::from_str(old).unwrap();
        assert!(values.content_layers.is_empty());
        assert_eq!(serde_json::to_string(&values).unwrap(), old);
    }
}
