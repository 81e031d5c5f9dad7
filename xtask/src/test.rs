//! `cargo xtask test`: all tests, after the set-up that they need.

use std::ffi::OsString;
use std::time::Instant;

use anyhow::Result;
use xshell::cmd;

use crate::{libtorch, workspace};

#[derive(clap::Args, Default)]
pub(crate) struct Options {
    /// Handed to `cargo test --workspace` (after a second `--`: to the test programs)
    #[arg(last = true, value_name = "ARGS")]
    pub(crate) extra: Vec<OsString>,
}

/// Runs what a plain `cargo test --workspace` would run, in the same environment.
pub(crate) fn run(options: &Options) -> Result<()> {
    libtorch::ensure(&libtorch::Options::default())?;
    let start = Instant::now();
    let (shell, cargo, extra) = (workspace::shell()?, workspace::cargo(), &options.extra);
    let outcome = cmd!(shell, "{cargo} test --workspace {extra...}").run();
    let verdict = if outcome.is_ok() { "passed" } else { "failed" };
    let seconds = start.elapsed().as_secs();
    eprintln!("tests {verdict} after {} min {:02} s, building included", seconds / 60, seconds % 60);
    Ok(outcome?)
}
