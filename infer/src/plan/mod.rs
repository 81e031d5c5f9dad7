//! Arguments checked and completed, before anything is loaded or written.

mod check;
mod inputs;
mod naming;
mod outputs;
mod same_file;
mod sheet;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use common::engine::EngineOptions;
use common::exit_status::UsageError;
use common::style_file::Shelf;
use pixel::{BitDepth, Format};

use crate::cli::ImageArgs;
use crate::painter::Look;

pub(crate) use inputs::Source;
pub(crate) use same_file::same_file_key;
pub(crate) use sheet::SheetPlan;

/// A run that can start: the styles are there, and every picture has a place to go that harms nothing.
pub(crate) struct ImagePlan {
    /// The ways to paint: each photo becomes one picture with each.
    pub(crate) looks: Vec<Look>,
    /// At least one, unless all outputs were there already.
    pub(crate) jobs: Vec<Job>,
    /// Outputs left out because they are there.
    pub(crate) skipped: usize,
    pub(crate) engine: EngineOptions,
    pub(crate) writing: Writing,
    pub(crate) opens_viewer: bool,
    pub(crate) saying: Saying,
}

/// What the user hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Saying {
    /// Only what would be done.
    pub(crate) is_dry_run: bool,
    pub(crate) is_json: bool,
    pub(crate) is_quiet: bool,
}

/// One photo, decoded once for all looks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Job {
    pub(crate) source: Source,
    pub(crate) outputs: Vec<Output>,
}

/// One picture to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Output {
    /// Place in [`ImagePlan::looks`].
    pub(crate) look: usize,
    pub(crate) target: Target,
    /// `None` is the photo's own format, as its content says.
    pub(crate) format: Option<Format>,
}

/// Where a picture goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Stdout,
    File(PathBuf),
}

/// How pictures are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Writing {
    /// Of JPEG files whose format the photo decides.
    pub(crate) quality: u8,
    /// Of each sample.
    pub(crate) bits: BitDepth,
    /// Hand on what the camera noted.
    pub(crate) keep_metadata: bool,
}

/// What a plan depends on beside the arguments.
pub(crate) struct Surroundings<'a> {
    pub(crate) shelf: &'a Shelf,
    pub(crate) stdout_is_terminal: bool,
}

impl ImagePlan {
    pub(crate) fn from_args(args: &ImageArgs, surroundings: &Surroundings<'_>) -> anyhow::Result<Self> {
        let styles = style_files(&args.styles, surroundings.shelf)?;
        let looks = args.painter.looks(styles)?;
        let names: Vec<String> = looks.iter().map(Look::name).collect();
        let engine = args.compute.engine_options()?;
        let is_output = |path: &Path| {
            naming::is_named_for(path, sheet::NAME.as_ref())
                || names.iter().any(|name| naming::is_named_for(path, name.as_ref()))
        };
        let inputs = inputs::collect(&args.inputs, args.recursive, &is_output)?;
        let mut jobs = outputs::jobs(&inputs, &names, args)?;

        check::nothing_is_harmed(&jobs, &looks)?;
        let bits = args.bits.into();
        if bits == BitDepth::Sixteen {
            check::formats_keep_16_bits(&jobs)?;
        }
        let to_stdout = jobs.iter().flat_map(|job| &job.outputs).any(|it| it.target == Target::Stdout);
        if to_stdout && !args.dry_run {
            check::stdout_is_free(args, surroundings.stdout_is_terminal)?;
        }
        let mut skipped = 0;
        if args.skip_existing {
            skipped = check::leave_out_existing(&mut jobs);
        } else if !args.overwrite {
            check::nothing_is_there(&jobs)?;
        }
        Ok(Self {
            looks,
            jobs,
            skipped,
            engine,
            writing: Writing { quality: args.quality, bits, keep_metadata: args.keep_metadata },
            opens_viewer: args.open,
            saying: Saying { is_dry_run: args.dry_run, is_json: args.json, is_quiet: args.quiet },
        })
    }

    /// Pictures to write.
    pub(crate) fn output_count(&self) -> usize {
        self.jobs.iter().map(|job| job.outputs.len()).sum()
    }
}

/// Where these styles are.
pub(crate) fn style_files(styles: &[String], shelf: &Shelf) -> anyhow::Result<Vec<PathBuf>> {
    styles.iter().map(|style| Ok(shelf.find(style)?)).collect()
}

pub(crate) fn usage(message: impl Into<String>) -> anyhow::Error {
    UsageError(message.into()).into()
}

impl Source {
    /// As errors and reports name it.
    pub(crate) fn name(&self) -> std::borrow::Cow<'_, str> {
        match self {
            Self::Stdin => "-".into(),
            Self::File(path) => path.to_string_lossy(),
        }
    }
}

impl Target {
    /// As errors and reports name it.
    pub(crate) fn name(&self) -> std::borrow::Cow<'_, str> {
        match self {
            Self::Stdout => "-".into(),
            Self::File(path) => path.to_string_lossy(),
        }
    }

    pub(crate) fn file(&self) -> Option<&Path> {
        match self {
            Self::Stdout => None,
            Self::File(path) => Some(path),
        }
    }
}
