//! A film repainted: four stages, each working ahead of the next by a few frames.
//!
//! ```text
//! source --decode--> [photos] --this thread paints--> [paintings] --steady--> [frames] --write--> sink
//! ```

use std::thread::{self, Scope, ScopedJoinHandle};

use anyhow::Context as _;
use crossbeam_channel::{Receiver, Sender, bounded};
use film::TimeBase;
use motion::{SceneCuts, Steadier, SteadyOptions};
use pixel::Picture;

use super::progress::FilmBar;
use super::schedule::{Mix, Schedule};
use super::sink::FrameSink;
use super::source::FrameSource;
use crate::crash::caught;
use crate::interrupt;
use crate::painter::{Painter, SceneMemory};

/// Frames that wait between two stages, beside a GPU's batch.
const QUEUED: usize = 2;

/// Frames before the first that is missing, which are painted again when a film is gone on with: a scene's statistics and its
/// calm have to grow anew.
const RUN_UP: u64 = 24;

/// What a film is repainted with.
pub(super) struct Repainter<'a> {
    pub(super) painters: &'a [Painter],
    pub(super) schedule: &'a Schedule,
    pub(super) is_steady: bool,
    /// Frames that an earlier run has written.
    pub(super) done: u64,
    /// Frames that are painted at once.
    pub(super) batch: usize,
    pub(super) bar: &'a FilmBar,
}

/// What became of it.
#[derive(Debug, Default)]
pub(super) struct Repainted {
    /// Frames written by this run.
    pub(super) frames: u64,
    /// Scene cuts that were found.
    pub(super) cuts: u64,
    /// Errors in the film that ffmpeg got over.
    pub(super) film_errors: u64,
    /// What ended it early.
    pub(super) error: Option<anyhow::Error>,
}

struct Photo {
    picture: Picture,
    ticks: i64,
    time_base: TimeBase,
    begins_scene: bool,
    /// Not painted for the sake of the next ones alone.
    is_wanted: bool,
}

struct Painting {
    photo: Photo,
    painted: Picture,
}

impl Repainter<'_> {
    /// Repaints all frames, or as many as there are before an error or Ctrl-C. `open` makes the sink, when the first frame
    /// tells what times are counted in. The sink is given back, even if it failed.
    pub(super) fn run(
        &self,
        source: FrameSource,
        open: impl FnOnce(TimeBase) -> anyhow::Result<FrameSink> + Send,
    ) -> (Repainted, Option<FrameSink>) {
        thread::scope(|scope| {
            let Self { done, is_steady, bar, .. } = *self;
            let queued = QUEUED + self.batch;
            let (photos_in, photos) = bounded(queued);
            let (paintings_in, paintings) = bounded(queued);
            let (frames_in, frames) = bounded(QUEUED);
            let started = (|| {
                Ok::<_, anyhow::Error>((
                    named(scope, "decode", move || decode(source, done, is_steady, &photos_in))?,
                    named(scope, "steady", move || steady(is_steady, &paintings, &frames_in))?,
                    named(scope, "write", move || write(&frames, open, bar))?,
                ))
            })();
            let (decoding, steadying, writing) = match started {
                Ok(threads) => threads,
                Err(error) => return (Repainted { error: Some(error), ..Repainted::default() }, None),
            };
            let painted = self.paint(&photos, &paintings_in);
            drop((photos, paintings_in));
            let (film_errors, cuts, decoded) = decoding.join().expect("decoding does not panic");
            let steadied = steadying.join().expect("steadying does not panic");
            let (mut outcome, sink) = writing.join().expect("writing does not panic");
            // What broke last in the chain is what broke the others.
            outcome.error = outcome.error.or(steadied.err()).or(painted.err()).or(decoded.err());
            (Repainted { cuts, film_errors, ..outcome }, sink)
        })
    }

    fn paint(&self, photos: &Receiver<Photo>, paintings: &Sender<Painting>) -> anyhow::Result<()> {
        let mut memories: Vec<Option<SceneMemory>> = self.painters.iter().map(|_| None).collect();
        let mut ahead: Option<Photo> = None;
        while let Some(first) = ahead.take().or_else(|| photos.recv().ok()) {
            if interrupt::is_requested() {
                return Ok(());
            }
            let mix = self.mix(&first);
            if first.begins_scene {
                memories.fill_with(|| None);
            }
            let mut group = vec![first];
            while group.len() < self.batch {
                match photos.try_recv() {
                    Ok(next) if !next.begins_scene && mix.next.is_none() && self.mix(&next) == mix => {
                        group.push(next);
                    }
                    Ok(next) => {
                        ahead = Some(next);
                        break;
                    }
                    Err(_) => break,
                }
            }
            let painted = caught(|| self.paint_group(mix, &mut group, &mut memories))
                .with_context(|| format!("at {:.2} s", seconds(&group[0])))?;
            for (photo, painted) in group.into_iter().zip(painted) {
                if paintings.send(Painting { photo, painted }).is_err() {
                    return Ok(()); // what failed behind tells why
                }
            }
        }
        Ok(())
    }

    fn paint_group(
        &self,
        mix: Mix,
        group: &mut [Photo],
        memories: &mut [Option<SceneMemory>],
    ) -> anyhow::Result<Vec<Picture>> {
        let pictures: Vec<Picture> = group.iter_mut().map(|photo| photo.picture.clone()).collect();
        let mut paint = |style: usize| {
            let memory = self.is_steady.then(|| memories[style].get_or_insert_with(SceneMemory::default));
            self.painters[style].paint_frames(&pictures, memory)
        };
        let mut painted = paint(mix.style)?;
        if let Some((next, share)) = mix.next {
            for (one, two) in painted.iter_mut().zip(paint(next)?) {
                *one = faded(one, &two, share)?;
            }
        }
        // A style that comes again later finds another scene.
        for (style, memory) in memories.iter_mut().enumerate() {
            if style != mix.style && mix.next.is_none_or(|(next, _)| style != next) {
                *memory = None;
            }
        }
        Ok(painted)
    }

    fn mix(&self, photo: &Photo) -> Mix {
        self.schedule.at(seconds(photo))
    }
}

/// Hands photos on; gives the errors in the film, the scene cuts, and what ended it early.
fn decode(
    mut source: FrameSource,
    done: u64,
    is_steady: bool,
    photos: &Sender<Photo>,
) -> (u64, u64, anyhow::Result<()>) {
    let mut cuts = SceneCuts::new();
    let mut found = 0;
    let run_up = if is_steady { RUN_UP } else { 0 };
    let mut result = Ok(());
    for index in 0.. {
        let frame = match caught(|| source.next()) {
            Ok(Some(frame)) => frame,
            Ok(None) => break,
            Err(error) => {
                result = Err(error);
                break;
            }
        };
        if index + run_up < done {
            continue;
        }
        let begins_scene = is_steady && cuts.is_cut(&frame.picture);
        found += u64::from(begins_scene);
        let photo = Photo {
            ticks: frame.ticks,
            time_base: source.time_base().unwrap_or(TimeBase { numerator: 1, denominator: 25 }),
            begins_scene,
            is_wanted: index >= done,
            picture: frame.picture,
        };
        if photos.send(photo).is_err() {
            break; // nobody paints any more
        }
    }
    (source.errors(), found, result)
}

/// Calms paintings, and hands on those that are wanted.
fn steady(is_steady: bool, paintings: &Receiver<Painting>, frames: &Sender<Painting>) -> anyhow::Result<()> {
    let mut steadier = is_steady.then(|| Steadier::new(SteadyOptions::default()));
    for Painting { photo, painted } in paintings {
        let painted = match &mut steadier {
            None => painted,
            Some(steadier) => {
                if photo.begins_scene {
                    steadier.reset();
                }
                caught(|| Ok(steadier.steady(&photo.picture, painted)))?
            }
        };
        if photo.is_wanted && frames.send(Painting { photo, painted }).is_err() {
            break;
        }
    }
    Ok(())
}

/// Writes frames to the sink, which is opened with the first of them.
fn write(
    frames: &Receiver<Painting>,
    open: impl FnOnce(TimeBase) -> anyhow::Result<FrameSink>,
    bar: &FilmBar,
) -> (Repainted, Option<FrameSink>) {
    let mut outcome = Repainted::default();
    let mut open = Some(open);
    let mut sink = None;
    for Painting { photo, painted } in frames {
        if let Some(open) = open.take() {
            match open(photo.time_base) {
                Ok(opened) => sink = Some(opened),
                Err(error) => return (Repainted { error: Some(error), ..outcome }, None),
            }
        }
        let opened = sink.as_mut().expect("opened with the first frame");
        if let Err(error) = opened.write(&painted, photo.ticks) {
            return (Repainted { error: Some(error), ..outcome }, sink);
        }
        outcome.frames += 1;
        bar.advance(seconds(&photo));
    }
    (outcome, sink)
}

fn seconds(photo: &Photo) -> f64 {
    photo.time_base.seconds(photo.ticks)
}

/// One picture and so much of another.
fn faded(one: &Picture, two: &Picture, share: f32) -> anyhow::Result<Picture> {
    let mixed = one
        .rgb()
        .iter()
        .zip(two.rgb())
        .map(|(&one, &two)| (f32::from(one) * (1.0 - share) + f32::from(two) * share).round() as u8);
    Ok(Picture::from_rgb(one.width(), one.height(), mixed.collect())?)
}

fn named<'scope, Done: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    name: &str,
    work: impl FnOnce() -> Done + Send + 'scope,
) -> anyhow::Result<ScopedJoinHandle<'scope, Done>> {
    let builder = thread::Builder::new().name(name.to_owned());
    builder
        .spawn_scoped(scope, work)
        .with_context(|| format!("cannot start the thread that does this: {name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fades_are_between() {
        let picture = |value| Picture::from_rgb(1, 1, vec![value; 3]).unwrap();
        assert_eq!(faded(&picture(0), &picture(200), 0.25).unwrap().rgb(), [50; 3]);
    }
}
