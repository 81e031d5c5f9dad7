//! How a training learns to paint steadily.

use serde::{Deserialize, Serialize};

use super::features;
use crate::lossnet::Layer;

/// How much the temporal loss counts, from when on, and what it looks at. Without a weight a training takes not a step more
/// for it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TemporalSpec {
    /// How much it counts at its full height; 0 has none. In units of [`TemporalSpec::WEIGHT_UNIT`].
    pub weight: f64,
    /// How much it counts at its full height that the paintings' features agree too; 0 does not look at them. In units of
    /// [`TemporalSpec::FEATURES_UNIT`].
    pub features: f64,
    /// The largest standard deviation of the noise on moved photos, in `byte_rgb`.
    pub noise: f64,
    /// The parts of a training, 0 to 1, between which the weight rises from none to its full height: a style should be
    /// there before it is steadied.
    pub ramp: [f64; 2],
}

impl TemporalSpec {
    /// What a weight of 1 counts a loss of 1 as. A default training ends with a total loss of about a million, whatever the
    /// painting, since its style loss is measured in the painting's own unit; the temporal loss then is some thousandths.
    pub const WEIGHT_UNIT: f64 = 1e6;

    /// What a weight of 1 counts a loss of features of 1 as: being relative, it is some ten times that of colours.
    pub const FEATURES_UNIT: f64 = 1e5;

    /// Whether there is a temporal loss at all.
    pub fn is_on(&self) -> bool {
        self.weight > 0.0 || self.features > 0.0
    }

    /// Where features are compared, if they are.
    pub fn feature_layer(&self) -> Option<Layer> {
        (self.features > 0.0).then(features::layer)
    }

    /// The factors on the temporal losses at their full height.
    pub fn full_factors(&self) -> TemporalFactors {
        TemporalFactors {
            pixels: self.weight * Self::WEIGHT_UNIT,
            features: self.features * Self::FEATURES_UNIT,
        }
    }

    /// The factors on the temporal losses at `step`, from 1, of `steps`; `None` where they do not count.
    pub fn factors_at(&self, step: u64, steps: u64) -> Option<TemporalFactors> {
        let done = (step - 1) as f64 / steps as f64;
        let [start, end] = self.ramp;
        let risen = if done >= end { 1.0 } else { ((done - start) / (end - start)).max(0.0) };
        let TemporalFactors { pixels, features } = self.full_factors();
        (self.is_on() && risen > 0.0)
            .then_some(TemporalFactors { pixels: pixels * risen, features: features * risen })
    }
}

/// What the temporal losses are multiplied with in the total.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TemporalFactors {
    /// That of the paintings.
    pub pixels: f64,
    /// That of their features.
    pub features: f64,
}

impl Default for TemporalSpec {
    /// None; with a weight, ReReVST's noise and a start when a style can be seen.
    fn default() -> Self {
        Self { weight: 0.0, features: 0.0, noise: 4.0, ramp: [0.1, 0.3] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The factor on the loss of paintings.
    fn at(spec: TemporalSpec, step: u64, steps: u64) -> Option<f64> {
        spec.factors_at(step, steps).map(|factors| factors.pixels)
    }

    #[test]
    fn the_weight_rises_on_its_ramp() {
        let spec = TemporalSpec { weight: 2.0, ..TemporalSpec::default() };
        let factors: Vec<Option<f64>> = [1, 11, 21, 31, 100].map(|step| at(spec, step, 100)).to_vec();
        assert_eq!(factors[..2], [None, None]);
        assert!((factors[2].unwrap() - 1e6).abs() < 1.0, "{factors:?}");
        assert_eq!(factors[3..], [Some(2e6), Some(2e6)]);
    }

    #[test]
    fn a_ramp_may_be_a_step_and_no_weight_never_counts() {
        let spec = TemporalSpec { weight: 1.0, ramp: [0.0, 0.0], ..TemporalSpec::default() };
        assert_eq!(at(spec, 1, 1), Some(1e6));
        let spec = TemporalSpec { ramp: [0.5, 0.5], ..spec };
        assert_eq!((at(spec, 5, 10), at(spec, 6, 10)), (None, Some(1e6)));
        assert!((1..=10).all(|step| TemporalSpec::default().factors_at(step, 10).is_none()));
    }

    #[test]
    fn features_count_on_their_own_too_and_are_looked_at_only_then() {
        let spec = TemporalSpec { features: 0.5, ramp: [0.0, 1.0], ..TemporalSpec::default() };
        let half = 0.25 * TemporalSpec::FEATURES_UNIT;
        assert_eq!(spec.factors_at(6, 10), Some(TemporalFactors { pixels: 0.0, features: half }));
        assert_eq!(spec.feature_layer(), Layer::vgg(2, 1));
        assert_eq!(TemporalSpec { weight: 1.0, ..TemporalSpec::default() }.feature_layer(), None);
        let old: TemporalSpec =
            serde_json::from_str(r#"{"weight":1.0,"noise":4.0,"ramp":[0.1,0.3]}"#).unwrap();
        assert_eq!(old.features, 0.0);
    }
}
