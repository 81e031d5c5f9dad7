//! Where pictures go, and in which format.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use anyhow::ensure;
use pixel::Format;

use super::inputs::{Input, Inputs, Source};
use super::naming::default_name;
use super::{Job, Output, Target, usage};
use crate::cli::ImageArgs;

/// What `-o` means.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Destination<'a> {
    /// Each picture beside its photo.
    Beside,
    Folder(&'a Path),
    File(&'a Path),
    Stdout,
}

impl<'a> Destination<'a> {
    /// `-o` is a folder if it is one, ends like one, or must be one since a folder or a pattern is to go there.
    pub(super) fn of(asked_for: Option<&'a Path>, source_is_stdin: bool, is_open_ended: bool) -> Self {
        match asked_for {
            None if source_is_stdin => Self::Stdout,
            None => Self::Beside,
            Some(path) if path.as_os_str() == "-" => Self::Stdout,
            Some(path) if is_folder(path) || (is_open_ended && path.extension().is_none()) => {
                Self::Folder(path)
            }
            Some(path) => Self::File(path),
        }
    }
}

/// One job for each photo, one output for each look, by the looks' names.
pub(super) fn jobs(inputs: &Inputs, looks: &[String], args: &ImageArgs) -> anyhow::Result<Vec<Job>> {
    let source_is_stdin = inputs.list.first().is_some_and(|input| input.source == Source::Stdin);
    let destination = Destination::of(args.output.as_deref(), source_is_stdin, inputs.is_open_ended);
    let count = inputs.list.len() * looks.len();
    match destination {
        Destination::File(file) => ensure!(
            count == 1,
            "-o {} is one file for {count} pictures; name a folder (with / at its end)",
            file.display()
        ),
        Destination::Stdout if count > 1 => {
            return Err(usage(format!("stdout takes one picture, these are {count}; name a folder with -o")));
        }
        _ => {}
    }
    let planner = Planner::new(destination, args);
    let job = |input: &Input| {
        let outputs = looks.iter().enumerate().map(|(look, name)| planner.output(input, look, name.as_ref()));
        Ok(Job { source: input.source.clone(), outputs: outputs.collect::<anyhow::Result<_>>()? })
    };
    inputs.list.iter().map(job).collect()
}

/// Where the one picture `name` (as `sheet`) made of `source` goes, and in which format.
pub(super) fn single(source: &Source, name: &OsStr, args: &ImageArgs) -> anyhow::Result<Output> {
    let destination = Destination::of(args.output.as_deref(), *source == Source::Stdin, false);
    let planner = Planner::new(destination, args);
    planner.output(&Input { source: source.clone(), below: PathBuf::new() }, 0, name)
}

struct Planner<'a> {
    destination: Destination<'a>,
    /// As asked for, at the quality asked for.
    format: Option<Format>,
    quality: u8,
}

impl<'a> Planner<'a> {
    fn new(destination: Destination<'a>, args: &ImageArgs) -> Self {
        let format = args.format.map(|format| format.at_quality(args.quality));
        Self { destination, format, quality: args.quality }
    }

    fn output(&self, input: &Input, look: usize, name: &OsStr) -> anyhow::Result<Output> {
        // A picture from stdin has no name; its format is known only when it has come.
        let photo = match &input.source {
            Source::File(path) => path,
            Source::Stdin => Path::new("stdin"),
        };
        let target = match self.destination {
            Destination::Stdout => {
                return Ok(Output { look, target: Target::Stdout, format: self.format });
            }
            Destination::Beside => photo.with_file_name(default_name(photo, name, self.format)?),
            Destination::Folder(folder) => {
                folder.join(&input.below).join(default_name(photo, name, self.format)?)
            }
            Destination::File(file) => file.to_owned(),
        };
        let format = self.format_of(&target)?;
        Ok(Output { look, target: Target::File(target), format: Some(format) })
    }

    fn format_of(&self, target: &Path) -> anyhow::Result<Format> {
        let by_suffix = Format::from_path(target).map(|format| format.at_quality(self.quality));
        match (self.format, by_suffix) {
            (None, by_suffix) => Ok(by_suffix?),
            (Some(asked_for), Ok(by_suffix)) if asked_for != by_suffix => Err(usage(format!(
                "--format {} contradicts the name of the output: {}",
                asked_for.suffix(),
                target.display()
            ))),
            (Some(asked_for), _) => Ok(asked_for),
        }
    }
}

fn is_folder(path: &Path) -> bool {
    path.is_dir()
        || path.as_os_str().as_encoded_bytes().last().is_some_and(|&end| std::path::is_separator(end.into()))
}
