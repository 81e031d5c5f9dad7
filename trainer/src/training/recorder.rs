//! Writes down what happens: journal, TensorBoard, preview sheets, and the report at the end.

use std::path::PathBuf;

use common::net::StyleNet;
use tch::Device;

use super::TrainingError;
use crate::journal::{Journal, JournalEntry};
use crate::preview::{self, PreviewPhotos};
use crate::report;
use crate::run_folder::RunFolder;
use crate::run_record::RunRecord;
use crate::tensorboard::TensorBoardLog;

/// Writes down what happens in one run.
pub(super) struct Recorder {
    folder: PathBuf,
    name: String,
    journal: Journal,
    tensorboard: TensorBoardLog,
    preview_photos: PreviewPhotos,
}

impl Recorder {
    /// Starts the records of a run, or goes on with them from what was true after `resumed_after`.
    pub(super) fn start(
        run: &RunFolder,
        preview_photos: PreviewPhotos,
        resumed_after: Option<u64>,
    ) -> Result<Self, TrainingError> {
        let journal = match resumed_after {
            None => Journal::create(run.path())?,
            Some(step) => Journal::resume(run.path(), step)?,
        };
        let tensorboard = TensorBoardLog::start(run.path(), resumed_after)?;
        Ok(Self {
            folder: run.path().to_owned(),
            name: run.name().to_owned(),
            journal,
            tensorboard,
            preview_photos,
        })
    }

    /// Writes an entry into the journal and its numbers for TensorBoard.
    pub(super) fn record(&mut self, entry: &JournalEntry) -> Result<(), TrainingError> {
        self.journal.append(entry)?;
        self.tensorboard.add(entry)?;
        Ok(())
    }

    /// Paints the preview photos and lays them out on a sheet. `None` where there are no photos.
    pub(super) fn preview(
        &mut self,
        step: u64,
        net: &StyleNet,
        device: Device,
    ) -> Result<Option<JournalEntry>, TrainingError> {
        let Some(sheet) = self.preview_photos.sheet(device, |photo| net.forward(photo)) else {
            return Ok(None);
        };
        let file = preview::write(&self.folder, step, &sheet)?;
        self.tensorboard.add_preview(step, &sheet)?;
        Ok(Some(JournalEntry::Preview { step, file }))
    }

    /// Writes the whole run on one page.
    pub(super) fn write_report(&self) -> Result<(), TrainingError> {
        report::write(&RunRecord::read(&self.folder, &self.name)?)?;
        Ok(())
    }
}
