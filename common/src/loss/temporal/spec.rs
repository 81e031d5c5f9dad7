//! How a training learns to paint steadily.

use serde::{Deserialize, Serialize};

/// How much the temporal loss counts, from when on, and what it looks at. Without a weight a training takes not a step more
/// for it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TemporalSpec {
    /// How much it counts at its full height; 0 has none. In units of [`TemporalSpec::WEIGHT_UNIT`].
    pub weight: f64,
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

    /// Whether there is a temporal loss at all.
    pub fn is_on(&self) -> bool {
        self.weight > 0.0
    }

    /// The factor on the temporal loss at its full height.
    pub fn full_factor(&self) -> f64 {
        self.weight * Self::WEIGHT_UNIT
    }

    /// The factor on the temporal loss at `step`, from 1, of `steps`; `None` where it does not count.
    pub fn factor_at(&self, step: u64, steps: u64) -> Option<f64> {
        let done = (step - 1) as f64 / steps as f64;
        let [start, end] = self.ramp;
        let risen = if done >= end { 1.0 } else { ((done - start) / (end - start)).max(0.0) };
        let factor = self.full_factor() * risen;
        (factor > 0.0).then_some(factor)
    }
}

impl Default for TemporalSpec {
    /// None; with a weight, ReReVST's noise and a start when a style can be seen.
    fn default() -> Self {
        Self { weight: 0.0, noise: 4.0, ramp: [0.1, 0.3] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_weight_rises_on_its_ramp() {
        let spec = TemporalSpec { weight: 2.0, ..TemporalSpec::default() };
        let factors: Vec<Option<f64>> = [1, 11, 21, 31, 100].map(|step| spec.factor_at(step, 100)).to_vec();
        assert_eq!(factors[..2], [None, None]);
        assert!((factors[2].unwrap() - 1e6).abs() < 1.0, "{factors:?}");
        assert_eq!(factors[3..], [Some(2e6), Some(2e6)]);
    }

    #[test]
    fn a_ramp_may_be_a_step_and_no_weight_never_counts() {
        let spec = TemporalSpec { weight: 1.0, ramp: [0.0, 0.0], ..TemporalSpec::default() };
        assert_eq!(spec.factor_at(1, 1), Some(1e6));
        let spec = TemporalSpec { ramp: [0.5, 0.5], ..spec };
        assert_eq!((spec.factor_at(5, 10), spec.factor_at(6, 10)), (None, Some(1e6)));
        assert!((1..=10).all(|step| TemporalSpec::default().factor_at(step, 10).is_none()));
    }
}
