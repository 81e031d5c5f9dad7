//! What a picture should be painted like: the Gram matrices of one painting, or of several blended into one.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::{LayerWeights, gram_matrix};
use crate::lossnet::{Layer, LossNet};

/// What each layer's style loss is measured in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StyleUnit {
    /// The mean square of the painting's own Gram matrix at that layer: the painting itself has the loss 0, a picture
    /// without any features 1. A style weight then means the same for every painting, layer and loss network.
    #[default]
    Painting,
    /// None: the mean squared difference as it is, as in Johnson et al. 2016 and everybody's recipes. Between paintings
    /// it differs a hundredfold.
    Raw,
}

/// A painting to learn from, and how much it counts beside the others.
pub struct WeightedPainting {
    /// `byte_rgb` `[1, 3, h, w]`, at the size it is looked at.
    pub byte_rgb: Tensor,
    /// Above 0; only the ratios matter.
    pub weight: f64,
}

/// The Gram matrix to reach at each style layer, and the factor on its loss.
pub struct StyleTarget {
    layers: BTreeMap<Layer, LayerTarget>,
}

/// What one layer should reach.
pub struct LayerTarget {
    /// `[1, c, c]`, f32.
    pub gram: Tensor,
    /// On the mean squared difference: the reciprocal of the unit's size.
    pub factor: f64,
}

impl StyleTarget {
    /// Looks at the paintings through `network`.
    ///
    /// Several paintings become one target. The weighted sum of the squared distances to several matrices is, but for a
    /// constant, the squared distance to their weighted mean; the constant is left out.
    ///
    /// # Panics
    /// If there are style layers but no painting, the network was not loaded as deep as `style_layers`, or a painting is smaller than
    /// [`LossNet::smallest_side`] of the deepest of them.
    pub fn of_paintings(
        paintings: &[WeightedPainting],
        style_layers: &LayerWeights,
        unit: StyleUnit,
        network: &LossNet,
    ) -> Self {
        assert!(!paintings.is_empty() || style_layers.is_empty(), "a style needs a painting");
        let layers: Vec<Layer> = style_layers.layers().collect();
        let whole: f64 = paintings.iter().map(|painting| painting.weight).sum();
        let mut sums: BTreeMap<Layer, LayerTarget> = BTreeMap::new();
        tch::no_grad(|| {
            for painting in paintings {
                let features = network.features(&painting.byte_rgb, &layers);
                for (&layer, features) in &features {
                    let gram = gram_matrix(features);
                    let unit_size = match unit {
                        StyleUnit::Raw => 1.0,
                        // A painting without any features at a layer (a single black pixel) asks for nothing there.
                        StyleUnit::Painting => mean_square(&gram).max(f64::MIN_POSITIVE),
                    };
                    let factor = painting.weight / whole / unit_size;
                    let weighted_gram = gram * factor;
                    sums.entry(layer)
                        .and_modify(|sum| {
                            sum.gram += &weighted_gram;
                            sum.factor += factor;
                        })
                        .or_insert(LayerTarget { gram: weighted_gram, factor });
                }
            }
            for sum in sums.values_mut() {
                sum.gram /= sum.factor;
            }
        });
        Self { layers: sums }
    }

    /// What a layer should reach.
    ///
    /// # Panics
    /// If it is not a style layer.
    pub fn layer(&self, layer: Layer) -> &LayerTarget {
        &self.layers[&layer]
    }
}

/// Waits for the device: once for each painting, before the training.
fn mean_square(gram: &Tensor) -> f64 {
    gram.square().mean(tch::Kind::Double).double_value(&[])
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use rand::SeedableRng as _;
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::loss::{drawn, style_loss};
    use crate::lossnet::Arch;
    use crate::space::LossInputSpace;

    fn network() -> LossNet {
        let rng = RefCell::new(ChaCha8Rng::seed_from_u64(3));
        let layers = ["relu1_2".parse().unwrap()];
        drawn::network(&rng, Arch::Vgg19, LossInputSpace::torchvision_rgb(), &layers)
    }

    fn picture() -> Tensor {
        Tensor::rand([1, 3, 12, 10], tch::kind::FLOAT_CPU) * 255.0
    }

    #[test]
    fn a_blend_is_the_weighted_sum_of_the_losses_but_for_a_constant() {
        let (network, layers) = (network(), "relu1_1,relu1_2".parse::<LayerWeights>().unwrap());
        let paintings = || [0.25, 0.75].map(|weight| WeightedPainting { byte_rgb: picture(), weight });
        for unit in [StyleUnit::Raw, StyleUnit::Painting] {
            let paintings = paintings();
            let blend = StyleTarget::of_paintings(&paintings, &layers, unit, &network);
            let alone = paintings.map(|painting| {
                let weight = painting.weight;
                (weight, StyleTarget::of_paintings(&[painting], &layers, unit, &network))
            });
            for layer in layers.layers() {
                let loss = |target: &StyleTarget, features: &Tensor| {
                    let LayerTarget { gram, factor } = target.layer(layer);
                    style_loss(features, gram).double_value(&[]) * factor
                };
                let all_layers: Vec<Layer> = layers.layers().collect();
                let constants: Vec<f64> = (0..3)
                    .map(|_| {
                        let features = &network.features(&picture(), &all_layers)[&layer];
                        let sum: f64 =
                            alone.iter().map(|(weight, target)| weight * loss(target, features)).sum();
                        sum - loss(&blend, features)
                    })
                    .collect();
                assert!(constants[0] > 0.0);
                for constant in &constants {
                    assert!((constant / constants[0] - 1.0).abs() < 1e-3, "{unit:?} {layer}: {constants:?}");
                }
            }
        }
    }

    #[test]
    fn in_the_paintings_unit_nothing_at_all_costs_one() {
        let layers: LayerWeights = "relu1_1".parse().unwrap();
        let painting = WeightedPainting { byte_rgb: picture(), weight: 3.0 };
        let target = StyleTarget::of_paintings(&[painting], &layers, StyleUnit::Painting, &network());
        let LayerTarget { gram, factor } = target.layer(layers.layers().next().unwrap());
        let loss = style_loss(&Tensor::zeros([1, 64, 4, 4], tch::kind::FLOAT_CPU), gram);
        assert!((loss.double_value(&[]) * factor - 1.0).abs() < 1e-5);
    }
}
