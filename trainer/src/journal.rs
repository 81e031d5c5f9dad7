//! The journal of a training: everything that happened, in order, a JSON object on a line for each entry.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use common::loss::LossValues;
use serde::{Deserialize, Serialize};

/// Something that happened in a training. What the run's report shows and `--json` prints is made of these alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum JournalEntry {
    /// A training began, at step 0.
    Started {
        /// The device, as `cpu` or `cuda:0`.
        device: String,
        /// Name and version of the software.
        software: String,
        /// The painting, for people: see [`StyleCard::caption`](common::style_file::StyleCard::caption).
        painting: String,
    },
    /// A step was taken, and its losses looked at.
    Step {
        /// From 1.
        step: u64,
        /// Its learning rate.
        learning_rate: f64,
        /// Photos per second since the entry before it.
        images_per_s: f64,
        /// The losses of its batch, before the parameters moved.
        losses: LossValues,
    },
    /// The validation photos were painted after a step.
    Validation {
        /// The step; 0 for the photos themselves, unpainted.
        step: u64,
        /// The mean losses.
        losses: LossValues,
        /// How many photos.
        photos: usize,
    },
    /// A sheet of previews was written after a step.
    Preview {
        /// The step.
        step: u64,
        /// The picture file, relative to the run folder, with `/`.
        file: String,
    },
    /// A training went on from what was stored after a step.
    Resumed {
        /// The step.
        step: u64,
        /// The device that it went on, as `cpu` or `cuda:0`.
        device: String,
    },
}

impl JournalEntry {
    /// The step that the entry belongs to; 0 for what comes before the first.
    pub fn step(&self) -> u64 {
        match self {
            Self::Started { .. } => 0,
            Self::Step { step, .. }
            | Self::Validation { step, .. }
            | Self::Preview { step, .. }
            | Self::Resumed { step, .. } => *step,
        }
    }

    /// The entry as JSON on one line, without the line's end. Numbers are expected to be finite: JSON knows no others.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("an entry holds nothing that JSON cannot")
    }
}

/// A journal that cannot be kept or read.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The file system refused a read.
    #[error("cannot read the journal: {cause}: {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// The file system refused a write.
    #[error("cannot write the journal: {cause}: {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// A line, and not the last one, is no entry.
    #[error("line {line} of the journal is not understood ({reason}): {}", path.display())]
    BadLine {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
}

/// A journal that is being kept.
///
/// Each entry is one write, so that a program that is killed leaves at most one cut line, the last, which readers pass
/// over: a line counts from the moment that its end is there.
pub struct Journal {
    path: PathBuf,
    file: File,
}

impl Journal {
    /// The journal's name in the run folder.
    pub const FILE_NAME: &'static str = "journal.jsonl";

    /// Starts an empty journal in the run folder; one that is there is replaced.
    ///
    /// # Errors
    /// The file cannot be made.
    pub fn create(run_folder: &Path) -> Result<Self, JournalError> {
        let path = run_folder.join(Self::FILE_NAME);
        match File::create(&path) {
            Ok(file) => Ok(Self { path, file }),
            Err(cause) => Err(JournalError::Write { path, cause }),
        }
    }

    /// Goes on with the journal of the run folder from what was true after `step`: see [`truncate_after`]. A journal
    /// that is not there is begun.
    ///
    /// # Errors
    /// The file cannot be read, understood or written.
    pub fn resume(run_folder: &Path, step: u64) -> Result<Self, JournalError> {
        let path = run_folder.join(Self::FILE_NAME);
        if path.exists() {
            truncate_after(&path, step)?;
        }
        match OpenOptions::new().append(true).create(true).open(&path) {
            Ok(file) => Ok(Self { path, file }),
            Err(cause) => Err(JournalError::Write { path, cause }),
        }
    }

    /// Adds an entry.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn append(&mut self, entry: &JournalEntry) -> Result<(), JournalError> {
        let mut line = entry.to_json();
        line.push('\n');
        self.file
            .write_all(line.as_bytes())
            .map_err(|cause| JournalError::Write { path: self.path.clone(), cause })
    }
}

/// All entries of a journal; a cut last line is passed over.
///
/// # Errors
/// The file cannot be read, or a whole line in it is no entry.
pub fn read(path: &Path) -> Result<Vec<JournalEntry>, JournalError> {
    let text = read_whole(path)?;
    whole_lines(&text)
        .enumerate()
        .map(|(index, line)| {
            serde_json::from_slice(line).map_err(|error| JournalError::BadLine {
                path: path.to_owned(),
                line: index + 1,
                reason: error.to_string(),
            })
        })
        .collect()
}

/// Drops the entries of later steps than `step`, and a cut last line: what a training forgets when it goes on from what
/// was stored after `step`. The lines that stay do so byte for byte; the file is replaced at once or not at all.
///
/// Entries of `step` itself stay, so a training stores its state only after it has written them. Then the journal of a
/// resumed training is that of an uninterrupted one, but for times and [`JournalEntry::Resumed`].
///
/// # Errors
/// The file cannot be read, understood or written; it is then as it was.
pub fn truncate_after(path: &Path, step: u64) -> Result<(), JournalError> {
    let entries = read(path)?;
    let text = read_whole(path)?;
    let kept: Vec<u8> = whole_lines(&text)
        .zip(entries)
        .filter(|(_, entry)| entry.step() <= step)
        .flat_map(|(line, _)| [line, b"\n"])
        .flatten()
        .copied()
        .collect();
    if kept == text {
        return Ok(());
    }
    pixel::atomic_file::write(path, &kept)
        .map_err(|error| JournalError::Write { path: error.path, cause: error.cause })
}

fn read_whole(path: &Path) -> Result<Vec<u8>, JournalError> {
    std::fs::read(path).map_err(|cause| JournalError::Read { path: path.to_owned(), cause })
}

/// The lines that have an end, without it.
fn whole_lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split_inclusive(|&byte| byte == b'\n').filter_map(|line| line.strip_suffix(b"\n"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn losses(value: f64) -> LossValues {
        let layer = "relu4_2".parse().unwrap();
        LossValues {
            total: value,
            content: value / 3.0,
            style: value / 7.0,
            total_variation: value * 1e-9,
            grid_pattern: (value > 4.0).then_some(value * 1e-5),
            temporal: (value > 1.0).then_some(value * 1e-3),
            temporal_features: (value > 2.0).then_some(value * 1e-2),
            photorealism: (value > 3.0).then_some(value * 1e-4),
            content_layers: BTreeMap::from([(layer, value / 3.0)]),
            style_layers: BTreeMap::from([(layer, value / 7.0)]),
        }
    }

    fn started() -> JournalEntry {
        JournalEntry::Started {
            device: "cpu".to_owned(),
            software: "atelier 0".to_owned(),
            painting: "Wave\n\"é\"".to_owned(),
        }
    }

    /// What a training says of its steps from `first` to `last`, a preview after every third.
    fn steps(first: u64, last: u64) -> Vec<JournalEntry> {
        (first..=last)
            .flat_map(|step| {
                let entry = JournalEntry::Step {
                    step,
                    learning_rate: 0.1,
                    images_per_s: 3.5,
                    losses: losses(1e6 / step as f64),
                };
                let preview = JournalEntry::Preview { step, file: format!("previews/{step}.png") };
                std::iter::once(entry).chain((step % 3 == 0).then_some(preview))
            })
            .collect()
    }

    fn write(folder: &Path, entries: &[JournalEntry]) -> PathBuf {
        let mut journal = Journal::create(folder).unwrap();
        for entry in entries {
            journal.append(entry).unwrap();
        }
        folder.join(Journal::FILE_NAME)
    }

    #[test]
    fn entries_are_read_as_they_were_written() {
        let folder = tempfile::tempdir().unwrap();
        let mut entries = vec![started()];
        entries.extend(steps(1, 4));
        entries.push(JournalEntry::Validation { step: 4, losses: losses(2.0), photos: 5 });
        entries.push(JournalEntry::Resumed { step: 4, device: "cuda:0".to_owned() });
        let path = write(folder.path(), &entries);
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().count(), entries.len());
        assert!(text.contains(r#"{"event":"resumed","step":4,"device":"cuda:0"}"#), "{text}");
        assert!(text.contains(r#""style_layers":{"relu4_2":"#), "{text}");
        let found = read(&path).unwrap();
        let steps_of = |entries: &[JournalEntry]| entries.iter().map(JournalEntry::step).collect::<Vec<_>>();
        assert_eq!(steps_of(&found), steps_of(&entries));
        assert_eq!(found[0], entries[0]);
    }

    #[test]
    fn a_line_that_is_no_entry_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(Journal::FILE_NAME);
        std::fs::write(&path, format!("{}\n{{\"event\":\"dance\"}}\n", started().to_json())).unwrap();
        let message = read(&path).unwrap_err().to_string();
        assert!(message.contains("line 2") && message.contains("dance"), "{message}");
        assert!(!message.contains('\n') && message.ends_with("journal.jsonl"), "{message}");
    }

    #[test]
    fn a_journal_that_is_not_there_is_an_error_to_read_and_begun_on_resume() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(Journal::FILE_NAME);
        assert!(matches!(read(&path), Err(JournalError::Read { .. })));
        Journal::resume(folder.path(), 7).unwrap().append(&started()).unwrap();
        assert_eq!(read(&path).unwrap(), [started()]);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("/dev/full", folder.path().join(Journal::FILE_NAME)).unwrap();
        let error = Journal::create(folder.path()).unwrap().append(&started()).unwrap_err();
        assert!(error.to_string().starts_with("cannot write the journal: No space left"), "{error}");
    }

    proptest! {
        #[test]
        fn a_cut_file_loses_only_the_line_that_was_cut(last in 0u64..8, cut in 0.0..1.0f64) {
            let folder = tempfile::tempdir().unwrap();
            let mut entries = vec![started()];
            entries.extend(steps(1, last));
            let path = write(folder.path(), &entries);
            let bytes = std::fs::read(&path).unwrap();
            let length = (cut * bytes.len() as f64) as usize;
            std::fs::write(&path, &bytes[..length]).unwrap();
            let whole = bytes[..length].split(|&byte| byte == b'\n').count() - 1;
            let found = read(&path).unwrap();
            prop_assert_eq!(found.len(), whole);
            // What comes next is not glued to the cut line.
            Journal::resume(folder.path(), u64::MAX).unwrap().append(&started()).unwrap();
            let after = read(&path).unwrap();
            prop_assert_eq!(&after[..whole], &found[..]);
            prop_assert_eq!(&after[whole..], &[started()]);
        }

        #[test]
        fn a_resumed_journal_is_that_of_an_uninterrupted_run(
            last in 1u64..12, stored_at in 0.0..1.0f64, killed_at in 0.0..1.0f64,
        ) {
            let (straight, resumed) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
            let mut entries = vec![started()];
            entries.extend(steps(1, last));
            let expected = std::fs::read(write(straight.path(), &entries)).unwrap();

            let path = write(resumed.path(), &entries);
            let stored = (stored_at * last as f64) as u64;
            // Killed somewhere after the entries up to `stored` were written.
            let safe: usize = entries
                .iter()
                .filter(|entry| entry.step() <= stored)
                .map(|entry| entry.to_json().len() + 1)
                .sum();
            let length = safe + (killed_at * (expected.len() - safe) as f64) as usize;
            std::fs::write(&path, &expected[..length]).unwrap();
            let mut journal = Journal::resume(resumed.path(), stored).unwrap();
            for entry in steps(stored + 1, last) {
                journal.append(&entry).unwrap();
            }
            prop_assert_eq!(std::fs::read(&path).unwrap(), expected);
        }
    }
}
