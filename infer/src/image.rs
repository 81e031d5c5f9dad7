//! `infer image`: pictures in, painted pictures out.

use std::path::Path;

use anyhow::Context as _;
use common::engine::EngineOptions;
use common::exit_status::ExitStatus;
use common::style_file::Shelf;
use pixel::{DecodeLimits, Picture};

use crate::cli::ImageArgs;
use crate::painter::Painter;
use crate::plan::{ImagePlan, Job};
use crate::progress::PictureBar;

pub(crate) fn run(args: ImageArgs) -> anyhow::Result<ExitStatus> {
    let plan = ImagePlan::from_args(args, &Shelf::standard())?;
    if let Some(threads) = plan.threads {
        tch::set_num_threads(threads.get() as i32);
    }
    let options = EngineOptions { device: plan.device, memory_bytes: None };
    let painter = Painter::load(&plan.look, &options)?;

    let bar = PictureBar::new(plan.jobs.len(), plan.is_quiet);
    let mut failed = 0;
    for job in &plan.jobs {
        match paint(&painter, job) {
            Ok(()) => bar.painted(&job.output),
            Err(error) => {
                failed += 1;
                bar.failed(&error);
            }
        }
    }
    bar.finish();
    Ok(ExitStatus::of_inputs(plan.jobs.len(), failed))
}

fn paint(painter: &Painter, job: &Job) -> anyhow::Result<()> {
    let photo = decode(&job.input)?;
    let result = painter.paint(&photo)?;
    if let Some(folder) = job.output.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    }
    Ok(pixel::write_file(&result, &job.output, job.format)?)
}

fn decode(path: &Path) -> anyhow::Result<Picture> {
    pixel::decode_file(path, &DecodeLimits::default()).with_context(|| path.display().to_string())
}
