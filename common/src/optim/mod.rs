//! Optimisers as pure tensor code over one flat parameter buffer, with state that can be saved and restored exactly
//! (Adam), or that stays where the parameters are and is forgotten at a restart (L-BFGS).

mod adam;
mod clip;
mod ema;
mod lbfgs;
mod muon;
mod schedule;

pub use adam::{Adam, AdamConfig, AdamState};
pub use clip::clip_to_norm;
pub use ema::Ema;
pub use lbfgs::{Convergence, Evaluation, Lbfgs, LbfgsConfig, LbfgsOutcome, LbfgsStep, LineSearch};
pub use muon::MatrixRange;
pub use schedule::{Decay, LearningRateSchedule};
