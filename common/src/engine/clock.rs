//! How long layers take.

use std::time::{Duration, Instant};

/// The time that each layer took, its norm included, in the order of the layers.
#[derive(Clone, Debug)]
pub struct LayerClock {
    laps: Vec<(&'static str, Duration)>,
    last: Instant,
}

impl Default for LayerClock {
    fn default() -> Self {
        Self { laps: Vec::new(), last: Instant::now() }
    }
}

impl LayerClock {
    /// Ends a lap: the time since the last one was this layer's.
    pub(super) fn lap(&mut self, layer: &'static str) {
        let now = Instant::now();
        let time = now - self.last;
        self.last = now;
        match self.laps.iter_mut().find(|(name, _)| *name == layer) {
            Some((_, total)) => *total += time,
            None => self.laps.push((layer, time)),
        }
    }

    /// Leaves out the time since the last lap.
    pub(super) fn skip(&mut self) {
        self.last = Instant::now();
    }

    /// Layers and their times; none where layers are made several times, or by libtorch.
    pub fn laps(&self) -> &[(&'static str, Duration)] {
        &self.laps
    }
}
