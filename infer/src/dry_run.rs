//! `--dry-run`: what would be done, by the photos' headers.

use anyhow::Context as _;
use pixel::Header;

use crate::crash::caught;
use crate::interrupt;
use crate::painter::Painter;
use crate::photo_file;
use crate::plan::{ImagePlan, Source};
use crate::report::{Done, Report};

/// Reports each output with the size that it would have. Photos are not decoded, unless to say what is wrong with them.
pub(crate) fn run(plan: &ImagePlan, painters: &[Painter], report: &Report<'_>) {
    let mut places = 0..;
    for job in &plan.jobs {
        if interrupt::is_requested() {
            return;
        }
        match size(&job.source) {
            Ok((width, height)) => {
                for (output, place) in job.outputs.iter().zip(places.by_ref()) {
                    let (width, height) = painters[output.look].output_size(width, height);
                    report.done(place, Done { width, height, seconds: None });
                }
            }
            Err(error) => report.photo_failed(places.by_ref().take(job.outputs.len()), &error),
        }
    }
}

fn size(source: &Source) -> anyhow::Result<(u32, u32)> {
    let size = caught(|| {
        let bytes = photo_file::read(source)?;
        if let Some(Header { width, height, .. }) = Header::of(&bytes) {
            return Ok((width, height));
        }
        let picture = photo_file::decode(&bytes)?.picture;
        Ok((picture.width(), picture.height()))
    });
    size.with_context(|| source.name().into_owned())
}
