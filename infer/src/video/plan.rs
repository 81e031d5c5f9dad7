//! Arguments checked and completed, before ffmpeg is asked or a network loaded.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use common::engine::EngineOptions;
use common::style_file::Shelf;
use film::{Container, EncodingOptions, FrameRate, Input};
use pixel::{DecodeLimits, WebpAnimation, has_picture_suffix};

use super::numbered::Numbered;
use super::schedule::{Schedule, style_and_start};
use super::sink::PictureNames;
use super::work_folder::WorkFolder;
use crate::cli::{Time, VideoArgs};
use crate::painter::Look;
use crate::plan::{same_file_key, style_files, usage};

/// How fast picture files are shown.
const USUAL_RATE: FrameRate = FrameRate { frames: 25, seconds: 1 };

/// A film that can be begun.
pub(super) struct VideoPlan {
    pub(super) source: SourcePlan,
    pub(super) target: TargetPlan,
    /// One for each style of the schedule, or one of all styles with their masks.
    pub(super) looks: Vec<Look>,
    pub(super) schedule: Schedule,
    pub(super) part: Part,
    pub(super) encoding: EncodingOptions,
    pub(super) is_steady: bool,
    pub(super) beginning: Beginning,
    pub(super) engine: EngineOptions,
    pub(super) is_json: bool,
    pub(super) is_quiet: bool,
}

/// Where frames come from.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum SourcePlan {
    Film(Input),
    /// An animated WebP, which ffmpeg does not read.
    Animation(PathBuf),
    /// At least one, in their order.
    Pictures(Vec<PathBuf>),
}

/// Where frames go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TargetPlan {
    Film(PathBuf, Container),
    Stdout,
    Pictures(PictureNames),
}

/// What is taken of the film.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Part {
    pub(super) start_s: Option<f64>,
    pub(super) duration_s: Option<f64>,
    pub(super) rate: Option<FrameRate>,
}

/// What becomes of an earlier run's work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Beginning {
    /// There must be none.
    New,
    /// It is thrown away.
    Anew,
    /// It is gone on with.
    Resumed,
}

impl VideoPlan {
    pub(super) fn from_args(
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

        let source = source(args)?;
        let mut part = Part {
            start_s: args.part.start.map(|Time(seconds)| seconds),
            duration_s: args.part.duration.map(|Time(seconds)| seconds),
            rate: args.part.fps,
        };
        ensure!(part.duration_s != Some(0.0), usage("--duration 0: nothing would be painted"));
        let source = match source {
            SourcePlan::Pictures(files) => {
                let rate = *part.rate.get_or_insert(USUAL_RATE);
                SourcePlan::Pictures(within(files, &part, rate)?)
            }
            other => other,
        };
        let styles: Vec<String> = looks.iter().map(Look::name).collect();
        let target = target(args, &source, &styles.join("+"))?;
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
    pub(super) fn say(&self, note: &str) {
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

fn source(args: &VideoArgs) -> anyhow::Result<SourcePlan> {
    let input = &args.input;
    if input.as_os_str() == "-" {
        return Ok(SourcePlan::Film(match &args.part.raw {
            Some(raw) => Input::RawStdin(raw.0.clone()),
            None => Input::Y4mStdin,
        }));
    }
    if args.part.raw.is_some() {
        return Err(usage("--raw describes what comes on stdin; give `-` for the film"));
    }
    if input.is_dir() {
        let entries = std::fs::read_dir(input)
            .with_context(|| format!("cannot read the folder {}", input.display()))?;
        let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
        let files = sorted_pictures(paths);
        ensure!(!files.is_empty(), "no frames (pictures) in this folder: {}", input.display());
        return Ok(SourcePlan::Pictures(files));
    }
    if input.exists() {
        let animation = WebpAnimation::open(input, &DecodeLimits::default());
        let is_animation = animation.with_context(|| input.display().to_string())?.is_some();
        ensure!(
            !is_animation || args.part.fps.is_none(),
            usage("--fps: the pictures of an animated WebP are shown at their own times")
        );
        let file = input.clone();
        return Ok(if is_animation {
            SourcePlan::Animation(file)
        } else {
            SourcePlan::Film(Input::File(file))
        });
    }
    let files = if let Some(numbered) = Numbered::parse(input) {
        numbered.existing().unwrap_or_default()
    } else if let Some(pattern) = input.to_str().filter(|text| text.contains(['*', '?', '['])) {
        let paths =
            glob::glob(pattern).with_context(|| format!("no such film, and no pattern either: {pattern}"))?;
        sorted_pictures(paths.filter_map(Result::ok))
    } else {
        bail!("no such film: {}", input.display());
    };
    ensure!(!files.is_empty(), "no frames are called like this: {}", input.display());
    Ok(SourcePlan::Pictures(files))
}

/// Those that are named like pictures and not hidden, by name.
fn sorted_pictures(paths: impl Iterator<Item = PathBuf>) -> Vec<PathBuf> {
    let is_hidden =
        |path: &Path| path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
    let mut files: Vec<PathBuf> =
        paths.filter(|path| path.is_file() && has_picture_suffix(path) && !is_hidden(path)).collect();
    files.sort();
    files
}

/// The files that are shown within the part.
fn within(files: Vec<PathBuf>, part: &Part, rate: FrameRate) -> anyhow::Result<Vec<PathBuf>> {
    let frames = |seconds: f64| (seconds * rate.per_second()).round() as usize;
    let count = files.len();
    let first = part.start_s.map_or(0, frames);
    let taken = part.duration_s.map_or(usize::MAX, |seconds| frames(seconds).max(1));
    let files: Vec<PathBuf> = files.into_iter().skip(first).take(taken).collect();
    ensure!(
        !files.is_empty(),
        "--start is behind the last of {count} frames, which are shown {rate} a second"
    );
    Ok(files)
}

fn target(args: &VideoArgs, source: &SourcePlan, style: &str) -> anyhow::Result<TargetPlan> {
    let Some(output) = &args.output else { return beside(args, source, style) };
    if output.as_os_str() == "-" {
        return Ok(TargetPlan::Stdout);
    }
    if let Some(numbered) = Numbered::parse(output) {
        return Ok(TargetPlan::Pictures(PictureNames::Numbered(numbered)));
    }
    let ends_like_a_folder = output.as_os_str().as_encoded_bytes().ends_with(b"/");
    if ends_like_a_folder || output.is_dir() {
        return Ok(TargetPlan::Pictures(names_in(output, source)?));
    }
    match Container::of_path(output) {
        Some(container) => Ok(TargetPlan::Film(output.clone(), container)),
        None => Err(usage(format!(
            "no kind of film that is written (mp4, mov, mkv, webm, gif, webp, y4m), and no folder, which ends with /: {}",
            output.display()
        ))),
    }
}

fn beside(args: &VideoArgs, source: &SourcePlan, style: &str) -> anyhow::Result<TargetPlan> {
    match source {
        SourcePlan::Film(Input::File(path)) | SourcePlan::Animation(path) => {
            let usual = Container::of_path(path).filter(|container| *container != Container::Y4m);
            let suffix = path.extension().filter(|_| usual.is_some()).unwrap_or(OsStr::new("mp4"));
            let mut name = path.file_stem().unwrap_or_default().to_owned();
            for part in [OsStr::new(style), suffix] {
                name.push(".");
                name.push(part);
            }
            Ok(TargetPlan::Film(path.with_file_name(name), usual.unwrap_or(Container::Mp4)))
        }
        SourcePlan::Film(_) => Ok(TargetPlan::Stdout),
        SourcePlan::Pictures(_) if args.input.is_dir() => {
            let folder = args.input.canonicalize()?;
            let mut name = folder.file_name().unwrap_or_default().to_owned();
            name.push(".");
            name.push(style);
            Ok(TargetPlan::Pictures(names_in(&folder.with_file_name(name), source)?))
        }
        SourcePlan::Pictures(_) => {
            Err(usage("say with -o where the frames go: a film, or a folder with / at its end"))
        }
    }
}

/// Frames from files keep their names, as PNG where their format is not written.
fn names_in(folder: &Path, source: &SourcePlan) -> anyhow::Result<PictureNames> {
    let SourcePlan::Pictures(files) = source else {
        return Ok(PictureNames::Numbered(Numbered::in_folder(folder, "png")));
    };
    let named = |file: &PathBuf| {
        let name = folder.join(file.file_name().unwrap_or_default());
        if pixel::Format::from_path(&name).is_ok() { name } else { name.with_extension("png") }
    };
    let paths: Vec<PathBuf> = files.iter().map(named).collect();
    let mut seen = HashSet::new();
    if let Some(twice) = paths.iter().find(|path| !seen.insert(*path)) {
        bail!(
            "several frames would be written to one file; number them with -o {}: {}",
            folder.join("%05d.png").display(),
            twice.display()
        );
    }
    Ok(PictureNames::Given(paths))
}
