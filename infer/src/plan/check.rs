//! Outputs that would do harm are refused before anything is painted.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::bail;

use super::same_file::same_file_key;
use super::{Job, Source, Target, usage};
use crate::cli::ImageArgs;
use crate::painter::Look;

/// No output may be a file that is read, or another output.
pub(super) fn nothing_is_harmed<'a>(
    jobs: &'a [Job],
    looks: impl IntoIterator<Item = &'a Look>,
) -> anyhow::Result<()> {
    let inputs = jobs.iter().filter_map(input_of).map(|path| ("an input", path));
    let painted_by = looks.into_iter().flat_map(Look::files);
    let read: HashMap<PathBuf, &str> =
        inputs.chain(painted_by).map(|(what, path)| (same_file_key(path), what)).collect();
    let mut input_of_output: HashMap<PathBuf, &Source> = HashMap::new();
    for (job, output) in outputs(jobs) {
        let key = same_file_key(output);
        if let Some(what) = read.get(&key) {
            bail!("the output would replace {what}; choose another -o: {}", output.display());
        }
        match input_of_output.insert(key, &job.source) {
            Some(other) if *other == job.source => {
                bail!("two styles have one name and would both make {}", output.display());
            }
            Some(other) => {
                let (one, two) = (other.name(), job.source.name());
                bail!("{one} and {two} would both become {}", output.display());
            }
            None => {}
        }
    }
    Ok(())
}

/// Every output's format has room for 16 bits a sample. What goes to stdout in the photo's own format may not: it is to be
/// named.
pub(super) fn formats_keep_16_bits(jobs: &[Job]) -> anyhow::Result<()> {
    for output in jobs.iter().flat_map(|job| &job.outputs) {
        let name = output.target.name();
        match output.format {
            Some(format) if format.keeps_16_bits() => {}
            Some(format) => {
                let message = format!(
                    "--bits 16 fits into PNG and TIFF, not into {format}; choose one by -o or --format: {name}"
                );
                return Err(usage(message));
            }
            None => return Err(usage("--bits 16 to stdout wants a --format that has room, png or tiff")),
        }
    }
    Ok(())
}

/// No output is there already.
pub(super) fn nothing_is_there(jobs: &[Job]) -> anyhow::Result<()> {
    let mut there = outputs(jobs).map(|(_, output)| output).filter(|output| is_there(output));
    let Some(first) = there.next() else { return Ok(()) };
    let (what, and_others) = match there.count() {
        0 => ("the output is", String::new()),
        others => ("outputs are", format!(" and {others} more")),
    };
    bail!(
        "{what} there already; choose another -o, --overwrite or --skip-existing: {}{and_others}",
        first.display()
    );
}

/// Leaves out what is there already, and says how much that is.
pub(super) fn leave_out_existing(jobs: &mut Vec<Job>) -> usize {
    let mut left_out = 0;
    for job in jobs.iter_mut() {
        let before = job.outputs.len();
        job.outputs.retain(|output| !output.target.file().is_some_and(is_there));
        left_out += before - job.outputs.len();
    }
    jobs.retain(|job| !job.outputs.is_empty());
    left_out
}

/// Nothing but the picture goes to stdout, and a terminal shows no pictures.
pub(super) fn stdout_is_free(args: &ImageArgs, stdout_is_terminal: bool) -> anyhow::Result<()> {
    if args.json {
        return Err(usage("the picture goes to stdout, where --json would spoil it; name a file with -o"));
    }
    if args.open {
        return Err(usage("--open shows files; name one with -o"));
    }
    if stdout_is_terminal {
        return Err(usage("the picture would go to a terminal; name a file with -o, or redirect stdout"));
    }
    Ok(())
}

pub(super) fn is_there(output: &Path) -> bool {
    output.exists()
}

fn input_of(job: &Job) -> Option<&Path> {
    match &job.source {
        Source::File(path) => Some(path),
        Source::Stdin => None,
    }
}

fn outputs(jobs: &[Job]) -> impl Iterator<Item = (&Job, &Path)> {
    jobs.iter().flat_map(|job| {
        job.outputs.iter().filter_map(move |output| match &output.target {
            Target::File(path) => Some((job, path.as_path())),
            Target::Stdout => None,
        })
    })
}
