//! A film that is half done: encoded segments beside the output, and a note of what they are.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use film::{Segment, TimeBase};
use pixel::atomic_file;
use serde::{Deserialize, Serialize};

const NOTE: &str = "job.json";

/// What decides how the film looks: a half-done one goes on only with the same.
pub(super) type Settings = BTreeMap<String, String>;

/// What has been done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Note {
    settings: Settings,
    time_base: Option<(u32, u32)>,
    segments: Vec<NotedSegment>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct NotedSegment {
    name: String,
    first_ticks: i64,
    /// When the frame after its last one would be shown.
    ends_ticks: i64,
    frames: u64,
}

/// A segment that has been written to its end, though not yet under its name.
#[derive(Debug)]
pub(super) struct WrittenSegment {
    pub(super) written: PathBuf,
    pub(super) segment: Segment,
    /// When the frame after its last one would be shown.
    pub(super) ends_ticks: i64,
    pub(super) frames: u64,
}

/// The folder with the segments. Whatever ends the program, those that it notes are whole.
#[derive(Debug)]
pub(super) struct WorkFolder {
    folder: PathBuf,
    note: Note,
}

impl WorkFolder {
    /// `film.mp4` is made in `film.mp4.parts`.
    pub(super) fn path_for(output: &Path) -> PathBuf {
        let mut name = output.file_name().unwrap_or_default().to_owned();
        name.push(".parts");
        output.with_file_name(name)
    }

    /// Begins anew; what was there is thrown away.
    pub(super) fn begin(output: &Path, settings: Settings) -> anyhow::Result<Self> {
        let folder = Self::path_for(output);
        if folder.exists() {
            fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
        }
        fs::create_dir_all(&folder)
            .with_context(|| format!("cannot make the folder {}", folder.display()))?;
        let this = Self { folder, note: Note { settings, time_base: None, segments: Vec::new() } };
        this.write_note()?;
        Ok(this)
    }

    /// Goes on with what is there, if it was begun with the same settings.
    ///
    /// # Errors
    /// It was not, or its note cannot be read.
    pub(super) fn resume(output: &Path, settings: &Settings) -> anyhow::Result<Self> {
        let folder = Self::path_for(output);
        let path = folder.join(NOTE);
        let note = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let note: Note = serde_json::from_slice(&note).with_context(|| {
            format!("not a note of ours; begin anew with --overwrite: {}", path.display())
        })?;
        let changed = settings.iter().find(|(key, value)| note.settings.get(*key) != Some(value));
        if let Some((key, value)) = changed {
            let before = note.settings.get(key).map_or("nothing", String::as_str);
            bail!(
                "it was begun with {key} {before}, not {value}; give the same again, or begin anew with --overwrite: {}",
                folder.display()
            );
        }
        let is_there = |segment: &NotedSegment| folder.join(&segment.name).is_file();
        if let Some(lost) = note.segments.iter().find(|segment| !is_there(segment)) {
            bail!("a part is missing; begin anew with --overwrite: {}", folder.join(&lost.name).display());
        }
        Ok(Self { folder, note })
    }

    /// Whether no segment has been noted in this folder.
    pub(super) fn is_empty(folder: &Path) -> bool {
        let note =
            fs::read(folder.join(NOTE)).ok().and_then(|note| serde_json::from_slice::<Note>(&note).ok());
        note.is_none_or(|note| note.segments.is_empty())
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Frames that are done.
    pub(super) fn frames(&self) -> u64 {
        self.note.segments.iter().map(|segment| segment.frames).sum()
    }

    /// What the segments' times are counted in, and after how many seconds the last one ends; `None` before the first.
    pub(super) fn extent(&self) -> Option<(TimeBase, f64)> {
        let (numerator, denominator) = self.note.time_base?;
        let base = TimeBase { numerator, denominator };
        Some((base, base.seconds(self.note.segments.last()?.ends_ticks)))
    }

    pub(super) fn segments(&self) -> Vec<Segment> {
        let segments = self.note.segments.iter();
        segments.map(|it| Segment { name: it.name.clone(), first_ticks: it.first_ticks }).collect()
    }

    /// The file that the next segment is written to, and its name when it is done.
    pub(super) fn next_segment(&self, place: usize) -> (PathBuf, String) {
        let name = format!("{place:05}.nut");
        (self.folder.join(format!("{name}.unfinished")), name)
    }

    /// A segment is whole: it takes its name, and is noted.
    pub(super) fn add(&mut self, whole: WrittenSegment, base: TimeBase) -> anyhow::Result<()> {
        let WrittenSegment { written, segment: Segment { name, first_ticks }, ends_ticks, frames } = whole;
        let path = self.folder.join(&name);
        fs::rename(written, &path).with_context(|| format!("cannot rename to {}", path.display()))?;
        self.note.time_base = Some((base.numerator, base.denominator));
        self.note.segments.push(NotedSegment { name, first_ticks, ends_ticks, frames });
        self.write_note()
    }

    /// The film is done.
    pub(super) fn remove(self) -> anyhow::Result<()> {
        fs::remove_dir_all(&self.folder).with_context(|| format!("cannot remove {}", self.folder.display()))
    }

    fn write_note(&self) -> anyhow::Result<()> {
        let json = serde_json::to_vec_pretty(&self.note)?;
        Ok(atomic_file::write(self.folder.join(NOTE), &json)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: TimeBase = TimeBase { numerator: 1, denominator: 25 };

    fn settings(strength: &str) -> Settings {
        [("strength".to_owned(), strength.to_owned())].into()
    }

    #[test]
    fn what_is_noted_is_gone_on_with() {
        let folder = tempfile::tempdir().unwrap();
        let output = folder.path().join("a.mp4");
        let mut work = WorkFolder::begin(&output, settings("1")).unwrap();
        assert_eq!(work.extent(), None);
        let (written, name) = work.next_segment(0);
        fs::write(&written, "x").unwrap();
        let segment = Segment { name, first_ticks: 3 };
        work.add(WrittenSegment { written, segment, ends_ticks: 250, frames: 240 }, BASE).unwrap();
        // Another was not finished.
        fs::write(work.next_segment(1).0, "y").unwrap();
        let again = WorkFolder::resume(&output, &settings("1")).unwrap();
        assert_eq!((again.frames(), again.segments()), (240, work.segments()));
        assert_eq!(again.extent(), Some((BASE, 10.0)));

        let error = WorkFolder::resume(&output, &settings("0.5")).unwrap_err().to_string();
        assert!(error.contains("begun with strength 1, not 0.5"), "{error}");
        fs::remove_file(folder.path().join("a.mp4.parts/00000.nut")).unwrap();
        assert!(WorkFolder::resume(&output, &settings("1")).unwrap_err().to_string().contains("missing"));
        again.remove().unwrap();
        assert!(!WorkFolder::path_for(&output).exists());
    }

    #[test]
    fn beginning_anew_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let output = folder.path().join("a.mp4");
        fs::create_dir(WorkFolder::path_for(&output)).unwrap();
        fs::write(WorkFolder::path_for(&output).join("00000.nut"), "old").unwrap();
        assert!(WorkFolder::resume(&output, &settings("1")).is_err(), "there is no note");
        let work = WorkFolder::begin(&output, settings("1")).unwrap();
        assert_eq!((work.frames(), work.folder().join("00000.nut").exists()), (0, false));
    }
}
