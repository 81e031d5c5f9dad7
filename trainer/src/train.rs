//! `trainer train`: from arguments to a style file.

use std::ops::ControlFlow;

use anyhow::Context as _;
use common::exit_status::ExitStatus;
use trainer::checkpoint::Checkpoint;
use trainer::run_folder::RunFolder;
use trainer::training::{Ending, Trained, Training};

use crate::cli::TrainArgs;
use crate::interrupt;
use crate::plan::{RunPlace, TrainPlan};
use crate::progress::{self, TrainingBar};

pub(crate) fn train(args: TrainArgs) -> anyhow::Result<ExitStatus> {
    let plan = TrainPlan::from_args(args)?;
    if let Some(threads) = plan.threads {
        tch::set_num_threads(threads.get() as i32);
    }
    interrupt::listen()?;
    let (name, config, output) = (plan.name.clone(), plan.config.clone(), plan.output);
    let (photo_count, device) = (plan.photos.len(), plan.device);
    // A run folder is made only when all that can go wrong before has not; an earlier run's is opened first.
    let (run, training) = match &plan.place {
        RunPlace::Resumed { folder } => {
            let run = RunFolder::open(folder, &name)?;
            let inputs = plan.load_inputs()?;
            let newest = Checkpoint::newest(&run, &config.recipe, &inputs.fingerprint(), device)?;
            let (checkpoint, broken) = match newest {
                Some((checkpoint, broken)) => (Some(checkpoint), broken),
                None => (None, Vec::new()),
            };
            for error in broken {
                eprintln!("passed over, going on from the one before: {error}");
            }
            (run, Training::prepare(config.recipe.clone(), config.run.clone(), inputs, checkpoint)?)
        }
        RunPlace::New { runs } => {
            let runs = runs.clone();
            let inputs = plan.load_inputs()?;
            let training = Training::prepare(config.recipe.clone(), config.run.clone(), inputs, None)?;
            (RunFolder::create(&runs, &name)?, training)
        }
        RunPlace::Replaced { runs } => {
            let runs = runs.clone();
            let inputs = plan.load_inputs()?;
            let training = Training::prepare(config.recipe.clone(), config.run.clone(), inputs, None)?;
            (RunFolder::replace(&runs, &name)?, training)
        }
    };
    run.write_config(&config.to_toml())?;

    let recipe = &config.recipe;
    if !output.quiet {
        eprintln!(
            "learning {name} from {photo_count} photos: {} steps of {} at {} px on {}",
            recipe.steps,
            recipe.images_per_step(),
            recipe.crop_px,
            progress::device_name(device),
        );
    }
    let bar = TrainingBar::new(recipe.steps, output.quiet);
    let trained = training.run(&run, &mut |event| {
        bar.show(&event);
        if interrupt::is_requested() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    bar.finish();
    let trained = trained.context("training stopped")?;
    report(&trained, &run, output.quiet);
    Ok(match trained.ending {
        Ending::Complete | Ending::NoLongerImproving => ExitStatus::Success,
        Ending::Stopped => ExitStatus::Interrupted,
    })
}

fn report(trained: &Trained, run: &RunFolder, is_quiet: bool) {
    if !is_quiet {
        describe(trained, run);
    }
    println!("{}", trained.style_file.display());
}

fn describe(trained: &Trained, run: &RunFolder) {
    let outcome = &trained.outcome;
    match trained.ending {
        Ending::Complete => {}
        Ending::NoLongerImproving => eprintln!("validation had stopped improving; the best network was kept"),
        Ending::Stopped => eprintln!(
            "stopped after step {}; go on with: trainer train --resume {}",
            outcome.steps,
            run.path().display()
        ),
    }
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
}
