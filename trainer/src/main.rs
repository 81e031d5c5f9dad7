//! `trainer`: learns the hand of one painting from a folder of photos, and fetches what that takes.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program talks to its user")]

mod cli;
mod commands;
mod interrupt;
mod plan;
mod progress;

use std::process::ExitCode;

use clap::Parser as _;
use common::exit_status::ExitStatus;

use crate::cli::{Cli, Command};

fn main() -> ExitCode {
    let cli = Cli::parse();
    common::fast::keep_freed_memory();
    let result = match cli.command {
        Command::Train(args) => commands::train(*args),
        Command::Gatys(args) => commands::gatys(*args),
        Command::Fetch(args) => commands::fetch(&args),
        Command::Bench(args) => commands::bench(&args),
        Command::Eval(args) => commands::eval(args),
    };
    match result {
        Ok(status) => status.into(),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitStatus::of_error(&*error).into()
        }
    }
}
