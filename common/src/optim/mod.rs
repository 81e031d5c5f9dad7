//! Optimisers as pure tensor code over one flat parameter buffer, with state that can be saved and restored exactly.

mod adam;
mod schedule;

pub use adam::{Adam, AdamConfig, AdamState};
pub use schedule::{Decay, LearningRateSchedule};
