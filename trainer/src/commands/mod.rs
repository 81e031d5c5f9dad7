//! The subcommands, each from its arguments to its last word.

mod bench;
mod eval;
mod eval_film;
mod fetch;
mod gatys;
mod memory_panics;
mod stdout;
mod train;

pub(crate) use bench::bench;
pub(crate) use eval::run as eval;
pub(crate) use fetch::fetch;
pub(crate) use gatys::gatys;
pub(crate) use train::train;
