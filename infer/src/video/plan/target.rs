//! Where `infer video` writes, as `-o` says or by default.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use anyhow::bail;
use film::{Container, Input};

use super::SourcePlan;
use crate::cli::VideoArgs;
use crate::plan::usage;
use crate::video::numbered::Numbered;
use crate::video::sink::PictureNames;

/// Where frames go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::video) enum TargetPlan {
    Film(PathBuf, Container),
    Stdout,
    Pictures(PictureNames),
}

pub(super) fn target(args: &VideoArgs, source: &SourcePlan, style: &str) -> anyhow::Result<TargetPlan> {
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
