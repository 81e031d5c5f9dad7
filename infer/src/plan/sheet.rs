//! The plan of a contact sheet.

use std::path::PathBuf;

use anyhow::ensure;
use common::engine::EngineOptions;
use pixel::BitDepth;

use super::{Job, Output, Source, Surroundings, Target, Writing, check, inputs, outputs, style_files, usage};
use crate::cli::ImageArgs;
use crate::painter::Look;

/// What a sheet is named by: `photo.sheet.jpg`.
pub(super) const NAME: &str = "sheet";

/// One photo in many looks on one sheet.
pub(crate) struct SheetPlan {
    pub(crate) source: Source,
    /// Each with the style file whose card captions it.
    pub(crate) looks: Vec<(Look, PathBuf)>,
    pub(crate) output: Output,
    pub(crate) cell_px: u32,
    pub(crate) engine: EngineOptions,
    pub(crate) writing: Writing,
    pub(crate) opens_viewer: bool,
    pub(crate) is_quiet: bool,
}

impl SheetPlan {
    pub(crate) fn from_args(args: &ImageArgs, surroundings: &Surroundings<'_>) -> anyhow::Result<Self> {
        let styles: Vec<PathBuf> = if args.styles.is_empty() {
            surroundings.shelf.entries().into_iter().map(|entry| entry.path).collect()
        } else {
            style_files(&args.styles, surroundings.shelf)?
        };
        ensure!(!styles.is_empty(), "no styles are installed; name style files with --style");
        let looks = args.painter.looks(styles.clone())?;
        if looks.len() != styles.len() {
            return Err(usage("--sheet shows each style by itself, not several on one picture"));
        }
        let engine = args.compute.engine_options()?;
        let found = inputs::collect(&args.inputs, false, &|_| false)?;
        let [input] = &found.list[..] else {
            return Err(usage(format!("--sheet shows one photo, these are {}", found.list.len())));
        };
        let source = input.source.clone();
        let output = outputs::single(&source, NAME.as_ref(), args)?;

        let job = [Job { source: source.clone(), outputs: vec![output.clone()] }];
        check::nothing_is_harmed(&job, &looks)?;
        if output.target == Target::Stdout {
            check::stdout_is_free(args, surroundings.stdout_is_terminal)?;
        }
        if !args.overwrite {
            check::nothing_is_there(&job)?;
        }
        Ok(Self {
            source,
            looks: looks.into_iter().zip(styles).collect(),
            output,
            cell_px: args.sheet_size,
            engine,
            writing: Writing { quality: args.quality, bits: BitDepth::Eight, keep_metadata: false },
            opens_viewer: args.open,
            is_quiet: args.quiet,
        })
    }
}
