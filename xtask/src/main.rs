//! Set-up and chores of the workspace: `cargo xtask --help` lists them.
//!
//! This crate never depends on `tch` or on a crate that does: it is what brings libtorch in the first place.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program that talks to the person at the terminal"
)]

mod check;
mod cli;
mod collection;
mod demo;
mod golden;
mod libtorch;
mod sample;
mod test;
mod torture_folder;
mod workspace;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    match cli::Cli::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(err) => {
            eprintln!("error: {err:#}");
            ExitCode::FAILURE
        }
    }
}
