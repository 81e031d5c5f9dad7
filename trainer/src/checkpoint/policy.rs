//! When a checkpoint is written, and which old ones go. Pure: no clock, no disk.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::config::RunSettings;

/// When a checkpoint is written, and which old ones go.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CheckpointPolicy {
    /// Steps between two; 0 to go by the clock alone.
    every_steps: u64,
    /// Time between two; zero to go by the steps alone.
    every: Duration,
    /// How many stay, apart from the best; at least 1.
    keep_last: usize,
}

impl CheckpointPolicy {
    pub(crate) fn of(settings: &RunSettings) -> Self {
        Self {
            every_steps: settings.checkpoint_every,
            every: Duration::try_from_secs_f64(settings.checkpoint_minutes * 60.0).unwrap_or(Duration::MAX),
            keep_last: settings.keep_checkpoints.max(1),
        }
    }

    /// Whether a checkpoint is due after `step`, `since_last` after the last one was written.
    pub(crate) fn is_due(&self, step: u64, since_last: Duration) -> bool {
        let by_steps = self.every_steps > 0 && step.is_multiple_of(self.every_steps);
        let by_clock = !self.every.is_zero() && since_last >= self.every;
        by_steps || by_clock
    }

    /// Which of the checkpoints, by step, are no longer needed.
    pub(crate) fn superseded(&self, steps: &BTreeSet<u64>, best: Option<u64>) -> Vec<u64> {
        let surplus = steps.len().saturating_sub(self.keep_last);
        steps.iter().copied().take(surplus).filter(|&step| Some(step) != best).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(every_steps: u64, minutes: f64, keep: usize) -> CheckpointPolicy {
        CheckpointPolicy::of(&RunSettings {
            checkpoint_every: every_steps,
            checkpoint_minutes: minutes,
            keep_checkpoints: keep,
            ..RunSettings::default()
        })
    }

    #[test]
    fn steps_and_clock_each_call_for_a_checkpoint() {
        let minute = Duration::from_mins(1);
        let both = policy(100, 2.0, 1);
        assert!(both.is_due(200, Duration::ZERO));
        assert!(!both.is_due(201, minute));
        assert!(both.is_due(201, 2 * minute));
        assert!(!policy(100, 0.0, 1).is_due(201, 1000 * minute));
        assert!(!policy(0, 2.0, 1).is_due(200, minute));
        assert!(!policy(0, 0.0, 1).is_due(200, 1000 * minute));
        assert!(!policy(0, f64::MAX, 1).is_due(200, 1000 * minute));
    }

    #[test]
    fn the_last_ones_and_the_best_stay() {
        let steps: BTreeSet<u64> = [100, 200, 300, 400].into();
        assert_eq!(policy(1, 0.0, 2).superseded(&steps, None), [100, 200]);
        assert_eq!(policy(1, 0.0, 2).superseded(&steps, Some(100)), [200]);
        assert_eq!(policy(1, 0.0, 2).superseded(&steps, Some(400)), [100, 200]);
        assert_eq!(policy(1, 0.0, 9).superseded(&steps, None), [0u64; 0]);
        assert_eq!(policy(1, 0.0, 0).superseded(&steps, None), [100, 200, 300]);
    }
}
