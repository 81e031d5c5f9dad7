//! What is left when the last frame is painted, or the last that could be.

use std::path::Path;
use std::time::Instant;

use anyhow::anyhow;
use common::exit_status::ExitStatus;
use film::{Assembly, FilmError, Original, TimeBase};
use serde_json::json;

use super::plan::{TargetPlan, VideoPlan};
use super::repaint::Repainted;
use super::sink::FrameSink;
use super::studio::{Ffmpeg, Studio};
use super::work_folder::WorkFolder;
use crate::{interrupt, stdout};

/// The end of a run over a film.
pub(super) struct Ending<'a> {
    pub(super) plan: &'a VideoPlan,
    pub(super) studio: &'a Studio,
    /// Frames that an earlier run has written.
    pub(super) done: u64,
    pub(super) start: Instant,
}

impl Ending<'_> {
    /// Puts together what was painted, and says what became of the film. A film that was not painted to its end is one that
    /// plays as far as it goes, and can be gone on with. `untouched` is the work folder if no frame came to a sink.
    pub(super) fn reach(
        &self,
        repainted: Repainted,
        sink: Option<FrameSink>,
        untouched: Option<WorkFolder>,
    ) -> anyhow::Result<ExitStatus> {
        let Repainted { frames, cuts, film_errors, error } = repainted;
        let paint_s = self.start.elapsed().as_secs_f64();
        let (work, ended) = sink.map_or((untouched, Ok(())), FrameSink::finish);
        let error = error.or(ended.err()).filter(|error| !self.is_reader_gone(error));
        let is_whole = error.is_none() && !interrupt::is_requested();
        if self.done + frames == 0 {
            if let Some(work) = work {
                work.remove()?;
            }
            self.remove_empty_work();
            return match error {
                Some(error) => Err(error),
                None if interrupt::is_requested() => Ok(ExitStatus::Interrupted),
                None => Err(anyhow!("there are no frames in it: {}", self.source_name())),
            };
        }
        if let Some(work) = work {
            let Some((time_base, ends_s)) = work.extent() else {
                work.remove()?;
                return Err(error.unwrap_or_else(|| anyhow!("no part of the film could be written")));
            };
            let assembled = self.assemble(&work, time_base, (!is_whole).then_some(ends_s));
            match (assembled, is_whole) {
                (Ok(()), true) => work.remove()?,
                (Ok(()), false) => self.plan.say(&format!(
                    "the film so far, {} frames, can be played; --resume goes on with it",
                    work.frames()
                )),
                (Err(late), _) => return Err(error.unwrap_or(late)),
            }
        }
        if let Some(error) = error {
            return Err(error);
        }
        if film_errors > 0 {
            self.plan.say(&format!(
                "the film is damaged ({film_errors} errors): what could be read of it was painted, {} frames",
                self.done + frames
            ));
        }
        self.tell(frames, cuts, paint_s)?;
        Ok(if interrupt::is_requested() {
            ExitStatus::Interrupted
        } else if film_errors > 0 {
            ExitStatus::SomeInputsFailed
        } else {
            ExitStatus::Success
        })
    }

    fn assemble(
        &self,
        work: &WorkFolder,
        time_base: TimeBase,
        ends_after_s: Option<f64>,
    ) -> anyhow::Result<()> {
        let (TargetPlan::Film(path, container), Some(Ffmpeg { programs, encoding: Some(encoding) })) =
            (&self.plan.target, &self.studio.ffmpeg)
        else {
            return Ok(());
        };
        let part = &self.plan.part;
        let original = self.studio.film.as_ref().filter(|info| info.path != Path::new("-"));
        let unfinished = work.folder().join("film.unfinished");
        let segments = work.segments();
        let assembly = Assembly {
            folder: work.folder(),
            segments: &segments,
            time_base,
            encoding,
            original: original.map(|info| Original {
                info,
                start_s: part.start_s,
                duration_s: part.duration_s,
            }),
            ends_after_s,
            container: *container,
            target: &unfinished,
        };
        for note in assembly.write(programs)? {
            self.plan.say(&note.to_string());
        }
        std::fs::rename(&unfinished, path)
            .map_err(|error| anyhow!("cannot write ({error}): {}", path.display()))
    }

    /// Whether whoever was to read the film from our stdout has seen enough, which is no error.
    fn is_reader_gone(&self, error: &anyhow::Error) -> bool {
        let is_pipe = |words: &str| words.contains("Broken pipe");
        self.plan.target == TargetPlan::Stdout
            && matches!(error.downcast_ref(), Some(FilmError::Ended { words, .. }) if is_pipe(words))
    }

    /// The folder of a run that never came to its first frame.
    fn remove_empty_work(&self) {
        if let TargetPlan::Film(path, _) = &self.plan.target {
            let folder = WorkFolder::path_for(path);
            if folder.exists() && WorkFolder::is_empty(&folder) {
                // What cannot be removed harms nobody.
                let _ = std::fs::remove_dir_all(folder);
            }
        }
    }

    fn tell(&self, frames: u64, cuts: u64, paint_s: f64) -> anyhow::Result<()> {
        let target = match &self.plan.target {
            TargetPlan::Stdout => return Ok(()),
            TargetPlan::Film(path, _) => path.display().to_string(),
            TargetPlan::Pictures(names) => names.folder().display().to_string(),
        };
        if !self.plan.is_json {
            return stdout::write(format!("{target}\n").as_bytes());
        }
        let (width, height) = self.studio.size;
        let json = json!({
            "output": target,
            "frames": frames,
            "frames_done_before": self.done,
            "width": width,
            "height": height,
            "scene_cuts": cuts,
            "seconds": self.start.elapsed().as_secs_f64(),
            "frames_per_second": frames as f64 / paint_s,
        });
        stdout::write(format!("{json}\n").as_bytes())
    }

    fn source_name(&self) -> String {
        self.studio.film.as_ref().map_or_else(|| "-".to_owned(), |info| info.path.display().to_string())
    }
}
