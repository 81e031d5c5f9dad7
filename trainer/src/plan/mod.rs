//! Arguments checked and completed, before anything is loaded or written.

mod gatys;
mod train;

use common::exit_status::UsageError;

pub(crate) use gatys::GatysPlan;
pub(crate) use train::{RunPlace, TrainPlan};

/// An argument that makes no sense ends the program, with words that are made only then.
fn check(holds: bool, message: impl FnOnce() -> String) -> Result<(), UsageError> {
    if holds { Ok(()) } else { Err(UsageError(message())) }
}
