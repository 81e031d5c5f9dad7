//! Times the steps, and only the steps.

use std::time::{Duration, Instant};

/// Times the steps between two reports; what is done beside them (validation, files) is left out.
pub(super) struct StepClock {
    images_per_step: u64,
    /// Spent on steps before the running stretch.
    before: Duration,
    /// `None` while it is paused.
    stretch_started: Option<Instant>,
    lap: Duration,
    lap_step: u64,
}

impl StepClock {
    /// A clock that goes on after `elapsed` on `step` steps.
    pub(super) fn start(images_per_step: u64, step: u64, elapsed: Duration) -> Self {
        let stretch_started = Some(Instant::now());
        Self { images_per_step, before: elapsed, stretch_started, lap: elapsed, lap_step: step }
    }

    /// Spent on steps.
    pub(super) fn elapsed(&self) -> Duration {
        self.before + self.stretch_started.map_or(Duration::ZERO, |started| started.elapsed())
    }

    /// Photos per second since the last call, which was after `lap_step`; starts the next lap.
    pub(super) fn images_per_s(&mut self, step: u64) -> f64 {
        let elapsed = self.elapsed();
        let images = (step - self.lap_step) * self.images_per_step;
        let images_per_s =
            images as f64 / elapsed.saturating_sub(self.lap).as_secs_f64().max(f64::MIN_POSITIVE);
        (self.lap, self.lap_step) = (elapsed, step);
        images_per_s
    }

    /// What comes now is no step.
    pub(super) fn pause(&mut self) {
        self.before = self.elapsed();
        self.stretch_started = None;
    }

    /// The next step begins.
    pub(super) fn go_on(&mut self) {
        self.stretch_started = Some(Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_step_takes_no_time() {
        let mut clock = StepClock::start(4, 10, Duration::from_secs(100));
        clock.pause();
        std::thread::sleep(Duration::from_millis(300));
        clock.go_on();
        assert!(clock.elapsed() < Duration::from_millis(100_200));
        std::thread::sleep(Duration::from_millis(20));
        let images_per_s = clock.images_per_s(11);
        assert!(images_per_s > 20.0 && images_per_s < 200.0, "{images_per_s}");
    }
}
