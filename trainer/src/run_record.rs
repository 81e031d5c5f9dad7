//! All that a run folder tells of its training, read back for the report and the summary.

use std::io;
use std::path::{Path, PathBuf};

use common::loss::LossValues;
use common::style_file::{self, StyleCard, StyleFileError};

use crate::journal::{self, Journal, JournalEntry, JournalError};

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
        let style_file = folder.join(format!("{name}.safetensors"));
        let card = if style_file.exists() { Some(style_file::load_card(&style_file)?) } else { None };
        Ok(Self {
            folder: folder.to_owned(),
            name: name.to_owned(),
            config_toml: read_if_there(&folder.join("config.toml"))?,
            journal: journal::read(&folder.join(Journal::FILE_NAME))?,
            card,
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
        let painted = validations().filter(|(step, _)| *step > 0).last().map(|(_, losses)| losses);
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
        Some((first, steps.last().unwrap_or(first)))
    }
}

fn read_if_there(path: &Path) -> Result<String, RunRecordError> {
    match std::fs::read_to_string(path) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => {
            Err(RunRecordError::File { path: path.to_owned(), cause })
        }
        text => Ok(text.unwrap_or_default()),
    }
}
