//! Arguments checked and completed, before anything is loaded or written.

mod gatys;
mod train;

pub(crate) use gatys::GatysPlan;
pub(crate) use train::{RunPlace, TrainPlan};
