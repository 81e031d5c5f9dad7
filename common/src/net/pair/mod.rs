//! The network for one pair: instead of a picture's pixels, the weights of a small network that paints it are optimised, for one
//! photo and one painting.
//!
//! After Li et al. 2019 (High-Resolution Network for Photorealistic Style Transfer, <https://arxiv.org/abs/1904.11617>): the
//! full resolution is never left, and branches at a half and a quarter of it give what the full one cannot see. What such a network paints
//! hangs on the photo pixel by pixel, so that straight lines stay straight.

mod layers;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use tch::{Device, Kind, Tensor};

use super::layers::Conv;
use super::parameters::SpecList;
use super::{Padding, Parameters, inner_side, reflect_to};
use layers::{NormedConv, Passage, ResidualBlock};

/// Half of the range of `byte_rgb`.
const HALF_RANGE: f64 = 127.5;

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

/// The branches, by what divides the resolution.
const BRANCHES: [&str; 3] = ["full", "half", "quarter"];

/// A network that starts as the identity and is optimised for one photo and one painting.
///
/// In stage 1 there is only the full resolution, in stage 2 also the half, in stage 3 also the quarter. Between stages neighbouring
/// branches exchange what they have found. At the end all go into the full one, whose last convolution, 0 at first, says by how much the
/// photo changes.
pub struct PairNet {
    parameters: Parameters,
    stem: NormedConv,
    stages: Vec<Vec<Branch>>,
    half_from_full: Passage,
    full_from_half: Passage,
    quarter_from_half: Passage,
    
    last: Conv,
}
