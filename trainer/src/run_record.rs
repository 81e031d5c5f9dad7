//! All that a run folder tells of its training, read back for the report and the summary.

use std::io;
use std::path::{Path, PathBuf};

use common::loss::LossValues;
use common::style_file::{self, StyleCard, StyleFileError};

use crate::journal::{self, Journal, JournalEntry, JournalError};
use crate::run_folder::RunFolder;

/// All that a run folder tells of its training, finished or not.
pub struct RunRecord {
    /// The run folder.
    pub folder: PathBuf,
    /// The run's name.
    pub name: String,
    /// `config.toml`, as it is.
    pub config_toml: String,
    /// What happened, in order.
    pub journal: Vec<JournalEntry>,
    /// The card of the style file; `None` before the first was written.
    pub card: Option<StyleCard>,
    /// How many photos could not be used.
    pub skipped_photos: usize,
}

/// A run folder that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum RunRecordError {
    /// The journal cannot be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The style file cannot be read.
    #[error(transparent)]
    StyleFile(#[from] StyleFileError),
    /// Another file cannot be read.
    #[error("cannot read the run: {cause}: {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
}

impl RunRecord {
    /// Reads the run folder `folder` of the run `name`. Only the journal has to be there.
    ///
    /// # Errors
    /// A file that is there cannot be read or understood, or there is no journal.
    pub fn read(folder: &Path, name: &str) -> Result<Self, RunRecordError> {
        Ok(Self {
            folder: folder.to_owned(),
            name: name.to_owned(),
            config_toml: read_if_there(&folder.join("config.toml"))?,
            journal: journal::read(&folder.join(Journal::FILE_NAME))?,
            card: card_in(folder, name)?,
            skipped_photos: read_if_there(&folder.join("skipped.txt"))?.lines().count(),
        })
    }

    /// The painting, for people.
    pub fn painting(&self) -> String {
        let started = self.journal.iter().find_map(|entry| match entry {
            JournalEntry::Started { painting, .. } => Some(painting.clone()),
            _ => None,
        });
        self.card.as_ref().map(StyleCard::caption).or(started).unwrap_or_else(|| self.name.clone())
    }

    /// The last step in the journal; 0 before the first.
    pub fn last_step(&self) -> u64 {
        self.journal.iter().map(JournalEntry::step).max().unwrap_or(0)
    }

    /// The losses of the validation photos themselves and of the last painting of them, as far as the run has them.
    pub fn validation(&self) -> (Option<&LossValues>, Option<&LossValues>) {
        let validations = || {
            self.journal.iter().filter_map(|entry| match entry {
                JournalEntry::Validation { step, losses, .. } => Some((*step, losses)),
                _ => None,
            })
        };
        let outcome = self.card.as_ref().and_then(|card| card.outcome.as_ref());
        let photos = validations().find(|(step, _)| *step == 0).map(|(_, losses)| losses);
        let painted = validations().rfind(|(step, _)| *step > 0).map(|(_, losses)| losses);
        (
            photos.or(outcome.and_then(|outcome| outcome.validation_of_photos.as_ref())),
            painted.or(outcome.and_then(|outcome| outcome.validation.as_ref())),
        )
    }

    /// The losses of the first and the last batch that were looked at.
    pub fn batches(&self) -> Option<(&LossValues, &LossValues)> {
        let mut steps = self.journal.iter().filter_map(|entry| match entry {
            JournalEntry::Step { losses, .. } => Some(losses),
            _ => None,
        });
        let first = steps.next()?;
        Some((first, steps.next_back().unwrap_or(first)))
    }
}

/// The card of the style file that the run `name` in `folder` writes with each checkpoint; `None` before the first.
///
/// # Errors
/// There is a style file, and it cannot be read.
pub fn card_in(folder: &Path, name: &str) -> Result<Option<StyleCard>, StyleFileError> {
    let style_file = RunFolder::style_file_in(folder, name);
    style_file.exists().then(|| style_file::load_card(&style_file)).transpose()
}

fn read_if_there(path: &Path) -> Result<String, RunRecordError> {
    match std::fs::read_to_string(path) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => {
            Err(RunRecordError::File { path: path.to_owned(), cause })
        }
        text => Ok(text.unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use common::net::{NetConfig, Parameters, Start, StyleNet};
    use common::style_file::{Outcome, Painting};
    use common::tensor_file::StoredAs;
    use tch::Device;

    use super::*;

    fn losses(total: f64) -> LossValues {
        LossValues { total, ..LossValues::default() }
    }

    #[test]
    fn only_the_journal_has_to_be_there() {
        let folder = tempfile::tempdir().unwrap();
        let message = RunRecord::read(folder.path(), "wave").err().unwrap().to_string();
        assert!(message.contains("journal.jsonl"), "{message}");
        Journal::create(folder.path()).unwrap();
        let record = RunRecord::read(folder.path(), "wave").unwrap();
        assert_eq!((record.painting().as_str(), record.last_step(), record.skipped_photos), ("wave", 0, 0));
        assert!(record.card.is_none() && record.batches().is_none());
    }

    #[test]
    fn validation_is_that_of_the_journal_or_else_of_the_style_file() {
        let folder = tempfile::tempdir().unwrap();
        let config = NetConfig { width: 2, residual_blocks: 1, ..NetConfig::default() };
        let net = StyleNet::new(config.clone(), Parameters::init(&config, Start::PyTorch, 1, Device::Cpu));
        let mut card = StyleCard::new(config, Painting { name: "wave".to_owned(), ..Painting::default() });
        card.outcome = Some(Outcome {
            steps: 9,
            images: 9,
            seconds: 1.0,
            device: "cpu".to_owned(),
            validation: Some(losses(1.0)),
            validation_of_photos: Some(losses(8.0)),
            software: "atelier".to_owned(),
        });
        style_file::save(&folder.path().join("wave.safetensors"), &card, &net, StoredAs::F16).unwrap();
        let mut journal = Journal::create(folder.path()).unwrap();
        let totals = || {
            let record = RunRecord::read(folder.path(), "wave").unwrap();
            let (photos, painted) = record.validation();
            (photos.unwrap().total, painted.unwrap().total)
        };
        assert_eq!(totals(), (8.0, 1.0));
        for (step, total) in [(0, 7.0), (5, 3.0), (9, 2.0)] {
            journal.append(&JournalEntry::Validation { step, losses: losses(total), photos: 4 }).unwrap();
        }
        assert_eq!(totals(), (7.0, 2.0));
    }
}
