//! Arguments checked and completed, before anything is loaded or written.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use common::exit_status::UsageError;
use common::style_file::Shelf;
use pixel::Format;
use tch::Device;

use crate::cli::ImageArgs;
use crate::painter::Look;

/// A run that can start: the style is there, and every picture has a place to go that harms nothing.
pub(crate) struct ImagePlan {
    pub(crate) look: Look,
    pub(crate) jobs: Vec<Job>,
    pub(crate) device: Device,
    pub(crate) threads: Option<NonZeroUsize>,
    pub(crate) is_quiet: bool,
}

/// One picture to paint.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Job {
    pub(crate) input: PathBuf,
    pub(crate) output: PathBuf,
    pub(crate) format: Format,
}

impl ImagePlan {
    pub(crate) fn from_args(args: ImageArgs, shelf: &Shelf) -> anyhow::Result<Self> {
        let ImageArgs { inputs, style, output, overwrite, quality, painter, device, threads, quiet } = args;
        let styles = style.iter().map(|style| shelf.find(style)).collect::<Result<Vec<PathBuf>, _>>()?;
        let Ok([look]) = <[Look; 1]>::try_from(painter.looks(styles)?) else {
            bail!(UsageError("several --style need a --mask each".to_owned()));
        };
        let device = device.resolve()?;
        let name = look.name();
        let outputs = Outputs { asked_for: output.as_deref(), style: &name, quality };
        let jobs = inputs.iter().map(|input| outputs.job(input, inputs.len()));
        let jobs = jobs.collect::<anyhow::Result<Vec<Job>>>()?;
        check_outputs(&jobs, overwrite)?;
        Ok(Self { look, jobs, device, threads, is_quiet: quiet })
    }
}

/// Where pictures go.
struct Outputs<'a> {
    asked_for: Option<&'a Path>,
    style: &'a str,
    quality: u8,
}

impl Outputs<'_> {
    fn job(&self, input: &Path, input_count: usize) -> anyhow::Result<Job> {
        let output = match self.asked_for {
            None => input.with_file_name(self.default_name(input)?),
            Some(folder) if is_folder(folder) => folder.join(self.default_name(input)?),
            Some(file) => {
                ensure!(
                    input_count == 1,
                    "-o {} is one file for {input_count} pictures; name a folder (with / at its end)",
                    file.display()
                );
                file.to_owned()
            }
        };
        let format = match Format::from_path(&output)? {
            Format::Jpeg { .. } => Format::Jpeg { quality: self.quality },
            other => other,
        };
        Ok(Job { input: input.to_owned(), output, format })
    }

    /// `photo.great-wave.jpg`; the suffix of a format that is not written (GIF) becomes `png`, which loses nothing.
    fn default_name(&self, input: &Path) -> anyhow::Result<String> {
        let name_of =
            |part: Option<&std::ffi::OsStr>| part.and_then(std::ffi::OsStr::to_str).map(str::to_owned);
        let stem =
            name_of(input.file_stem()).with_context(|| format!("not a picture file: {}", input.display()))?;
        let suffix = match name_of(input.extension()) {
            Some(suffix) if Format::from_path(input).is_ok() => suffix,
            _ => "png".to_owned(),
        };
        Ok(format!("{stem}.{}.{suffix}", self.style))
    }
}

fn is_folder(path: &Path) -> bool {
    path.is_dir()
        || path.as_os_str().as_encoded_bytes().last().is_some_and(|&end| std::path::is_separator(end.into()))
}

/// No output may be an input, another output, or, unless asked for, a file that is there.
fn check_outputs(jobs: &[Job], overwrite: bool) -> anyhow::Result<()> {
    let mut input_of_output: HashMap<PathBuf, &Path> = HashMap::new();
    let inputs: Vec<PathBuf> = jobs.iter().map(|job| same_file_key(&job.input)).collect();
    for job in jobs {
        let key = same_file_key(&job.output);
        if inputs.contains(&key) {
            bail!("the output would replace an input; choose another -o: {}", job.output.display());
        }
        if let Some(other) = input_of_output.insert(key, &job.input) {
            bail!(
                "{} and {} would both become {}",
                other.display(),
                job.input.display(),
                job.output.display()
            );
        }
        if !overwrite && job.output.exists() {
            bail!("the output is there already; choose another -o, or --overwrite: {}", job.output.display());
        }
    }
    Ok(())
}

/// One name for a file however it is written; a file that is not there yet is named by its folder.
fn same_file_key(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        match (folder.canonicalize(), path.file_name()) {
            (Ok(folder), Some(name)) => folder.join(name),
            _ => path.to_owned(),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(input: &str, output: Option<&str>) -> anyhow::Result<Job> {
        let outputs = Outputs { asked_for: output.map(Path::new), style: "great-wave", quality: 80 };
        outputs.job(Path::new(input), 1)
    }

    #[test]
    fn pictures_go_beside_their_originals_by_default() {
        let place = |input| job(input, None).unwrap().output;
        assert_eq!(place("trip/photo.jpg"), Path::new("trip/photo.great-wave.jpg"));
        assert_eq!(place("photo.tar.PNG"), Path::new("photo.tar.great-wave.PNG"));
        assert_eq!(place("wave.gif"), Path::new("wave.great-wave.png"));
        assert_eq!(place("scan"), Path::new("scan.great-wave.png"));
    }

    #[test]
    fn a_folder_or_a_file_may_be_asked_for() {
        let to_folder = job("photo.jpg", Some("out/")).unwrap();
        assert_eq!(to_folder.output, Path::new("out/photo.great-wave.jpg"));
        let to_file = job("photo.gif", Some("new.jpg")).unwrap();
        assert_eq!(to_file.format, Format::Jpeg { quality: 80 });
        assert!(job("photo.jpg", Some("new.xyz")).is_err());
    }

    #[test]
    fn outputs_that_harm_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let photo = folder.path().join("photo.png");
        std::fs::write(&photo, "x").unwrap();
        let job = |input: &Path, output: &Path| Job {
            input: input.to_owned(),
            output: output.to_owned(),
            format: Format::Png,
        };
        let roundabout = folder.path().join("./photo.png");
        assert!(check_outputs(&[job(&photo, &roundabout)], true).is_err(), "an input");
        let new = folder.path().join("new.png");
        assert!(check_outputs(&[job(&photo, &new)], false).is_ok());
        assert!(check_outputs(&[job(&photo, &new), job(Path::new("b.png"), &new)], true).is_err(), "twice");
        let there = folder.path().join("there.png");
        std::fs::write(&there, "x").unwrap();
        assert!(check_outputs(&[job(&photo, &there)], false).is_err(), "there already");
        assert!(check_outputs(&[job(&photo, &there)], true).is_ok());
    }
}
