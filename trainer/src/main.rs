//! `trainer`: learns the hand of one painting from a folder of photos.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program talks to its user")]

mod bench_program;
mod cli;
mod plan;
mod progress;

use std::ops::ControlFlow;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser as _;
use common::exit_status::ExitStatus;
use trainer::run_folder::RunFolder;
use trainer::training::{Trained, Training};

use crate::cli::{Cli, Command, TrainArgs};
use crate::plan::TrainPlan;
use crate::progress::TrainingBar;

fn main() -> ExitCode {
    let cli = Cli::parse();
    common::fast::keep_freed_memory();
    let result = match cli.command {
        Command::Train(args) => train(args),
        Command::Bench(args) => bench_program::bench(&args),
    };
    match result {
        Ok(status) => status.into(),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitStatus::of_error(&*error).into()
        }
    }
}

fn train(args: TrainArgs) -> anyhow::Result<ExitStatus> {
    let plan = TrainPlan::from_args(args)?;
    if let Some(threads) = plan.threads {
        tch::set_num_threads(threads.get() as i32);
    }
    let (recipe, runs, name) = (plan.recipe.clone(), plan.runs.clone(), plan.name.clone());
    let (config, photo_count, device) = (plan.to_toml(), plan.photos.len(), plan.device);
    let training = Training::prepare(recipe.clone(), plan.load_inputs()?)?;
    let run = RunFolder::create(&runs, &name)?;
    run.write_config(&config)?;

    eprintln!(
        "learning {name} from {photo_count} photos: {} steps of {} at {} px on {}",
        recipe.steps,
        recipe.batch,
        recipe.crop_px,
        progress::device_name(device),
    );
    let bar = TrainingBar::new(recipe.steps);
    let trained = training.run(&run, &mut |event| {
        bar.show(&event);
        ControlFlow::Continue(())
    });
    bar.finish();
    report(&trained.context("training stopped")?, &run);
    Ok(ExitStatus::Success)
}

fn report(trained: &Trained, run: &RunFolder) {
    let outcome = &trained.outcome;
    if let (Some(painted), Some(photos)) = (&outcome.validation, &outcome.validation_of_photos) {
        eprintln!(
            "validation photos: style loss {:.4e} ({:.1} times less than the photos' own), content loss {:.4e}",
            painted.style,
            photos.style / painted.style,
            painted.content,
        );
    }
    if !trained.skipped.is_empty() {
        eprintln!("{} photos could not be used, see {}", trained.skipped.len(), run.skipped_file().display());
        for photo in trained.skipped.iter().take(progress::SKIPPED_SHOWN) {
            eprintln!("  {photo}");
        }
    }
    println!("{}", trained.style_file.display());
}
