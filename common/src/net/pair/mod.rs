//! The network for one pair: instead of a picture's pixels, the weights of a small network that paints it are optimised,
//! for one photo and one painting.
//!
//! After Li et al. 2019 (High-Resolution Network for Photorealistic Style Transfer, <https://arxiv.org/abs/1904.11617>): the
//! full resolution is never left, and branches at a half and a quarter of it see what lies further around. What such a
//! network paints hangs on the photo pixel by pixel, so that straight lines stay straight.

mod branches;
mod layers;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use tch::{Device, Kind, Tensor};

use super::layers::Conv;
use super::parameters::{ParameterSpec, SpecList};
use super::{Padding, Parameters, inner_side, reflect_to};
use branches::{Exchange, Gathering, Stage};
use layers::NormedConv;

/// Branches in the end, and stages.
const BRANCHES: usize = 3;
/// Half the range of `byte_rgb`, and its middle.
const HALF_RANGE: f64 = 127.5;

/// What the last convolution's 1 is in `byte_rgb`. No norm follows that convolution, so that one step of Adam moves all its
/// weights, and with them the whole picture, at once: in units of 127.5 it shakes at the rates that the other layers learn
/// best with, 3e-3 to 5e-3.
const CHANGE_UNIT: f64 = 20.0;

/// The shape of a network for one pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PairNetConfig {
    /// Channels at full resolution; at a half there are twice as many, at a quarter four times.
    pub width: i64,
    /// Residual blocks of each branch in each of the three stages.
    pub blocks: usize,
}

impl Default for PairNetConfig {
    fn default() -> Self {
        Self { width: 16, blocks: 1 }
    }
}

impl PairNetConfig {
    /// Says what is wrong with a configuration that came from outside, if anything.
    ///
    /// # Errors
    /// A sentence that names the value and what was expected.
    pub fn validate(&self) -> Result<(), String> {
        if !(1..=256).contains(&self.width) {
            return Err(format!("width {} of the network for one pair, expected 1 to 256", self.width));
        }
        if self.blocks > 16 {
            return Err(format!(
                "{} residual blocks in each branch and stage of the network for one pair, expected at most 16",
                self.blocks
            ));
        }
        Ok(())
    }
}

/// A network that starts as the identity and is optimised for one photo and one painting.
///
/// Stage 1 has the full resolution only, stage 2 also the half, stage 3 also the quarter; between stages each branch hears
/// its neighbours. In the end all go into the full one, whose last convolution, 0 at first, says by how much the photo
/// changes.
pub struct PairNet {
    parameters: Parameters,
    first: NormedConv,
    stages: Vec<Stage>,
    exchanges: Vec<Exchange>, // after each stage but the last
    gathering: Gathering,
    last: Conv,
}

impl PairNet {
    /// A fresh network: it paints the photo itself. Its numbers are those of `seed` on every machine and device.
    pub fn new(config: PairNetConfig, seed: u64, device: Device) -> Self {
        let parameters = Parameters::draw(parameter_specs(config), seed, device).trainable();
        let p = &parameters;
        let first = NormedConv::new(p, "first", 1);
        let stages = (1..=BRANCHES).map(|n| Stage::new(p, &format!("stage{n}"), n, config.blocks)).collect();
        let exchanges = (1..BRANCHES).map(|n| Exchange::new(p, &format!("exchange{n}"), n)).collect();
        let gathering = Gathering::new(p, "gathering", BRANCHES);
        let last = Conv::new(p, "last", 1, Padding::Reflect);
        Self { parameters, first, stages, exchanges, gathering, last }
    }

    /// All its parameters, `[count]`, f32. Writing to it moves the network.
    pub fn flat(&self) -> &Tensor {
        self.parameters.flat()
    }

    /// Paints the photo, `byte_rgb` `[1, 3, h, w]`; the result has the same size for every size from 1x1 up, and may leave
    /// 0..255. Differentiable in the parameters.
    ///
    /// A side that is no multiple of 4, or shorter than 12, is continued by its own reflection at the right or the
    /// bottom, and the result is cut back.
    pub fn forward(&self, byte_rgb: &Tensor) -> Tensor {
        let (_, _, height, width) = byte_rgb.size4().expect("byte_rgb has four dimensions");
        let padded = reflect_to(&reflect_to(byte_rgb, 2, inner_side(height)), 3, inner_side(width));
        let change = self.change(&(padded / HALF_RANGE - 1.0)).narrow(2, 0, height).narrow(3, 0, width);
        byte_rgb + change * CHANGE_UNIT
    }

    /// For sides that can be halved twice, from ±1.
    fn change(&self, unit: &Tensor) -> Tensor {
        let mut branches = vec![self.first.forward(unit).relu()];
        let mut exchanges = self.exchanges.iter();
        for stage in &self.stages {
            branches = stage.forward(branches);
            if let Some(exchange) = exchanges.next() {
                branches = exchange.forward(&branches);
            }
        }
        self.last.forward(&self.gathering.forward(branches))
    }

    /// The gradient with respect to the parameters, `[count]`, laid out as [`PairNet::flat`], where `output` came from
    /// [`PairNet::forward`] and `output_gradient` is that with respect to it.
    ///
    /// # Panics
    /// If `output` was made without gradients or has given its own already.
    pub fn gradient(&self, output: &Tensor, output_gradient: &Tensor) -> Tensor {
        // A scalar of the same gradient, which a caller that does without gradients would have without a graph.
        let surrogate = tch::with_grad(|| (output * output_gradient.detach()).sum(Kind::Float));
        self.parameters.gradient_of(&surrogate)
    }
}

/// Every parameter, in the order of the forward pass.
fn parameter_specs(config: PairNetConfig) -> Vec<ParameterSpec> {
    let PairNetConfig { width, blocks } = config;
    let mut specs = SpecList::default();
    NormedConv::list(&mut specs, "first", 3, width, 3);
    for branches in 1..=BRANCHES {
        Stage::list(&mut specs, &format!("stage{branches}"), width, branches, blocks);
        if branches < BRANCHES {
            Exchange::list(&mut specs, &format!("exchange{branches}"), width, branches);
        }
    }
    Gathering::list(&mut specs, "gathering", width, BRANCHES);
    specs.silent_conv("last", width, 3, 3);
    specs.0
}
