//! `infer completions`: what the tab key offers. The shell asks the program itself, so that it offers the styles that are installed
//! at that moment.

use std::ffi::OsStr;

use clap::CommandFactory as _;
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate, PathCompleter, ValueCompleter as _};
use clap_complete::env::{CompleteEnv, Shells};
use common::exit_status::ExitStatus;
use common::style_file::{self, Shelf};

use crate::cli::{Cli, CompletionsArgs};
use crate::stdout;
use crate::styles::printable;

/// Set where a shell asks.
const ASKS: &str = "INFER_COMPLETE";

const PROGRAM: &str = "infer";

/// If it is a shell that asks, answers and ends the program.
pub(crate) fn answer_shell() {
    CompleteEnv::with_factory(Cli::command).var(ASKS).complete();
}

/// Prints what makes the shell ask.
pub(crate) fn run(args: &CompletionsArgs) -> anyhow::Result<ExitStatus> {
    let shells = Shells::builtins();
    let shell = shells.completer(&args.shell).expect("the arguments allow no other");
    let mut script = Vec::new();
    shell.write_registration(ASKS, PROGRAM, PROGRAM, PROGRAM, &mut script)?;
    stdout::write(&script)?;
    Ok(ExitStatus::Success)
}

/// Completes the name or the file of a style.
pub(crate) fn style_names() -> ArgValueCompleter {
    ArgValueCompleter::new(styles)
}

/// The styles that are installed, and files that may hold one.
fn styles(typed: &OsStr) -> Vec<CompletionCandidate> {
    let prefix = typed.to_string_lossy().to_lowercase();
    let entries = Shelf::standard().entries().into_iter();
    let names = entries.filter(|entry| entry.name.to_lowercase().starts_with(&prefix)).map(|entry| {
        let caption = style_file::load_card(&entry.path).ok().map(|card| printable(&card.caption()).into());
        CompletionCandidate::new(entry.name).help(caption)
    });
    let files = PathCompleter::file().filter(style_file::is_called_style);
    names.chain(files.complete(typed)).collect()
}
