//! One picture at a time: not a network is trained, but the picture itself, until its features are those of a photo and their
//! statistics those of paintings (Gatys, Ecker and Bethge 2016, "Image Style Transfer Using Convolutional Neural Networks").
//!
//! [`paint`] goes up a [`Ladder`] of sizes. On each rung the pictures are brought to its size and looked at once (the objective), and
//! an optimiser moves a [canvas](Parametrization): the pixels, or the weights of a small network that paints this one photo.
//! An iteration is one evaluation of the loss and its gradient, whatever the optimiser needs it for.

mod canvas;
mod descent;
mod error;
mod inputs;
mod ladder;
mod objective;
mod painting;
mod settings;
mod start;
#[cfg(test)]
mod tests;

pub use error::GatysError;
pub use inputs::{GatysInputs, GatysStyle};
pub use ladder::{Ladder, Rung};
pub use painting::{GatysEnding, GatysPainting, GatysProgress, paint};
pub use settings::{AdamSettings, Colours, GatysSettings, Optimizer, Parametrization};
pub use start::{ParseStartError, Start};
