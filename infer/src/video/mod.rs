//! `infer video`: a film in, a painted film out.

mod ending;
mod numbered;
mod plan;
mod progress;
mod repaint;
mod schedule;
mod settings;
mod sink;
mod source;
mod studio;
mod work_folder;

use std::io::IsTerminal as _;
use std::time::Instant;

use common::exit_status::ExitStatus;
use common::style_file::Shelf;
use film::{Container, EncodeTarget, FilmShape};

use self::ending::Ending;
use self::plan::{Beginning, TargetPlan, VideoPlan};
use self::progress::FilmBar;
use self::repaint::Repainter;
use self::sink::{FrameSink, PictureTargets, Segments};
use self::studio::Studio;
use self::work_folder::WorkFolder;
use crate::cli::VideoArgs;
use crate::painter::Painter;
use crate::{crash, interrupt};

pub(crate) fn run(args: &VideoArgs) -> anyhow::Result<ExitStatus> {
    let plan = VideoPlan::from_args(args, &Shelf::standard(), std::io::stdout().is_terminal())?;
    if is_done_already(&plan) {
        plan.say("it is done already");
        return Ok(ExitStatus::Success);
    }
    crash::keep_memory_panics_quiet();
    interrupt::listen("finishing the film so far")?;
    let start = Instant::now();
    let looks = plan.looks.iter().map(|look| look.clone().of_sized_photos());
    let painters =
        looks.map(|look| Painter::load(&look, &plan.engine)).collect::<anyhow::Result<Vec<Painter>>>()?;
    let _under_way = interrupt::UnderWay::begin();
    let (mut studio, source) = Studio::open(&plan)?;
    for note in &studio.notes {
        plan.say(note);
    }
    let mut work = studio.work.take();
    let done = frames_done(&plan, work.as_ref());
    let bar = FilmBar::new(studio.frames, done, plan.is_quiet);
    let repainter = Repainter {
        painters: &painters,
        schedule: &plan.schedule,
        is_steady: plan.is_steady,
        done,
        batch: painters.iter().map(|painter| painter.preferred_batch(studio.size)).min().unwrap_or(1),
        bar: &bar,
    };
    let (outcome, sink) = repainter.run(source, |time_base| {
        let shape = FilmShape { size: studio.size, aspect: studio.aspect, time_base, rate: studio.rate };
        match (&plan.target, work.take(), &studio.ffmpeg) {
            (TargetPlan::Pictures(names), _, _) => {
                Ok(FrameSink::Pictures(PictureTargets { names: names.clone(), written: done }))
            }
            (_, Some(work), Some(ffmpeg)) => {
                let encoding = ffmpeg.encoding.clone().expect("films are encoded");
                Ok(FrameSink::Segments(Box::new(Segments::new(
                    ffmpeg.programs.clone(),
                    encoding,
                    shape,
                    work,
                ))))
            }
            (TargetPlan::Film(path, container), _, Some(ffmpeg)) => {
                ffmpeg.stream(shape, EncodeTarget::File(path, *container))
            }
            (TargetPlan::Stdout, _, Some(ffmpeg)) => {
                ffmpeg.stream(shape, EncodeTarget::Stdout(Container::Y4m))
            }
            (_, _, None) => unreachable!("films want ffmpeg"),
        }
    });
    bar.finish();
    Ending { plan: &plan, studio: &studio, done, start }.reach(outcome, sink, work)
}

fn is_done_already(plan: &VideoPlan) -> bool {
    let TargetPlan::Film(path, _) = &plan.target else { return false };
    plan.beginning == Beginning::Resumed && path.exists() && !WorkFolder::path_for(path).exists()
}

/// Frames that an earlier run has written.
fn frames_done(plan: &VideoPlan, work: Option<&WorkFolder>) -> u64 {
    match (&plan.target, work) {
        (_, Some(work)) => work.frames(),
        (TargetPlan::Pictures(names), _) if plan.beginning == Beginning::Resumed => {
            let mut frames = 0;
            while names.path(frames).is_some_and(|path| path.exists()) {
                frames += 1;
            }
            frames
        }
        _ => 0,
    }
}
