//! Pictures painted one after the other, while the next photos are decoded and the last pictures written.
//!
//! ```text
//! jobs --decode threads--> [photos, in order] --this thread paints--> [pictures] --write threads--> files
//! ```
//!
//! What waits between the threads is bounded in pictures and in bytes of pixels.

mod budget;
mod feed;

use std::sync::Arc;
use std::time::Instant;

use anyhow::Context as _;
use crossbeam_channel::{Receiver, Sender};
use pixel::Metadata;
use tch::Device;

use crate::crash::caught;
use crate::interrupt::{self, UnderWay};
use crate::painter::{FinishedPicture, Painter};
use crate::photo_file;
use crate::plan::{ImagePlan, Output};
use crate::report::{Done, Report, Seconds};
use budget::{Budget, Share};
use feed::{Decoded, Feed, InOrder};

/// Pictures that wait between two threads, beside those that the threads have in hand.
const QUEUED: usize = 2;
/// Pixels that wait on either side of the painting; a single picture may be larger.
const QUEUED_BYTES: u64 = 256 << 20;

/// Paints what is planned, each output by the painter of its look, and reports it. Ends early when the user interrupts.
pub(crate) fn run(plan: &ImagePlan, painters: &[Painter], report: &Report<'_>) -> anyhow::Result<()> {
    let threads = helper_threads(plan.engine.device);
    let ahead = Budget::new(QUEUED + threads, QUEUED_BYTES);
    let behind = Budget::new(QUEUED + threads, QUEUED_BYTES);
    let feed = Feed::new(&plan.jobs, &ahead);
    std::thread::scope(|scope| {
        let (decoded, photos) = crossbeam_channel::bounded(QUEUED);
        let (painted, pictures) = crossbeam_channel::bounded::<Painted<'_>>(QUEUED);
        for number in 0..threads {
            let (feed, decoded, pictures) = (&feed, decoded.clone(), pictures.clone());
            let named = |work: &str| std::thread::Builder::new().name(format!("{work}-{number}"));
            named("decode")
                .spawn_scoped(scope, move || feed.decode_into(&decoded))
                .context("cannot start a thread that decodes")?;
            named("write")
                .spawn_scoped(scope, move || write_all(&pictures, plan, report))
                .context("cannot start a thread that writes")?;
        }
        drop((decoded, pictures));
        paint_all(plan, painters, InOrder::new(&feed, photos), &painted, &behind, report);
        Ok(())
    })
}

/// Threads that decode, and as many that write. On the CPU the network has use for every core, and one photo is decoded
/// in less time than one is painted; a GPU would wait for a single thread.
fn helper_threads(device: Device) -> usize {
    match device {
        Device::Cpu => 1,
        _ => std::thread::available_parallelism().map_or(1, |cores| (cores.get() / 2).clamp(1, 4)),
    }
}

/// A picture on its way out.
struct Painted<'a> {
    /// Place among all outputs.
    place: usize,
    output: &'a Output,
    picture: FinishedPicture,
    metadata: Arc<Metadata>,
    seconds: Seconds,
    // Given back in this order once the picture is written and reported.
    _share: Share<'a>,
    _under_way: UnderWay,
}

fn paint_all<'a>(
    plan: &'a ImagePlan,
    painters: &[Painter],
    photos: InOrder<'a>,
    painted: &Sender<Painted<'a>>,
    behind: &'a Budget,
    report: &Report<'_>,
) {
    let mut places = 0..;
    for Decoded { job, photo, seconds: decode, share: _share } in photos {
        if interrupt::is_requested() {
            return;
        }
        let job = &plan.jobs[job];
        let photo = match photo {
            Ok(photo) => photo,
            Err(error) => {
                report.photo_failed(places.by_ref().take(job.outputs.len()), &error);
                continue;
            }
        };
        for (output, place) in job.outputs.iter().zip(places.by_ref()) {
            if interrupt::is_requested() {
                return;
            }
            let under_way = UnderWay::begin();
            let start = Instant::now();
            let picture = caught(|| painters[output.look].paint_with(plan.writing.bits, &photo.picture))
                .with_context(|| job.source.name().into_owned());
            let paint = start.elapsed().as_secs_f64();
            match picture {
                Ok(picture) => {
                    let Some(share) = behind.take(picture.bytes()) else { return };
                    let ready = Painted {
                        place,
                        output,
                        picture,
                        metadata: Arc::clone(&photo.metadata),
                        seconds: Seconds { decode, paint, encode: 0.0 },
                        _share: share,
                        _under_way: under_way,
                    };
                    if painted.send(ready).is_err() {
                        return; // a thread that writes has died; joining it says why
                    }
                }
                Err(error) => report.failed(place, &error),
            }
        }
    }
}

fn write_all(pictures: &Receiver<Painted<'_>>, plan: &ImagePlan, report: &Report<'_>) {
    for mut ready in pictures {
        let start = Instant::now();
        let written =
            caught(|| photo_file::write(&ready.picture, &ready.metadata, ready.output, plan.writing));
        ready.seconds.encode = start.elapsed().as_secs_f64();
        match written {
            Ok(()) => {
                let (width, height) = ready.picture.size();
                report.done(ready.place, Done { width, height, seconds: Some(ready.seconds) });
            }
            Err(error) => report.failed(ready.place, &error),
        }
    }
}
