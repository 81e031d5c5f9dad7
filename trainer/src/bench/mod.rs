//! How fast a training step is on this machine, and how near that comes to what the machine can do.
//!
//! The weights and the photos are random (the time does not depend on them) and the photos lie on the device, so that
//! neither disk nor decoder is in the time.

mod ceiling;
mod products;

use std::collections::BTreeMap;
use std::time::Instant;

use common::loss::{LossPhase, PerceptualLoss, WeightedPainting};
use common::lossnet::{Arch, LossNet};
use common::memory;
use common::net::{Parameters, StyleNet};
use common::optim::Adam;
use common::precision::Precision;
use common::space::LossInputSpace;
use serde::Serialize;
use tch::{Device, Kind, Tensor};

use crate::recipe::Recipe;

/// What is measured.
pub struct BenchConfig {
    /// The step: its batch, size, losses and network.
    pub recipe: Recipe,
    /// The loss network.
    pub loss_net: Arch,
    /// What it computes in; [`Precision::set_up`] has been called.
    pub precision: Precision,
    /// Where.
    pub device: Device,
    /// Steps that are timed.
    pub steps: usize,
}

/// What was measured.
#[derive(Clone, Debug, Serialize)]
pub struct BenchReport {
    /// Photos per second: the batch over the median step.
    pub images_per_s: f64,
    /// The median step, in milliseconds.
    pub step_ms: f64,
    /// Milliseconds of each part of a step, the median of steps that wait for the device after each part.
    pub phases_ms: BTreeMap<Phase, f64>,
    /// Floating-point operations of a step, counted by formula: two for each product of a convolution or Gram matrix as
    /// the papers write them, whichever way it is computed.
    pub step_gflop: f64,
    /// Those operations per second.
    pub gflop_per_s: f64,
    /// What this machine reaches in a large matrix product of the same precision.
    pub ceiling_gflop_per_s: f64,
    /// The one over the other. Forms that save products may pass 1.
    pub share_of_ceiling: f64,
    /// The most memory that the process has held, in MiB; on a GPU this is the host's side only.
    pub peak_memory_mib: Option<f64>,
}

/// A part of a training step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// The style network paints.
    NetForward,
    /// The loss network looks at the photo.
    ContentPass,
    /// It looks at what was painted.
    LossNetForward,
    /// Grams, content, total variation.
    Losses,
    /// Back through the loss network.
    LossNetBackward,
    /// Back through the style network.
    NetBackward,
    /// Adam.
    Optimiser,
}

impl Phase {
    /// Its name, for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::NetForward => "style network forward",
            Self::ContentPass => "content pass",
            Self::LossNetForward => "loss network forward",
            Self::Losses => "losses",
            Self::LossNetBackward => "loss network backward",
            Self::NetBackward => "style network backward",
            Self::Optimiser => "optimiser",
        }
    }

    fn of_loss(phase: LossPhase) -> Self {
        match phase {
            LossPhase::ContentPass => Self::ContentPass,
            LossPhase::Forward => Self::LossNetForward,
            LossPhase::Terms => Self::Losses,
            LossPhase::Backward => Self::LossNetBackward,
        }
    }
}

/// Steps before the clock starts: libtorch chooses kernels and takes its memory in them.
const WARM_UP_STEPS: usize = 2;

/// Measures.
pub fn run(config: &BenchConfig) -> BenchReport {
    let BenchConfig { device, precision, steps, .. } = *config;
    let mut bench = Bench::new(config);
    for _ in 0..WARM_UP_STEPS {
        bench.step(&mut |_| ());
    }
    wait_for(device);
    let step_ms = median(
        (0..steps)
            .map(|_| {
                let started = Instant::now();
                bench.step(&mut |_| ());
                wait_for(device);
                milliseconds(started)
            })
            .collect(),
    );
    // Before the matrices of the ceiling are taken.
    let peak_memory_mib = memory::peak_resident_bytes().map(|bytes| bytes as f64 / f64::from(1 << 20));

    let mut phases: BTreeMap<Phase, Vec<f64>> = BTreeMap::new();
    for _ in 0..steps {
        let mut started = Instant::now();
        bench.step(&mut |phase| {
            wait_for(device);
            phases.entry(phase).or_default().push(milliseconds(started));
            started = Instant::now();
        });
    }
    drop(bench);

    let step_gflop = products::of_step(&config.recipe, config.loss_net) * 2.0 / 1e9;
    let gflop_per_s = step_gflop / (step_ms / 1e3);
    let ceiling_gflop_per_s = ceiling::gflop_per_s(precision, device);
    BenchReport {
        images_per_s: config.recipe.batch as f64 / (step_ms / 1e3),
        step_ms,
        phases_ms: phases.into_iter().map(|(phase, times)| (phase, median(times))).collect(),
        step_gflop,
        gflop_per_s,
        ceiling_gflop_per_s,
        share_of_ceiling: gflop_per_s / ceiling_gflop_per_s,
        peak_memory_mib,
    }
}

/// Everything that a step needs.
struct Bench {
    net: StyleNet,
    adam: Adam,
    loss: PerceptualLoss,
    photo: Tensor,
    precision: Precision,
    learning_rate: f64,
}

impl Bench {
    fn new(config: &BenchConfig) -> Self {
        let BenchConfig { recipe, loss_net, precision, device, .. } = config;
        let side = i64::from(recipe.crop_px);
        let picture =
            |count: usize| Tensor::rand([count as i64, 3, side, side], (Kind::Float, *device)) * 255.0;
        let space = LossInputSpace::torchvision_rgb();
        let vgg = LossNet::from_tensors(*loss_net, space, &recipe.loss.layers(), |_, shape| {
            // He's variance, so that activations keep their size.
            let fan_in: i64 = shape[1..].iter().product();
            let std = if shape.len() == 1 { 0.0 } else { (2.0 / fan_in as f64).sqrt() };
            Tensor::randn(shape, (Kind::Float, *device)) * std
        });
        let painting = WeightedPainting::whole(picture(1), 1.0);
        let parameters = Parameters::init(&recipe.net, recipe.start, recipe.seed, *device).trainable();
        let net = StyleNet::new(recipe.net.clone(), parameters);
        Self {
            adam: Adam::new(recipe.adam, net.parameters().flat()),
            net,
            loss: PerceptualLoss::new(recipe.loss.clone(), vgg, vec![painting]),
            photo: picture(recipe.batch),
            precision: *precision,
            learning_rate: recipe.learning_rate.peak,
        }
    }

    fn step(&mut self, is_over: &mut dyn FnMut(Phase)) {
        let Self { net, adam, loss, photo, precision, learning_rate } = self;
        let (painted, recording) = net.record(photo, *precision);
        is_over(Phase::NetForward);
        let (_terms, painted_gradient) =
            loss.evaluate_in_phases(&painted, photo, *precision, |phase| is_over(Phase::of_loss(phase)));
        let gradient = recording.backward(&painted_gradient);
        is_over(Phase::NetBackward);
        adam.step(net.parameters().flat(), &gradient, *learning_rate);
        is_over(Phase::Optimiser);
    }
}

/// Waits until the device has done what it was told.
fn wait_for(device: Device) {
    if let Device::Cuda(index) = device {
        tch::Cuda::synchronize(index as i64);
    }
}

fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1e3
}

/// The value in the middle; the upper one of two.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

#[cfg(test)]
mod tests {
    use common::net::NetConfig;

    use super::*;

    #[test]
    fn a_small_step_is_measured_in_all_its_parts() {
        let recipe = Recipe {
            batch: 1,
            crop_px: 32,
            net: NetConfig { width: 4, residual_blocks: 1, ..NetConfig::default() },
            ..Recipe::default()
        };
        for precision in [Precision::F32, Precision::Bf16] {
            let bench = Bench::new(&BenchConfig {
                recipe: recipe.clone(),
                loss_net: Arch::Vgg19,
                precision,
                device: Device::Cpu,
                steps: 1,
            });
            let before = bench.net.parameters().flat().copy();
            let mut bench = bench;
            let mut phases = Vec::new();
            bench.step(&mut |phase| phases.push(phase));
            let all = [
                Phase::NetForward,
                Phase::ContentPass,
                Phase::LossNetForward,
                Phase::Losses,
                Phase::LossNetBackward,
                Phase::NetBackward,
                Phase::Optimiser,
            ];
            assert_eq!(phases, all);
            let moved = bench.net.parameters().flat() - before;
            assert!(moved.abs().max().double_value(&[]) > 0.0);
            assert!(moved.isfinite().all().int64_value(&[]) == 1, "{precision}");
        }
    }
}
