//! What `infer video` is given: a film, an animation, or picture files.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use film::{FrameRate, Input};
use pixel::{DecodeLimits, WebpAnimation, has_picture_suffix};

use super::Part;
use crate::cli::VideoArgs;
use crate::plan::usage;
use crate::video::numbered::Numbered;

/// Where frames come from.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::video) enum SourcePlan {
    Film(Input),
    /// An animated WebP, which ffmpeg does not read.
    Animation(PathBuf),
    /// At least one, in their order.
    Pictures(Vec<PathBuf>),
}

pub(super) fn source(args: &VideoArgs) -> anyhow::Result<SourcePlan> {
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
pub(super) fn within(files: Vec<PathBuf>, part: &Part, rate: FrameRate) -> anyhow::Result<Vec<PathBuf>> {
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
