//! What a training writes while it runs: its journal, the same for TensorBoard, and previews.

use std::path::{Path, PathBuf};

use pixel::Picture;

use crate::journal::{Journal, JournalEntry, JournalError};
use crate::preview::{self, PreviewError};
use crate::tensorboard::{TensorBoardError, TensorBoardLog};

/// What a training writes while it runs. Entries are in their files when a call returns, so a training stores its state
/// after it has recorded a step, and [resumes](RunLog::resume) by the step of that state.
pub struct RunLog {
    folder: PathBuf,
    journal: Journal,
    tensorboard: TensorBoardLog,
}

/// A log that cannot be kept.
#[derive(Debug, thiserror::Error)]
pub enum RunLogError {
    /// The journal cannot be kept.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The log for TensorBoard cannot be kept.
    #[error(transparent)]
    TensorBoard(#[from] TensorBoardError),
    /// A preview cannot be written.
    #[error(transparent)]
    Preview(#[from] PreviewError),
}

impl RunLog {
    /// Begins the log of a training from its first step, in a run folder that is there; that of an earlier run is
    /// replaced.
    ///
    /// # Errors
    /// A file cannot be made.
    pub fn start(run_folder: &Path) -> Result<Self, RunLogError> {
        preview::remove_all(run_folder)?;
        Ok(Self {
            folder: run_folder.to_owned(),
            journal: Journal::create(run_folder)?,
            tensorboard: TensorBoardLog::start(run_folder, None)?,
        })
    }

    /// Goes on with the log of a training whose state was stored after `step`; what it had recorded of later steps is
    /// forgotten.
    ///
    /// # Errors
    /// The journal cannot be understood, or a file cannot be written.
    pub fn resume(run_folder: &Path, step: u64) -> Result<Self, RunLogError> {
        Ok(Self {
            folder: run_folder.to_owned(),
            journal: Journal::resume(run_folder, step)?,
            tensorboard: TensorBoardLog::start(run_folder, Some(step))?,
        })
    }

    /// Records an entry; for a preview there is [`Self::record_preview`].
    ///
    /// # Errors
    /// It cannot be written.
    pub fn record(&mut self, entry: &JournalEntry) -> Result<(), RunLogError> {
        self.journal.append(entry)?;
        Ok(self.tensorboard.add(entry)?)
    }

    /// Writes a sheet of previews, and returns the entry that was recorded of it.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn record_preview(&mut self, step: u64, sheet: &Picture) -> Result<JournalEntry, RunLogError> {
        let file = preview::write(&self.folder, step, sheet)?;
        let entry = JournalEntry::Preview { step, file };
        self.journal.append(&entry)?;
        self.tensorboard.add_preview(step, sheet)?;
        Ok(entry)
    }
}

#[cfg(test)]
mod tests {
    use common::loss::LossValues;

    use super::*;
    use crate::journal;

    fn step(step: u64) -> JournalEntry {
        JournalEntry::Step { step, learning_rate: 0.5, images_per_s: 1.0, losses: LossValues::default() }
    }

    fn steps(folder: &Path) -> Vec<u64> {
        let entries = journal::read(&folder.join(Journal::FILE_NAME)).unwrap();
        entries.iter().map(JournalEntry::step).collect()
    }

    #[test]
    fn a_log_is_resumed_or_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let sheet = Picture::from_rgb(2, 2, vec![5; 12]).unwrap();
        let mut log = RunLog::start(folder.path()).unwrap();
        for at in 1..=3 {
            log.record(&step(at)).unwrap();
        }
        let entry = log.record_preview(3, &sheet).unwrap();
        let JournalEntry::Preview { file, .. } = entry else { panic!("{entry:?}") };
        assert_eq!(steps(folder.path()), [1, 2, 3, 3]);

        let mut log = RunLog::resume(folder.path(), 2).unwrap();
        log.record(&JournalEntry::Resumed { step: 2, device: "cpu".to_owned() }).unwrap();
        log.record(&step(3)).unwrap();
        assert_eq!(steps(folder.path()), [1, 2, 2, 3]);

        RunLog::start(folder.path()).unwrap();
        assert!(steps(folder.path()).is_empty() && !folder.path().join(file).exists());
        let logs = std::fs::read_dir(folder.path().join(TensorBoardLog::FOLDER)).unwrap();
        assert_eq!(logs.count(), 3, "one event file for each start");
    }
}
