//! What decides how a picture is optimised, apart from the pictures.

use super::{Ladder, Start};
use crate::colour_match::ColourMatch;
use crate::loss::PerceptualLossSpec;
use crate::net::PairNetConfig;
use crate::optim::{AdamConfig, LbfgsConfig};
use crate::precision::Precision;

/// What decides how a picture is optimised, apart from the pictures.
#[derive(Clone, Debug, PartialEq)]
pub struct GatysSettings {
    /// What is compared, and how much it counts.
    pub loss: PerceptualLossSpec,
    /// Longest side of the result, in pixels; a smaller photo stays as it is. 0 for the photo's own size.
    pub long_side_px: u32,
    /// Longest side of a painting over that of the result: below 1 gives finer strokes. No painting is enlarged.
    pub style_scale: f64,
    /// Where it starts.
    pub start: Start,
    /// What is moved.
    pub parametrization: Parametrization,
    /// What moves it.
    pub optimizer: Optimizer,
    /// Evaluations of the loss at the largest size.
    pub iterations: u32,
    /// The sizes on the way.
    pub ladder: Ladder,
    /// Weight of the matting Laplacian's energy (Luan et al. 2017, equation 2); 0 for none.
    pub photorealism: f64,
    /// Decay of a moving average over the iterates of Adam, which then is the result.
    pub averaging: Option<f64>,
    /// The result is the iterate of the lowest loss, not the last one.
    pub keeps_best: bool,
    /// Whose colours the result has.
    pub colours: Colours,
    /// Decides noise and fresh networks.
    pub seed: u64,
    /// What the loss network computes in.
    pub precision: Precision,
    /// Memory to keep within, in bytes; without it, what is free.
    pub memory_bytes: Option<u64>,
}

/// What the optimiser moves.
#[derive(Clone, Debug, PartialEq)]
pub enum Parametrization {
    /// The pixels of the result.
    Pixels,
    /// The weights of a network that makes the result of the photo.
    Network(PairNetConfig),
}

/// What moves the canvas.
#[derive(Clone, Debug, PartialEq)]
pub enum Optimizer {
    /// L-BFGS.
    Lbfgs(LbfgsConfig),
    /// Adam.
    Adam(AdamSettings),
}

/// Adam and its rate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamSettings {
    /// Its constants. A small epsilon lets it shake flat grey areas, whose gradients are next to nothing.
    pub constants: AdamConfig,
    /// The rate: levels (of 0..255) a step for pixels.
    pub learning_rate: f64,
    /// After so many steps the rate is multiplied by the factor, again and again; `None` leaves it.
    pub decay: Option<(u32, f64)>,
}

impl AdamSettings {
    /// The rate of step `step`, from 0.
    pub(super) fn rate_at(&self, step: u32) -> f64 {
        match self.decay {
            Some((every, factor)) => self.learning_rate * factor.powi((step / every) as i32),
            None => self.learning_rate,
        }
    }
}

/// Whose colours the result has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Colours {
    /// The paintings'.
    #[default]
    Style,
    /// The photo's, by moving the paintings' colours to them beforehand (Gatys et al. 2016, "Preserving Color", section 4.1).
    Matched(ColourMatch),
    /// The photo's: light and dark alone are optimised, and the photo's colours put back (section 4.2).
    Luminance,
}
