//! Optimisers as pure tensor code over one flat parameter buffer, with state that can be saved and restored exactly.

mod adam;
mod clip;
mod ema;
mod schedule;

pub use adam::{Adam, AdamConfig, AdamState};
pub use clip::clip_to_norm;
pub use ema::Ema;
pub use schedule::{Decay, LearningRateSchedule};
