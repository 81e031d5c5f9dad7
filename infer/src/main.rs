//! `infer`: repaints photos with a learned hand.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program talks to its user")]

mod cli;
mod image;
mod painter;
mod plan;
mod progress;

use std::process::ExitCode;

use clap::Parser as _;
use common::exit_status::ExitStatus;

use crate::cli::{Cli, Command};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let result = match cli.command {
        Command::Image(args) => image::run(args),
    };
    match result {
        Ok(status) => status.into(),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitStatus::of_error(&*error).into()
        }
    }
}
