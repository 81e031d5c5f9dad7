//! Arguments checked and completed, before ffmpeg is asked or a network loaded.

mod source;
mod target;

use std::path::{Path, PathBuf};

use anyhow::{bail, ensure};
use common::engine::EngineOptions;
use common::style_file::Shelf;
use film::{EncodingOptions, FrameRate, Input};

use super::schedule::{Schedule, style_and_start};
use super::sink::PictureNames;
use super::work_folder::WorkFolder;
use crate::cli::{Time, VideoArgs};
use crate::painter::Look;
use crate::plan::{same_file_key, style_files, usage};

pub(in crate::video) use source::SourcePlan;
pub(in crate::video) use target::TargetPlan;

/// How fast picture files are shown.
const USUAL_RATE: FrameRate = FrameRate { frames: 25, seconds: 1 };

/// A film that can be begun.
pub(in crate::video) struct VideoPlan {
    pub(in crate::video) source: SourcePlan,
    pub(in crate::video) target: TargetPlan,
    /// One for each style of the schedule, or one of all styles with their masks.
    pub(in crate::video) looks: Vec<Look>,
    pub(in crate::video) schedule: Schedule,
    pub(in crate::video) part: Part,
    pub(in crate::video) encoding: EncodingOptions,
    pub(in crate::video) is_steady: bool,
    pub(in crate::video) beginning: Beginning,
    pub(in crate::video) engine: EngineOptions,
    pub(in crate::video) is_json: bool,
    pub(in crate::video) is_quiet: bool,
}

/// What is taken of the film.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::video) struct Part {
    pub(in crate::video) start_s: Option<f64>,
    pub(in crate::video) duration_s: Option<f64>,
    pub(in crate::video) rate: Option<FrameRate>,
}

/// What becomes of an earlier run's work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::video) enum Beginning {
    /// There must be none.
    New,
    /// It is thrown away.
    Anew,
    /// It is gone on with.
    Resumed,
}

impl VideoPlan {
    pub(in crate::video) fn from_args(
        args: &VideoArgs,
        shelf: &Shelf,
        stdout_is_terminal: bool,
    ) -> anyhow::Result<Self> {
        let (names, starts): (Vec<String>, Vec<Option<f64>>) = args
            .styles
            .iter()
            .map(|typed| style_and_start(typed))
            .map(|(name, start)| (name.to_owned(), start))
            .unzip();
        let is_masked = !args.painter.mask.is_empty();
        if is_masked && starts.iter().any(Option::is_some) {
            return Err(usage("--mask lets all styles paint at once; it does not go with times of styles"));
        }
        let schedule = Schedule::new(if is_masked { &starts[..1] } else { &starts }, args.fade)?;
        let looks = args.painter.looks(style_files(&names, shelf)?)?;
        let engine = args.compute.engine_options()?;

        let source = source::source(args)?;
        let mut part = Part {
            start_s: args.part.start.map(|Time(seconds)| seconds),
            duration_s: args.part.duration.map(|Time(seconds)| seconds),
            rate: args.part.fps,
        };
        ensure!(part.duration_s != Some(0.0), usage("--duration 0: nothing would be painted"));
        let source = match source {
            SourcePlan::Pictures(files) => {
                let rate = *part.rate.get_or_insert(USUAL_RATE);
                SourcePlan::Pictures(source::within(files, &part, rate)?)
            }
            other => other,
        };
        let styles: Vec<String> = looks.iter().map(Look::name).collect();
        let target = target::target(args, &source, &styles.join("+"))?;
        let beginning = match (args.resume, args.overwrite) {
            (true, _) => Beginning::Resumed,
            (_, true) => Beginning::Anew,
            _ => Beginning::New,
        };
        let plan = Self {
            source,
            target,
            looks,
            schedule,
            part,
            encoding: args.encoding.options(),
            is_steady: !args.no_steady,
            beginning,
            engine,
            is_json: args.json,
            is_quiet: args.quiet,
        };
        plan.check_nothing_is_harmed()?;
        plan.check_target(stdout_is_terminal)?;
        Ok(plan)
    }

    /// A note on stderr, unless the user wants none.
    pub(in crate::video) fn say(&self, note: &str) {
        if !self.is_quiet {
            eprintln!("{note}");
        }
    }

    /// No output may be a file that is read.
    fn check_nothing_is_harmed(&self) -> anyhow::Result<()> {
        let outputs: Vec<PathBuf> = match &self.target {
            TargetPlan::Film(path, _) => vec![same_file_key(path)],
            TargetPlan::Stdout => Vec::new(),
            TargetPlan::Pictures(PictureNames::Given(paths)) => {
                paths.iter().map(|path| same_file_key(path)).collect()
            }
            TargetPlan::Pictures(PictureNames::Numbered(numbered)) => {
                numbered.existing().unwrap_or_default().iter().map(|path| same_file_key(path)).collect()
            }
        };
        let frames = match &self.source {
            SourcePlan::Film(Input::File(path)) | SourcePlan::Animation(path) => std::slice::from_ref(path),
            SourcePlan::Film(_) => &[],
            SourcePlan::Pictures(files) => files,
        };
        let painted_by = self.looks.iter().flat_map(Look::files);
        for (what, path) in frames.iter().map(|path| ("the film itself", path.as_path())).chain(painted_by) {
            if outputs.contains(&same_file_key(path)) {
                bail!("the output would replace {what}; choose another -o: {}", path.display());
            }
        }
        Ok(())
    }

    fn check_target(&self, stdout_is_terminal: bool) -> anyhow::Result<()> {
        match &self.target {
            TargetPlan::Stdout if stdout_is_terminal => {
                Err(usage("the film would go to a terminal; name a file with -o, or redirect stdout"))
            }
            TargetPlan::Stdout if self.is_json => {
                Err(usage("the film goes to stdout, where --json would spoil it; name a file with -o"))
            }
            TargetPlan::Stdout if self.beginning == Beginning::Resumed => {
                Err(usage("a film on stdout cannot be gone on with; name a file with -o"))
            }
            TargetPlan::Film(path, container) => {
                if self.beginning == Beginning::Resumed && container.holds_pictures_alone() {
                    return Err(usage(format!(
                        "{container} is written in one go and cannot be gone on with"
                    )));
                }
                self.check_film_target(path)
            }
            TargetPlan::Pictures(names) if self.beginning == Beginning::New => {
                let first = match names {
                    PictureNames::Given(paths) => paths.iter().find(|path| path.exists()).cloned(),
                    PictureNames::Numbered(numbered) => {
                        numbered.existing().unwrap_or_default().into_iter().next()
                    }
                };
                match first {
                    Some(first) => bail!(
                        "there are frames already; choose another -o, --resume or --overwrite: {}",
                        first.display()
                    ),
                    None => Ok(()),
                }
            }
            _ => Ok(()),
        }
    }

    fn check_film_target(&self, path: &Path) -> anyhow::Result<()> {
        ensure!(!path.is_dir(), "a folder is there where the film is to go: {}", path.display());
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        if let Some(folder) = folder {
            ensure!(folder.is_dir(), "no such folder for the film: {}", folder.display());
        }
        let parts = WorkFolder::path_for(path);
        if self.beginning == Beginning::New && parts.exists() {
            bail!(
                "a half-done film is there; go on with --resume, or begin anew with --overwrite: {}",
                parts.display()
            );
        }
        if self.beginning == Beginning::New && path.exists() {
            bail!("the output is there already; choose another -o or --overwrite: {}", path.display());
        }
        Ok(())
    }
}
