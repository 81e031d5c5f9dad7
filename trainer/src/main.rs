//! `trainer`: learns the hand of one painting from a folder of photos.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program talks to its user")]

mod cli;
mod eval_command;
mod interrupt;
mod plan;
mod progress;
mod train;

use std::process::ExitCode;

use clap::Parser as _;
use common::exit_status::ExitStatus;

use crate::cli::{Cli, Command};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let result = match cli.command {
        Command::Train(args) => train::train(*args),
        Command::Eval(args) => eval_command::run(args),
    };
    match result {
        Ok(status) => status.into(),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitStatus::of_error(&*error).into()
        }
    }
}
