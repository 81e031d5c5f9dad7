//! What a picture should be painted like: the statistics of one painting, of several blended into one, or of another one in each
//! region.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

use super::PerceptualLossSpec;
use super::statistic::StyleStatistic;
use crate::lossnet::{Layer, LossNet};

/// What each layer's style loss is measured in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StyleUnit {
    /// The size of the painting's own statistic at that layer, for Gram matrices their mean square: the painting itself has the
    /// loss 0, a picture without any features 1. A style weight then means the same for every painting, layer, statistic and loss
    /// network.
    #[default]
    Painting,
    /// None: the distance as it is, for Gram matrices the mean squared difference, as in Johnson et al. 2016 and everybody's
    /// recipes. Between paintings it differs a hundredfold.
    Raw,
}

/// A painting to learn from, and how much it counts beside the others.
pub struct WeightedPainting {
    /// `byte_rgb` `[1, 3, h, w]`, at the size it is looked at.
    pub byte_rgb: Tensor,
    /// Above 0; only the ratios matter.
    pub weight: f64,
    /// Where to look, `[1, 1, h, w]` from 0 to 1; without it, everywhere.
    pub guide: Option<Tensor>,
}

impl WeightedPainting {
    /// The whole of a painting.
    pub fn whole(byte_rgb: Tensor, weight: f64) -> Self {
        Self { byte_rgb, weight, guide: None }
    }
}

/// A part of the picture, and what is to be painted there.
pub struct StyleRegion {
    /// Blended into one.
    pub paintings: Vec<WeightedPainting>,
    /// Which part, `[1, 1, h, w]` from 0 to 1 at the picture's size; without it, all of it.
    pub guide: Option<Tensor>,
}

/// The statistics to reach at each style layer, by region.
pub struct StyleTarget {
    regions: Vec<RegionTarget>,
}

/// What one region should reach.
pub(super) struct RegionTarget {
    /// `[1, 1, h, w]` at the picture's size.
    pub(super) guide: Option<Tensor>,
    layers: BTreeMap<Layer, Vec<StatisticTarget>>,
}

/// What one statistic of a layer should reach.
pub(super) struct StatisticTarget {
    pub(super) statistic: StyleStatistic,
    /// See [`StyleStatistic::target`].
    pub(super) target: Tensor,
    /// On the distance: the statistic's and the painting's weights and the region's share over the size of the unit.
    pub(super) factor: f64,
}

impl StyleTarget {
    /// Looks at the paintings through `network`. A region counts by its share of the picture, so that a picture that is cut into regions
    /// costs about what it did.
    ///
    /// Where a statistic allows it, several paintings become one target. The weighted sum of the squared distances to several
    /// matrices is, but for a constant, the squared distance to their weighted mean; the constant is left out.
    ///
    /// # Panics
    /// If there are style layers but no painting, the network was not loaded as deep as the style layers, or a painting is smaller
    /// than [`LossNet::smallest_side`] of the deepest of them.
    pub fn of_regions(regions: Vec<StyleRegion>, spec: &PerceptualLossSpec, network: &LossNet) -> Self {
        let has_paintings = regions.iter().all(|region| !region.paintings.is_empty()) && !regions.is_empty();
        assert!(has_paintings || spec.style_layers.is_empty(), "a style needs a painting");
        let regions = tch::no_grad(|| {
            regions.into_iter().map(|region| RegionTarget::of(region, spec, network)).collect()
        });
        Self { regions }
    }

    /// The regions with what a layer should reach in them.
    ///
    /// # Panics
    /// If it is not a style layer.
    pub(super) fn layer(&self, layer: Layer) -> impl Iterator<Item = (&RegionTarget, &[StatisticTarget])> {
        self.regions.iter().map(move |region| (region, region.layers[&layer].as_slice()))
    }

    /// Whether all of it can be summed up over parts of a picture.
    pub fn is_of_moments(&self) -> bool {
        let mut targets = self.regions.iter().flat_map(|region| region.layers.values()).flatten();
        targets.all(|target| target.statistic.is_of_moments())
    }
}

impl RegionTarget {
    fn of(region: StyleRegion, spec: &PerceptualLossSpec, network: &LossNet) -> Self {
        let StyleRegion { paintings, guide } = region;
        let share = guide.as_ref().map_or(1.0, |guide| guide.square().mean(Kind::Double).double_value(&[]));
        let whole: f64 = paintings.iter().map(|painting| painting.weight).sum();
        let wanted: Vec<Layer> = spec.style_layers.layers().collect();
        let mut layers: BTreeMap<Layer, Vec<StatisticTarget>> =
            wanted.iter().map(|&layer| (layer, Vec::new())).collect();
        for painting in &paintings {
            for (layer, features) in network.features(&painting.byte_rgb, &wanted) {
                let at_layer = painting.guide.as_ref().map(|guide| shrunk(guide, &features));
                let targets = layers.get_mut(&layer).expect("every wanted layer has its place");
                for (statistic, weight) in spec.style_statistics.iter() {
                    let target = statistic.target(statistic.measure(&features, at_layer.as_ref()));
                    if target.numel() == 0 {
                        continue; // the painting is too small for any of the shifts
                    }
                    let unit = match spec.style_unit {
                        StyleUnit::Raw => 1.0,
                        // A painting without any features at a layer (a single black pixel) asks for nothing there.
                        StyleUnit::Painting => statistic.distance_of_nothing(&target).max(f64::MIN_POSITIVE),
                    };
                    let factor = weight * share * painting.weight / whole / unit;
                    add_target(targets, StatisticTarget { statistic: statistic.clone(), target, factor });
                }
            }
        }
        Self { guide, layers }
    }

    /// Where to look in features of the picture: the guide at their resolution.
    pub(super) fn guide_for(&self, features: &Tensor) -> Option<Tensor> {
        self.guide.as_ref().map(|guide| shrunk(guide, features))
    }
}

/// Blends a target with an earlier one of the same statistic where that is possible.
fn add_target(targets: &mut Vec<StatisticTarget>, new: StatisticTarget) {
    let earlier = targets.iter_mut().find(|known| known.statistic == new.statistic);
    match earlier {
        Some(known) if new.statistic.blends_by_mean() => {
            let factor = known.factor + new.factor;
            let share = if factor > 0.0 { new.factor / factor } else { 0.0 };
            known.target = known.target.lerp(&new.target, share);
            known.factor = factor;
        }
        _ => targets.push(new),
    }
}

/// A guide at the resolution of features: each of their pixels sees the mean of what lies under it.
fn shrunk(guide: &Tensor, features: &Tensor) -> Tensor {
    let (_, _, height, width) = features.size4().expect("features have four dimensions");
    guide.adaptive_avg_pool2d([height, width]).to_kind(features.kind())
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use rand::SeedableRng as _;
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::loss::drawn;
    use crate::lossnet::Arch;
    use crate::space::LossInputSpace;

    fn network() -> LossNet {
        let rng = RefCell::new(ChaCha8Rng::seed_from_u64(3));
        let layers = ["relu1_2".parse().unwrap()];
        drawn::network(&rng, Arch::Vgg19, LossInputSpace::oxford_bgr(), &layers)
    }

    fn picture() -> Tensor {
        Tensor::rand([1, 3, 12, 10], tch::kind::FLOAT_CPU) * 255.0
    }

    fn spec(style_unit: StyleUnit, statistics: &str) -> PerceptualLossSpec {
        PerceptualLossSpec {
            style_unit,
            style_layers: "relu1_1,relu1_2".parse().unwrap(),
            style_statistics: statistics.parse().unwrap(),
            ..PerceptualLossSpec::default()
        }
    }

    fn target(paintings: Vec<WeightedPainting>, spec: &PerceptualLossSpec, network: &LossNet) -> StyleTarget {
        StyleTarget::of_regions(vec![StyleRegion { paintings, guide: None }], spec, network)
    }

    fn loss(target: &StyleTarget, layer: Layer, features: &Tensor) -> f64 {
        let distance = |target: &StatisticTarget| {
            let measured = target.statistic.measure(features, None);
            target.statistic.distance(&measured, &target.target).double_value(&[]) * target.factor
        };
        target.layer(layer).flat_map(|(_, targets)| targets).map(distance).sum()
    }

    /// What the weighted sum of two paintings' losses has over the loss of their blend, for three pictures.
    fn excess_of_the_sum(spec: &PerceptualLossSpec, layer: Layer, network: &LossNet) -> Vec<f64> {
        let pictures = [0.25, 0.75].map(|weight| (picture(), weight));
        let painting =
            |(byte_rgb, weight): &(Tensor, f64)| WeightedPainting::whole(byte_rgb.shallow_clone(), *weight);
        let blend = target(pictures.iter().map(painting).collect(), spec, network);
        let alone = pictures.each_ref().map(|it| (it.1, target(vec![painting(it)], spec, network)));
        (0..3)
            .map(|_| {
                let features = &network.features(&picture(), &[layer])[&layer];
                let sum: f64 =
                    alone.iter().map(|(weight, target)| weight * loss(target, layer, features)).sum();
                sum - loss(&blend, layer, features)
            })
            .collect()
    }

    #[test]
    fn a_blend_is_the_weighted_sum_of_the_losses_but_for_a_constant() {
        let network = network();
        for unit in [StyleUnit::Raw, StyleUnit::Painting] {
            for statistic in ["gram", "mean-std", "mirrored-gram"] {
                let spec = spec(unit, statistic);
                for layer in spec.style_layers.layers() {
                    let constants = excess_of_the_sum(&spec, layer, &network);
                    assert!(constants[0] > 0.0);
                    for constant in &constants {
                        let off = (constant / constants[0] - 1.0).abs();
                        assert!(off < 2e-3, "{statistic} {unit:?} {layer}: {constants:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn what_has_no_mean_is_compared_with_each_painting() {
        let network = network();
        for statistic in ["gaussian-w2", "histogram", "shifted-gram:1"] {
            let spec = spec(StyleUnit::Painting, statistic);
            for layer in spec.style_layers.layers() {
                let excess = excess_of_the_sum(&spec, layer, &network);
                assert!(excess.iter().all(|excess| excess.abs() < 1e-6), "{statistic} {layer}: {excess:?}");
            }
        }
    }

    #[test]
    fn in_the_paintings_unit_nothing_at_all_costs_one_by_any_statistic() {
        let network = network();
        for statistics in [
            "gram",
            "mean-std",
            "gaussian-w2",
            "shifted-gram:1:2",
            "mirrored-gram",
            "histogram",
            "sliced-wasserstein",
        ] {
            let spec = spec(StyleUnit::Painting, statistics);
            let target = target(vec![WeightedPainting::whole(picture(), 3.0)], &spec, &network);
            let nothing = Tensor::zeros([1, 64, 12, 10], tch::kind::FLOAT_CPU);
            let loss = loss(&target, spec.style_layers.layers().next().unwrap(), &nothing);
            // Deviations and variances have a least value, which even nothing has.
            assert!((loss - 1.0).abs() < 1e-2, "{statistics}: {loss}");
        }
    }

    #[test]
    fn a_region_counts_by_its_share_and_sees_nothing_else() {
        let (network, spec) = (network(), spec(StyleUnit::Raw, "gram,mean-std,histogram"));
        let layer: Layer = "relu1_1".parse().unwrap();
        let left = Tensor::cat(
            &[
                Tensor::ones([1, 1, 8, 4], tch::kind::FLOAT_CPU),
                Tensor::zeros([1, 1, 8, 12], tch::kind::FLOAT_CPU),
            ],
            3,
        );
        let painting = picture();
        let of_guide = |guide: Option<&Tensor>| {
            let paintings = vec![WeightedPainting::whole(painting.shallow_clone(), 1.0)];
            let guide = guide.map(Tensor::shallow_clone);
            StyleTarget::of_regions(vec![StyleRegion { paintings, guide }], &spec, &network)
        };
        let features = Tensor::rand([1, 64, 8, 16], tch::kind::FLOAT_CPU);
        let guided = of_guide(Some(&left));
        let of_region: f64 = guided
            .layer(layer)
            .flat_map(|(region, targets)| targets.iter().map(move |target| (region, target)))
            .map(|(region, target)| {
                let measured = target.statistic.measure(&features, region.guide_for(&features).as_ref());
                target.statistic.distance(&measured, &target.target).double_value(&[]) * target.factor
            })
            .sum();
        let alone = loss(&of_guide(None), layer, &features.narrow(3, 0, 4)) / 4.0;
        assert!((of_region / alone - 1.0).abs() < 1e-4, "{of_region} and {alone}");
    }
}
