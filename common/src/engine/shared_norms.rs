//! Statistics of norms that the frames of a scene share.

use std::sync::atomic::{AtomicU64, Ordering};

use kernel::interleaved::Statistics;

use crate::net::ChannelStatistics;

/// Running statistics of a network's norms, which the frames of a scene share.
///
/// Instance norm divides by what it finds in each frame alone. Whatever comes into the picture therefore changes the whole of
/// it a little, at once, even where nothing moves. With shared statistics each norm mixes a frame's moments into those of the
/// frames before, and normalises with the mixture (its mean, and its variance, to which the distance between the frames' means
/// belongs): jumps become drifts, while a scene that really becomes lighter or darker is followed. Where nothing changes,
/// nothing is changed; the first frame of a scene takes its own statistics and is painted as
/// [`Engine::paint`](super::Engine::paint) paints it, bit for bit.
///
/// This is the smaller part of flicker: what a network makes of noise and of motion stays. And what statistics of each
/// frame's own would even out, such as the light of a flickering lamp, is painted as it is filmed until it is followed.
///
/// Statistics know nothing of sizes, which may change from frame to frame. They belong to one [`Engine`](super::Engine):
/// used with another one they begin anew, as at a scene cut. A frame that could not be painted leaves no trace in them.
#[derive(Debug)]
pub struct SharedNorms {
    momentum: f64,
    engine: Option<EngineId>,
    /// Of each norm, in the order of the layers, for each channel; none at the beginning of a scene.
    on_cpu: Vec<Vec<Statistics>>,
    /// Of each norm, `[1, channels, 1, 1]`, where libtorch computes.
    on_device: Vec<ChannelStatistics>,
}

/// Tells engines apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct EngineId(u64);

impl EngineId {
    pub(super) fn unique() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

impl Default for SharedNorms {
    fn default() -> Self {
        Self::new(Self::DEFAULT_MOMENTUM)
    }
}

impl SharedNorms {
    /// Of the newest frame. Half of a change has been followed after 3 frames, nine tenths after 10 (0.4 s of a film of 25
    /// frames a second); what jumps from frame to frame at random is damped to a third.
    pub const DEFAULT_MOMENTUM: f64 = 0.2;

    /// `momentum` is the share of the newest frame, as in batch norm. With 1 each frame takes its own statistics.
    ///
    /// # Panics
    /// If it is not above 0 and at most 1.
    pub fn new(momentum: f64) -> Self {
        assert!(momentum > 0.0 && momentum <= 1.0, "momentum: above 0 and at most 1, got {momentum}");
        Self { momentum, engine: None, on_cpu: Vec::new(), on_device: Vec::new() }
    }

    /// The next frame begins a scene: it shares nothing with those before.
    pub fn reset(&mut self) {
        self.on_cpu.clear();
        self.on_device.clear();
    }

    /// Begins anew if they are another engine's.
    pub(super) fn belong_to(&mut self, engine: EngineId) {
        if self.engine.replace(engine) != Some(engine) {
            self.reset();
        }
    }

    pub(super) fn on_cpu(&mut self) -> PassNorms<'_, Vec<Statistics>> {
        PassNorms { shared: Some((&mut self.on_cpu, self.momentum)), mixed: Vec::new() }
    }

    pub(super) fn on_device(&mut self) -> PassNorms<'_, ChannelStatistics> {
        PassNorms { shared: Some((&mut self.on_device, self.momentum)), mixed: Vec::new() }
    }
}

/// The norms of one pass through the network. Each is settled once, in the order of the layers; what is shared moves on when
/// the pass has come to its end.
pub(super) struct PassNorms<'a, S> {
    shared: Option<(&'a mut Vec<S>, f64)>,
    /// Of the norms settled so far.
    mixed: Vec<S>,
}

impl<S> PassNorms<'_, S> {
    /// Those that share nothing.
    pub(super) fn alone() -> Self {
        Self { shared: None, mixed: Vec::new() }
    }

    /// The statistics to normalise with. `mix` gets the frame's own, the running ones unless the scene begins, and the
    /// momentum; it gives those to normalise with, and the running ones of the next frame.
    pub(super) fn settle(&mut self, own: S, mix: impl FnOnce(S, Option<&S>, f64) -> (S, S)) -> S {
        let Some((running, momentum)) = &self.shared else {
            return own;
        };
        let (mixture, next) = mix(own, running.get(self.mixed.len()), *momentum);
        self.mixed.push(next);
        mixture
    }

    /// The pass has painted: its statistics are those that the next frame finds.
    pub(super) fn keep(self) {
        if let Some((running, _)) = self.shared {
            *running = self.mixed;
        }
    }
}

impl PassNorms<'_, Vec<Statistics>> {
    /// The statistics to normalise a frame's channels with.
    pub(super) fn settle_frame(&mut self, own: Vec<Statistics>) -> Vec<Statistics> {
        self.settle(own, |own, running, momentum| {
            let mixture = match running {
                Some(running) => {
                    running.iter().zip(own).map(|(running, own)| running.mixed(own, momentum)).collect()
                }
                None => own,
            };
            (mixture.clone(), mixture)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_mean(mean: f64) -> Vec<Statistics> {
        vec![Statistics { mean, variance: 4.0 }]
    }

    #[test]
    fn a_pass_moves_them_on_only_when_it_is_kept() {
        let mut norms = SharedNorms::new(0.25);
        for (kept, mean, expected) in
            [(true, 8.0, 8.0), (false, 0.0, 6.0), (true, 0.0, 6.0), (true, 6.0, 6.0)]
        {
            let mut pass = norms.on_cpu();
            assert_eq!(pass.settle_frame(of_mean(mean))[0].mean, expected);
            if kept {
                pass.keep();
            }
        }
        norms.reset();
        assert_eq!(norms.on_cpu().settle_frame(of_mean(1.0)), of_mean(1.0));
    }

    /// What is said of [`SharedNorms::DEFAULT_MOMENTUM`].
    #[test]
    fn a_change_is_followed_within_half_a_second() {
        let mut norms = SharedNorms::default();
        let mut followed = [0.0, 1.0].iter().chain([1.0; 10].iter()).map(|&mean| {
            let mut pass = norms.on_cpu();
            let found = pass.settle_frame(of_mean(mean))[0].mean;
            pass.keep();
            found
        });
        assert!((followed.nth(3).unwrap() - 0.5).abs() < 0.02);
        assert!((followed.nth(6).unwrap() - 0.9).abs() < 0.01);
    }

    #[test]
    fn norms_are_told_apart_by_their_order() {
        let mut norms = SharedNorms::new(0.5);
        for (frame, expected) in [([0.0, 10.0], [0.0, 10.0]), ([2.0, 20.0], [1.0, 15.0])] {
            let mut pass = norms.on_cpu();
            assert_eq!(frame.map(|mean| pass.settle_frame(of_mean(mean))[0].mean), expected);
            pass.keep();
        }
    }

    #[test]
    fn another_engine_begins_anew() {
        let mut norms = SharedNorms::default();
        let (one, other) = (EngineId::unique(), EngineId::unique());
        for (engine, mean, expected) in [(one, 5.0, 5.0), (one, 0.0, 4.0), (other, 0.0, 0.0)] {
            norms.belong_to(engine);
            let mut pass = norms.on_cpu();
            let found = pass.settle_frame(of_mean(mean))[0].mean;
            assert!((found - expected).abs() < 1e-12, "{found}");
            pass.keep();
        }
    }
}
