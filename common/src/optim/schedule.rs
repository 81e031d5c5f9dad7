//! The learning rate as a pure function of the step.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

/// How the learning rate goes over a training: a linear rise, then level or down along half a cosine.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LearningRateSchedule {
    /// The highest rate.
    pub peak: f64,
    /// Steps of the rise.
    pub warmup_steps: u64,
    /// The shape after the rise.
    pub decay: Decay,
}

/// How the learning rate goes after its rise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Decay {
    /// It stays.
    Constant,
    /// Half a cosine down to zero at the last step (Loshchilov and Hutter 2016, without restarts).
    Cosine,
}

impl LearningRateSchedule {
    /// The rate of step `step`, from 1 to `steps`.
    pub fn rate_at(&self, step: u64, steps: u64) -> f64 {
        if step <= self.warmup_steps {
            return self.peak * step as f64 / self.warmup_steps as f64;
        }
        match self.decay {
            Decay::Constant => self.peak,
            Decay::Cosine => {
                // The last step still moves: the curve would reach zero one step later.
                let done = (step - self.warmup_steps - 1) as f64;
                let all = steps.saturating_sub(self.warmup_steps).max(1) as f64;
                self.peak * 0.5 * (1.0 + (PI * (done / all).min(1.0)).cos())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_rises_and_falls_as_drawn() {
        let schedule = LearningRateSchedule { peak: 2.0, warmup_steps: 4, decay: Decay::Cosine };
        let rates: Vec<f64> = (1..=8).map(|step| schedule.rate_at(step, 8)).collect();
        let expected = [0.5, 1.0, 1.5, 2.0, 2.0, 1.0 + 0.5f64.sqrt(), 1.0, 1.0 - 0.5f64.sqrt()];
        for (rate, expected) in rates.iter().zip(expected) {
            assert!((rate - expected).abs() < 1e-12, "{rates:?}");
        }
    }

    #[test]
    fn constant_stays_and_short_trainings_do_not_divide_by_zero() {
        let constant = LearningRateSchedule { peak: 1.0, warmup_steps: 0, decay: Decay::Constant };
        assert_eq!([1, 5, 9].map(|step| constant.rate_at(step, 9)), [1.0; 3]);
        let cut = LearningRateSchedule { peak: 1.0, warmup_steps: 10, decay: Decay::Cosine };
        assert!((1..=3).all(|step| cut.rate_at(step, 3).is_finite()));
    }
}
