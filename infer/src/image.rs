//! `infer image`: pictures in, painted pictures out.

use std::path::Path;

use anyhow::Context as _;
use common::exit_status::ExitStatus;
use common::net::StyleNet;
use common::space::{byte_rgb_from_picture, picture_from_byte_rgb};
use common::style_file::{self, Shelf};
use pixel::{DecodeLimits, Picture};

use crate::cli::ImageArgs;
use crate::memory;
use crate::plan::{ImagePlan, Job};
use crate::progress::PictureBar;

pub(crate) fn run(args: ImageArgs) -> anyhow::Result<ExitStatus> {
    let plan = ImagePlan::from_args(args, &Shelf::standard())?;
    if let Some(threads) = plan.threads {
        tch::set_num_threads(threads.get() as i32);
    }
    let (_card, net) = style_file::load(&plan.style, plan.device)?;

    let bar = PictureBar::new(plan.jobs.len(), plan.is_quiet);
    let mut failed = 0;
    for job in &plan.jobs {
        match paint(&net, job) {
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

fn paint(net: &StyleNet, job: &Job) -> anyhow::Result<()> {
    let photo = decode(&job.input)?;
    if !net.device().is_cuda() {
        let needed = net.peak_bytes(photo.height(), photo.width());
        memory::check(photo.width(), photo.height(), needed, common::memory::available_bytes())
            .with_context(|| job.input.display().to_string())?;
    }
    let painted = tch::no_grad(|| {
        let byte_rgb = byte_rgb_from_picture(&photo, net.device());
        picture_from_byte_rgb(&net.forward(&byte_rgb))
    });
    let painted = match photo.alpha() {
        Some(alpha) => painted.with_alpha(alpha.to_vec()).context("the transparency does not fit")?,
        None => painted,
    };
    if let Some(folder) = job.output.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    }
    Ok(pixel::write_file(&painted, &job.output, job.format)?)
}

fn decode(path: &Path) -> anyhow::Result<Picture> {
    pixel::decode_file(path, &DecodeLimits::default()).with_context(|| path.display().to_string())
}
