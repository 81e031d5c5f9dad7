//! What becomes of each picture, said in the order of the inputs: paths or JSON on stdout, errors on stderr.

mod bar;
mod line;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::plan::{ImagePlan, Job, Output, Target};
use crate::stdout;
use line::JsonLine;

pub(crate) use bar::PictureBar;
pub(crate) use line::Seconds;

/// A picture that was written, or would have been.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Done {
    pub(crate) width: u32,
    pub(crate) height: u32,
    /// None of a dry run.
    pub(crate) seconds: Option<Seconds>,
}

/// What became of an output.
enum Outcome {
    Done(Done),
    Failed {
        error: String,
        /// Said of another output of the same photo.
        is_said: bool,
    },
}

/// Takes outcomes from any thread and in any order. Outputs are known by their place among all outputs of the plan.
pub(crate) struct Report<'a> {
    plan: &'a ImagePlan,
    outputs: Vec<(&'a Job, &'a Output)>,
    bar: PictureBar,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The first output of which nothing has been said.
    next: usize,
    early: BTreeMap<usize, Outcome>,
    told: Told,
    stdout_error: Option<anyhow::Error>,
}

/// What has been told in all.
#[derive(Default)]
pub(crate) struct Told {
    pub(crate) failed: usize,
    pub(crate) written: Vec<PathBuf>,
}

impl<'a> Report<'a> {
    pub(crate) fn new(plan: &'a ImagePlan) -> Self {
        let outputs: Vec<_> =
            plan.jobs.iter().flat_map(|job| job.outputs.iter().map(move |it| (job, it))).collect();
        let bar = PictureBar::new(outputs.len(), plan.saying.is_quiet || plan.saying.is_dry_run);
        Self { plan, outputs, bar, state: Mutex::default() }
    }

    pub(crate) fn done(&self, place: usize, done: Done) {
        self.take(place, Outcome::Done(done));
    }

    pub(crate) fn failed(&self, place: usize, error: &anyhow::Error) {
        self.take(place, Outcome::Failed { error: format!("{error:#}"), is_said: false });
    }

    /// None of these outputs can be made, for one reason that is said once.
    pub(crate) fn photo_failed(&self, places: impl Iterator<Item = usize>, error: &anyhow::Error) {
        for (count, place) in places.enumerate() {
            self.take(place, Outcome::Failed { error: format!("{error:#}"), is_said: count > 0 });
        }
    }

    /// Says what is left to say, of what was done before an interruption too.
    pub(crate) fn finish(self) -> anyhow::Result<Told> {
        self.bar.finish();
        let mut state = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        for (place, outcome) in std::mem::take(&mut state.early) {
            state.tell(self.plan, &self.bar, self.outputs[place], &outcome);
        }
        match state.stdout_error {
            Some(error) => Err(error),
            None => Ok(state.told),
        }
    }

    fn take(&self, place: usize, outcome: Outcome) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.early.insert(place, outcome);
        let mut next = state.next;
        while let Some(outcome) = state.early.remove(&next) {
            state.tell(self.plan, &self.bar, self.outputs[next], &outcome);
            next += 1;
        }
        state.next = next;
    }
}

impl State {
    fn tell(
        &mut self,
        plan: &ImagePlan,
        bar: &PictureBar,
        (job, output): (&Job, &Output),
        outcome: &Outcome,
    ) {
        match outcome {
            Outcome::Done(_) => self.told.written.extend(output.target.file().map(Path::to_owned)),
            Outcome::Failed { error, is_said } => {
                self.told.failed += 1;
                if !is_said {
                    // Not eprintln, which panics where nobody reads.
                    bar.suspend(|| writeln!(std::io::stderr(), "error: {error}").ok());
                }
            }
        }
        let line = if plan.saying.is_json {
            Some(JsonLine::of(plan, job, output, outcome).text())
        } else {
            text_line(plan.saying.is_dry_run, job, output, outcome)
        };
        if let Some(line) = line
            && self.stdout_error.is_none()
        {
            self.stdout_error = bar.suspend(|| stdout::write(format!("{line}\n").as_bytes())).err();
        }
        bar.advance();
    }
}

/// `photo.great-wave.jpg`; of a dry run `photo.jpg -> photo.great-wave.jpg  640x480`.
fn text_line(is_dry_run: bool, job: &Job, output: &Output, outcome: &Outcome) -> Option<String> {
    let Outcome::Done(Done { width, height, .. }) = outcome else { return None };
    if is_dry_run {
        return Some(format!("{} -> {}  {width}x{height}", job.source.name(), output.target.name()));
    }
    match &output.target {
        Target::Stdout => None,
        Target::File(path) => Some(path.display().to_string()),
    }
}
