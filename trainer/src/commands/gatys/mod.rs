//! `trainer gatys`: from arguments to one picture, or to a sheet of many.

mod shown;
mod sweep;

use std::io::Write as _;
use std::ops::ControlFlow;
use std::time::Instant;

use anyhow::bail;
use clap::Parser as _;
use common::exit_status::ExitStatus;
use common::gatys::{GatysEnding, GatysPainting, paint};
use trainer::gatys::Preset;

use super::memory_panics::keep_memory_panics_quiet;
use super::stdout::print;
use crate::cli::{Cli, Command, GatysArgs};
use crate::interrupt;
use crate::plan::GatysPlan;
use crate::progress;
use shown::Shown;

pub(crate) fn gatys(args: GatysArgs) -> anyhow::Result<ExitStatus> {
    if args.list_presets {
        return list_presets();
    }
    interrupt::listen_saying(
        "stopping, and writing the best picture so far; press Ctrl-C again to leave at once",
    )?;
    keep_memory_panics_quiet();
    if !args.sweep.is_empty() {
        return sweep::sweep(&args);
    }
    let plan = GatysPlan::from_args(args)?;
    let started = Instant::now();
    let painting = run(&plan, "")?;
    pixel::write_file(&painting.picture, &plan.output, plan.format)?;
    if !plan.seeing.quiet {
        describe(&plan, &painting, started);
    }
    if !plan.seeing.json {
        print(&format!("{}\n", plan.output.display()))?;
    }
    Ok(match painting.ending {
        GatysEnding::Complete | GatysEnding::Converged => ExitStatus::Success,
        GatysEnding::Stopped => ExitStatus::Interrupted,
        GatysEnding::NotFinite => ExitStatus::Failure,
    })
}

/// Paints, and shows how it goes; `label` says which of several it is.
fn run(plan: &GatysPlan, label: &str) -> anyhow::Result<GatysPainting> {
    plan.settings.precision.set_up(plan.device)?;
    let network = plan.load_network()?;
    let mut shown = Shown::new(plan, label)?;
    let mut failure = Ok(());
    let painted = paint(&plan.settings, &plan.inputs, network, plan.device, |progress| {
        failure = shown.show(progress);
        if failure.is_err() || interrupt::is_requested() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    });
    shown.finish();
    let painted = painted?;
    failure?;
    Ok(painted)
}

fn describe(plan: &GatysPlan, painting: &GatysPainting, started: Instant) {
    let GatysPainting { picture, losses, first_losses, evaluations, ending } = painting;
    let how = match ending {
        GatysEnding::Complete => "done",
        GatysEnding::Converged => "done, since no more was to be gained",
        GatysEnding::Stopped => "stopped; this is the best so far",
        GatysEnding::NotFinite => {
            "the loss became no number; this is the best before that: lower --lr, or the largest weight"
        }
    };
    eprintln!(
        "{how}: {}x{}, {evaluations} iterations in {:.1} s on {}; loss {:.4e} (at this size it began with {:.4e}), \
         content {:.3e}, style {:.3e}, total variation {:.3e}",
        picture.width(),
        picture.height(),
        started.elapsed().as_secs_f64(),
        progress::device_name(plan.device),
        losses.total,
        first_losses.total,
        losses.content,
        losses.style,
        losses.total_variation,
    );
}

fn list_presets() -> anyhow::Result<ExitStatus> {
    let mut text = Vec::new();
    for preset in Preset::all() {
        writeln!(
            text,
            "{}\n    {}\n    From {}; loss network {}.",
            preset.name,
            preset.about,
            preset.origin,
            preset.settings().loss_net
        )?;
    }
    print(&String::from_utf8(text)?)?;
    Ok(ExitStatus::Success)
}

/// The arguments of this command, with others after them, which win.
fn parse_with(words: &[std::ffi::OsString]) -> anyhow::Result<GatysArgs> {
    match Cli::try_parse_from(words)?.command {
        Command::Gatys(args) => Ok(*args),
        _ => bail!("another command"),
    }
}
