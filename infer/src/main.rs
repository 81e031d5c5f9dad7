//! `infer`: repaints photos with a learned hand.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program talks to its user")]

mod bench;
mod cli;
mod completions;
mod convert;
mod crash;
mod dry_run;
mod image;
mod inspect;
mod interrupt;
mod painter;
mod photo_file;
mod pipeline;
mod plan;
mod report;
mod sheet;
mod stdout;
mod styles;
mod video;
mod viewer;

use clap::Parser as _;
use common::exit_status::ExitStatus;

use crate::cli::{Cli, Command};

fn main() {
    completions::answer_shell();
    let cli = Cli::parse();
    let result = match cli.command {
        Command::Image(args) => image::run(&args),
        Command::Video(args) => video::run(&args),
        Command::Styles(args) => styles::run(&args),
        Command::Convert(args) => convert::run(&args),
        Command::Inspect(args) => inspect::run(&args),
        Command::Bench(args) => bench::run(&args),
        Command::Completions(args) => completions::run(&args),
    };
    let status = result.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitStatus::of_error(&*error)
    });
    status.leave()
}
