//! `trainer train`: from arguments to a style file.

use std::ops::ControlFlow;

use anyhow::Context as _;
use common::exit_status::ExitStatus;
use trainer::checkpoint::Checkpoint;
use trainer::run_folder::RunFolder;
use trainer::run_record::RunRecord;
use trainer::summary;
use trainer::training::{Ending, Trained, Training, TrainingEvent};

use super::memory_panics::keep_memory_panics_quiet;
use super::stdout::print;
use crate::cli::TrainArgs;
use crate::interrupt;
use crate::plan::{RunPlace, TrainPlan};
use crate::progress::{self, TrainingBar};

pub(crate) fn train(args: TrainArgs) -> anyhow::Result<ExitStatus> {
    let plan = TrainPlan::from_args(args)?;
    plan.config.recipe.precision.set_up(plan.device)?;
    interrupt::listen()?;
    keep_memory_panics_quiet();
    let (name, config, output) = (plan.name.clone(), plan.config.clone(), plan.output);
    let (photo_count, device) = (plan.photos.len(), plan.device);
    // A run folder is made only when all that can go wrong before has not; an earlier run's is opened first.
    let place = plan.place.clone();
    let prepare =
        |inputs, checkpoint| Training::prepare(config.recipe.clone(), config.run.clone(), inputs, checkpoint);
    let (run, training) = match place {
        RunPlace::Resumed { folder } => {
            let run = RunFolder::open(&folder, &name)?;
            let inputs = plan.load_inputs()?;
            let newest = Checkpoint::newest(&run, &config.recipe, &inputs.fingerprint(), device)?;
            let (checkpoint, broken) = newest.unzip();
            for error in broken.into_iter().flatten() {
                eprintln!("passed over, going on from the one before: {error}");
            }
            (run, prepare(inputs, checkpoint)?)
        }
        RunPlace::New { runs } => {
            let training = prepare(plan.load_inputs()?, None)?;
            (RunFolder::create(&runs, &name)?, training)
        }
        RunPlace::Replaced { runs } => {
            let training = prepare(plan.load_inputs()?, None)?;
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
    let bar = TrainingBar::new(recipe.steps, output.quiet || output.json);
    let mut said = Ok(());
    let trained = training.run(&run, &mut |event| {
        bar.show(&event);
        if let (true, TrainingEvent::Recorded(entry)) = (output.json, &event) {
            said = print(&format!("{}\n", entry.to_json()));
        }
        if interrupt::is_requested() || said.is_err() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    });
    bar.finish();
    let trained = trained.context("training stopped")?;
    said?;
    if !output.quiet {
        describe(&trained, &run)?;
    }
    if !output.json {
        print(&format!("{}\n", trained.style_file.display()))?;
    }
    Ok(match trained.ending {
        Ending::Complete | Ending::NoLongerImproving => ExitStatus::Success,
        Ending::Stopped => ExitStatus::Interrupted,
    })
}

fn describe(trained: &Trained, run: &RunFolder) -> anyhow::Result<()> {
    eprint!("{}", summary::text(&RunRecord::read(run.path(), run.name())?));
    for photo in trained.skipped.iter().take(progress::SKIPPED_SHOWN) {
        eprintln!("  {photo}");
    }
    match trained.ending {
        Ending::Complete => {}
        Ending::NoLongerImproving => eprintln!("validation had stopped improving; the best network was kept"),
        Ending::Stopped => {
            eprintln!("stopped; go on with: trainer train --resume {}", run.path().display());
        }
    }
    eprintln!("the whole run on one page: {}", run.report_file().display());
    Ok(())
}
