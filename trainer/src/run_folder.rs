//! The folder of one training: what was asked for, how it went, and what came of it.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use common::loss::LossValues;
use datasets::SkippedPhoto;

use crate::training::StepReport;

/// The folder of one training, `RUNS/NAME/`:
///
/// | file | what |
/// |---|---|
/// | `config.toml` | the resolved configuration |
/// | `losses.csv` | the losses at each log step |
/// | `skipped.txt` | photos that could not be used, with reasons; absent if there were none |
/// | `NAME.safetensors` | the style file |
pub struct RunFolder {
    path: PathBuf,
    name: String,
}

/// A file of the run folder that cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {}: {cause}", path.display())]
pub struct RunFolderError {
    path: PathBuf,
    cause: io::Error,
}

impl RunFolder {
    /// Makes the folder `runs/name`, or takes it if it is there; files of an earlier run are replaced.
    ///
    /// # Errors
    /// The folder cannot be made.
    pub fn create(runs: &Path, name: &str) -> Result<Self, RunFolderError> {
        let path = runs.join(name);
        std::fs::create_dir_all(&path).map_err(|cause| RunFolderError { path: path.clone(), cause })?;
        Ok(Self { path, name: name.to_owned() })
    }

    /// Where the style file goes.
    pub fn style_file(&self) -> PathBuf {
        self.path.join(format!("{}.safetensors", self.name))
    }

    /// Where the list of unused photos goes.
    pub fn skipped_file(&self) -> PathBuf {
        self.path.join("skipped.txt")
    }

    /// Writes the configuration.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write_config(&self, toml: &str) -> Result<(), RunFolderError> {
        write_whole(&self.path.join("config.toml"), toml)
    }

    /// Writes the photos that could not be used, one line each.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write_skipped(&self, skipped: &[SkippedPhoto]) -> Result<(), RunFolderError> {
        if skipped.is_empty() {
            return Ok(());
        }
        let mut lines = String::new();
        for photo in skipped {
            let _ = writeln!(lines, "{photo}");
        }
        write_whole(&self.skipped_file(), &lines)
    }

    /// Starts the table of losses.
    ///
    /// # Errors
    /// The file cannot be made.
    pub fn start_losses(&self) -> Result<LossTable, RunFolderError> {
        let path = self.path.join("losses.csv");
        let file = std::fs::File::create(&path);
        let mut table =
            LossTable { file: file.map_err(|cause| RunFolderError { path: path.clone(), cause })?, path };
        table.write_line("step,learning_rate,total,content,style,total_variation,images_per_s")?;
        Ok(table)
    }
}

fn write_whole(path: &Path, text: &str) -> Result<(), RunFolderError> {
    pixel::atomic_file::write(path, text.as_bytes())
        .map_err(|error| RunFolderError { path: error.path, cause: error.cause })
}

/// The losses of a run as a table, a line for each log step.
pub struct LossTable {
    path: PathBuf,
    file: std::fs::File,
}

impl LossTable {
    /// Adds a line.
    ///
    /// # Errors
    /// The line cannot be written.
    pub fn add(&mut self, step: u64, report: &StepReport) -> Result<(), RunFolderError> {
        let StepReport { losses, learning_rate, images_per_s } = report;
        let LossValues { total, content, style, total_variation, .. } = losses;
        self.write_line(&format!(
            "{step},{learning_rate:e},{total:e},{content:e},{style:e},{total_variation:e},{images_per_s:.3}"
        ))
    }

    fn write_line(&mut self, line: &str) -> Result<(), RunFolderError> {
        writeln!(self.file, "{line}").map_err(|cause| RunFolderError { path: self.path.clone(), cause })
    }
}
