//! `infer image`: pictures in, painted pictures out.

use std::io::IsTerminal as _;

use common::exit_status::ExitStatus;
use common::style_file::Shelf;

use crate::cli::ImageArgs;
use crate::painter::Painter;
use crate::plan::{ImagePlan, SheetPlan, Surroundings};
use crate::report::Report;
use crate::{crash, dry_run, interrupt, pipeline, sheet, viewer};

pub(crate) fn run(args: &ImageArgs) -> anyhow::Result<ExitStatus> {
    let shelf = Shelf::standard();
    let surroundings = Surroundings { shelf: &shelf, stdout_is_terminal: std::io::stdout().is_terminal() };
    crash::keep_memory_panics_quiet();
    if args.sheet {
        return sheet::run(&SheetPlan::from_args(args, &surroundings)?);
    }
    let plan = ImagePlan::from_args(args, &surroundings)?;
    if plan.skipped > 0 && !plan.saying.is_quiet {
        eprintln!("left out, since their outputs are there: {}", plan.skipped);
    }
    if plan.jobs.is_empty() {
        return Ok(ExitStatus::Success);
    }
    interrupt::listen(interrupt::PICTURE_UNDER_WAY)?;
    let painters = plan.looks.iter().map(|look| Painter::load(look, &plan.engine));
    let painters = painters.collect::<anyhow::Result<Vec<Painter>>>()?;

    let report = Report::new(&plan);
    if plan.saying.is_dry_run {
        dry_run::run(&plan, &painters, &report);
    } else {
        pipeline::run(&plan, &painters, &report)?;
    }
    let told = report.finish()?;
    if plan.opens_viewer {
        viewer::show(&told.written);
    }
    Ok(if interrupt::is_requested() {
        ExitStatus::Interrupted
    } else {
        ExitStatus::of_inputs(plan.output_count(), told.failed)
    })
}
