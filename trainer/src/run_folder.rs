//! The folder of one training: what was asked for, how it went, and what came of it.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use datasets::SkippedPhoto;

use crate::journal::Journal;
use crate::tensorboard::TensorBoardLog;
use crate::{preview, report};

/// The folder of one training, `RUNS/NAME/`:
///
/// | file | what |
/// |---|---|
/// | `config.toml` | the resolved configuration, which can be handed back |
/// | `NAME.safetensors` | the style file |
/// | `checkpoints/step-N.safetensors` | all that is needed to go on after step N |
/// | `journal.jsonl` | what happened, a line each |
/// | `previews/step-N.png` | photos and what the network made of them |
/// | `tensorboard/` | the same for TensorBoard |
/// | `report.html` | the whole run on one page |
/// | `skipped.txt` | photos that could not be used, with reasons; absent if there were none |
///
/// While it is open no other trainer can open it.
pub struct RunFolder {
    path: PathBuf,
    name: String,
    /// Locked; the lock goes with the process, however that ends.
    _lock: File,
}

/// A run folder that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RunFolderError {
    /// A file of it cannot be written.
    #[error("cannot write {}: {cause}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        cause: io::Error,
    },
    /// A file of it cannot be read.
    #[error("cannot read {}: {cause}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        cause: io::Error,
    },
    /// Another trainer works in it.
    #[error("another trainer is at work in the run folder {}", path.display())]
    InUse {
        /// The folder.
        path: PathBuf,
    },
    /// A run is there already.
    #[error(
        "the run folder is there already; continue it by --resume, choose another --name, or --overwrite it: {}",
        path.display()
    )]
    Exists {
        /// The folder.
        path: PathBuf,
    },
}

impl RunFolder {
    /// Makes the folder `runs/name`.
    ///
    /// # Errors
    /// It is there already, or cannot be made.
    pub fn create(runs: &Path, name: &str) -> Result<Self, RunFolderError> {
        Self::check_absent(runs, name)?;
        Self::open_or_make(runs.join(name), name)
    }

    /// Whether the folder `runs/name` is still to be made.
    ///
    /// # Errors
    /// It is there already.
    pub fn check_absent(runs: &Path, name: &str) -> Result<(), RunFolderError> {
        let path = runs.join(name);
        if path.exists() { Err(RunFolderError::Exists { path }) } else { Ok(()) }
    }

    /// Makes the folder `runs/name`, or takes it over if it is there: what an earlier run left in it is removed.
    ///
    /// # Errors
    /// It cannot be made or emptied, or another trainer is at work in it.
    pub fn replace(runs: &Path, name: &str) -> Result<Self, RunFolderError> {
        let folder = Self::open_or_make(runs.join(name), name)?;
        let files = [
            folder.config_file(),
            folder.style_file(),
            folder.journal_file(),
            folder.report_file(),
            folder.skipped_file(),
        ];
        for path in files {
            absent_or(std::fs::remove_file(&path)).map_err(|cause| RunFolderError::Write { path, cause })?;
        }
        for path in [folder.checkpoints(), folder.previews(), folder.tensorboard()] {
            absent_or(std::fs::remove_dir_all(&path))
                .map_err(|cause| RunFolderError::Write { path, cause })?;
        }
        Ok(folder)
    }

    /// Opens the folder of an earlier run, called `name`.
    ///
    /// # Errors
    /// It is not there, or another trainer is at work in it.
    pub fn open(path: &Path, name: &str) -> Result<Self, RunFolderError> {
        path.metadata().map_err(|cause| RunFolderError::Read { path: path.to_owned(), cause })?;
        Self::open_or_make(path.to_owned(), name)
    }

    fn open_or_make(path: PathBuf, name: &str) -> Result<Self, RunFolderError> {
        std::fs::create_dir_all(&path)
            .map_err(|cause| RunFolderError::Write { path: path.clone(), cause })?;
        let lock_file = path.join(".lock");
        let lock = File::create(&lock_file)
            .map_err(|cause| RunFolderError::Write { path: lock_file.clone(), cause })?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path, name: name.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(RunFolderError::InUse { path }),
            Err(TryLockError::Error(cause)) => Err(RunFolderError::Write { path: lock_file, cause }),
        }
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The run's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where the configuration goes.
    pub fn config_file(&self) -> PathBuf {
        Self::config_file_in(&self.path)
    }

    /// Where the configuration of the run in `folder` is.
    pub fn config_file_in(folder: &Path) -> PathBuf {
        folder.join("config.toml")
    }

    /// Where the style file goes.
    pub fn style_file(&self) -> PathBuf {
        Self::style_file_in(&self.path, &self.name)
    }

    /// Where the run `name` in the folder `path` keeps its style file, without opening the run.
    pub fn style_file_in(path: &Path, name: &str) -> PathBuf {
        path.join(format!("{name}.safetensors"))
    }

    /// Where the list of unused photos goes.
    pub fn skipped_file(&self) -> PathBuf {
        self.path.join("skipped.txt")
    }

    /// Where the journal goes.
    pub fn journal_file(&self) -> PathBuf {
        self.path.join(Journal::FILE_NAME)
    }

    /// Where the report goes.
    pub fn report_file(&self) -> PathBuf {
        self.path.join(report::FILE_NAME)
    }

    /// The folder of preview sheets.
    pub fn previews(&self) -> PathBuf {
        self.path.join(preview::FOLDER)
    }

    /// TensorBoard's folder.
    pub fn tensorboard(&self) -> PathBuf {
        self.path.join(TensorBoardLog::FOLDER)
    }

    fn checkpoints(&self) -> PathBuf {
        self.path.join("checkpoints")
    }

    /// Where the checkpoint after `step` goes. Its folder is made.
    ///
    /// # Errors
    /// The folder cannot be made.
    pub(crate) fn new_checkpoint_file(&self, step: u64) -> Result<PathBuf, RunFolderError> {
        let folder = self.checkpoints();
        std::fs::create_dir_all(&folder).map_err(|cause| RunFolderError::Write { path: folder, cause })?;
        Ok(self.checkpoint_file(step))
    }

    pub(crate) fn checkpoint_file(&self, step: u64) -> PathBuf {
        self.checkpoints().join(format!("step-{step:08}.safetensors"))
    }

    /// The steps after which there is a checkpoint.
    ///
    /// # Errors
    /// The folder of checkpoints cannot be read.
    pub(crate) fn checkpoint_steps(&self) -> Result<BTreeSet<u64>, RunFolderError> {
        let folder = self.checkpoints();
        let read_error = |cause| RunFolderError::Read { path: folder.clone(), cause };
        let mut steps = BTreeSet::new();
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(steps),
            Err(cause) => return Err(read_error(cause)),
        };
        for entry in entries {
            let name = entry.map_err(read_error)?.file_name();
            let step =
                name.to_str().and_then(|name| name.strip_prefix("step-")?.strip_suffix(".safetensors"));
            steps.extend(step.and_then(|step| step.parse::<u64>().ok()));
        }
        Ok(steps)
    }

    /// Removes the checkpoint after `step`.
    ///
    /// # Errors
    /// It cannot be removed.
    pub(crate) fn remove_checkpoint(&self, step: u64) -> Result<(), RunFolderError> {
        let path = self.checkpoint_file(step);
        absent_or(std::fs::remove_file(&path)).map_err(|cause| RunFolderError::Write { path, cause })
    }

    /// Writes the configuration.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write_config(&self, toml: &str) -> Result<(), RunFolderError> {
        write_whole(&self.config_file(), toml)
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
}

fn absent_or(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

fn write_whole(path: &Path, text: &str) -> Result<(), RunFolderError> {
    pixel::atomic_file::write(path, text.as_bytes())
        .map_err(|error| RunFolderError::Write { path: error.path, cause: error.cause })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_folder_has_one_trainer_at_a_time() {
        let runs = tempfile::tempdir().unwrap();
        let first = RunFolder::create(runs.path(), "a").unwrap();
        let path = first.path().to_owned();
        assert!(matches!(RunFolder::open(&path, "a"), Err(RunFolderError::InUse { .. })));
        assert!(matches!(RunFolder::create(runs.path(), "a"), Err(RunFolderError::Exists { .. })));
        drop(first);
        assert!(RunFolder::open(&path, "a").is_ok());
    }

    #[test]
    fn replacing_a_run_leaves_nothing_to_resume_by_mistake() {
        let runs = tempfile::tempdir().unwrap();
        let old = RunFolder::create(runs.path(), "a").unwrap();
        std::fs::write(old.new_checkpoint_file(12).unwrap(), "x").unwrap();
        std::fs::write(old.path().join("notes.txt"), "mine").unwrap();
        assert_eq!(old.checkpoint_steps().unwrap(), [12].into());
        drop(old);
        let new = RunFolder::replace(runs.path(), "a").unwrap();
        assert!(new.checkpoint_steps().unwrap().is_empty());
        assert!(new.path().join("notes.txt").exists(), "what is not ours stays");
    }
}
