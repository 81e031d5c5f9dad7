//! Where painted frames go: segments of a film, a film in one go, or picture files.

use std::path::{Path, PathBuf};
use std::thread::{self, JoinHandle};

use anyhow::Context as _;
use film::{EncodeTarget, Encoder, Encoding, FilmError, FilmShape, FrameRate, Programs, Segment};
use pixel::{EncodeOptions, Format, Picture};

use super::numbered::Numbered;
use super::work_folder::{WorkFolder, WrittenSegment};

/// Frames of a segment: what is lost at most when the program is killed, and as many as make the start of an encoder not
/// count.
const SEGMENT_FRAMES: u64 = 240;

/// Takes painted frames in their order.
pub(super) enum FrameSink {
    Segments(Box<Segments>),
    /// A film of pictures alone, a file or stdout.
    Stream(Box<Encoder>),
    Pictures(PictureTargets),
}

/// Picture files, one for each frame.
pub(super) struct PictureTargets {
    pub(super) names: PictureNames,
    /// Frames that have been written.
    pub(super) written: u64,
}

/// How the files of frames are called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PictureNames {
    /// From 1 on.
    Numbered(Numbered),
    /// One for each frame.
    Given(Vec<PathBuf>),
}

impl PictureNames {
    /// The folder that they lie in.
    pub(super) fn folder(&self) -> &Path {
        match self {
            Self::Numbered(numbered) => numbered.folder(),
            Self::Given(paths) => paths.first().and_then(|path| path.parent()).unwrap_or(Path::new("")),
        }
    }

    /// The file of a frame, counted from 0.
    pub(super) fn path(&self, frame: u64) -> Option<PathBuf> {
        match self {
            Self::Numbered(numbered) => Some(numbered.path(frame + 1)),
            Self::Given(paths) => paths.get(frame as usize).cloned(),
        }
    }
}

impl FrameSink {
    pub(super) fn write(&mut self, picture: &Picture, ticks: i64) -> anyhow::Result<()> {
        match self {
            Self::Segments(segments) => segments.write(picture, ticks),
            Self::Stream(encoder) => Ok(encoder.write(picture, ticks)?),
            Self::Pictures(pictures) => pictures.write(picture),
        }
    }

    /// No more frames come. Segments leave a folder to be assembled, which holds those that are whole whether all went well
    /// or not.
    pub(super) fn finish(self) -> (Option<WorkFolder>, anyhow::Result<()>) {
        match self {
            Self::Segments(segments) => {
                let (work, ended) = segments.finish();
                (Some(work), ended)
            }
            Self::Stream(encoder) => (None, encoder.finish().map_err(Into::into)),
            Self::Pictures(_) => (None, Ok(())),
        }
    }
}

impl PictureTargets {
    fn write(&mut self, picture: &Picture) -> anyhow::Result<()> {
        let path = self.names.path(self.written).context("more frames than names for them")?;
        let format = Format::from_path(&path)?;
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder)
                .with_context(|| format!("cannot make the folder {}", folder.display()))?;
        }
        pixel::write_file(picture, &path, EncodeOptions { format, exif: None })?;
        self.written += 1;
        Ok(())
    }
}

/// Segments, each by an encoder of its own. While one encoder still writes its last frames, the next one begins.
pub(super) struct Segments {
    programs: Programs,
    encoding: Encoding,
    shape: FilmShape,
    work: WorkFolder,
    open: Option<OpenSegment>,
    closing: Option<ClosingSegment>,
    /// Segments that were begun, with those of an earlier run.
    begun: usize,
    /// When the last frame was shown.
    last_ticks: Option<i64>,
    /// A segment is missing: what comes behind it cannot be kept.
    has_failed: bool,
}

struct OpenSegment {
    encoder: Encoder,
    part: WrittenSegment,
}

struct ClosingSegment {
    ends: JoinHandle<Result<(), FilmError>>,
    part: WrittenSegment,
}

impl Segments {
    pub(super) fn new(programs: Programs, encoding: Encoding, shape: FilmShape, work: WorkFolder) -> Self {
        let begun = work.segments().len();
        let (open, closing, last_ticks) = (None, None, None);
        Self { programs, encoding, shape, work, open, closing, begun, last_ticks, has_failed: false }
    }

    fn write(&mut self, picture: &Picture, ticks: i64) -> anyhow::Result<()> {
        let written = self.try_write(picture, ticks);
        self.has_failed |= written.is_err();
        written
    }

    fn try_write(&mut self, picture: &Picture, ticks: i64) -> anyhow::Result<()> {
        if self.open.as_ref().is_some_and(|open| open.part.frames == SEGMENT_FRAMES) {
            self.close()?;
        }
        if self.closing.as_ref().is_some_and(|closing| closing.ends.is_finished()) {
            self.await_closing()?;
        }
        if self.open.is_none() {
            let (written, name) = self.work.next_segment(self.begun);
            let target = EncodeTarget::Segment(&written);
            let encoder = Encoder::start(&self.programs, self.shape, &self.encoding, target)?;
            self.begun += 1;
            let segment = Segment { name, first_ticks: ticks };
            self.open = Some(OpenSegment {
                encoder,
                part: WrittenSegment { written, segment, ends_ticks: ticks, frames: 0 },
            });
        }
        // The last frame is taken to last as long as the one before it.
        let lasts = self.last_ticks.map_or_else(|| self.usual_ticks(), |last| ticks - last);
        self.last_ticks = Some(ticks);
        let OpenSegment { encoder, part } = self.open.as_mut().expect("just begun");
        encoder.write(picture, ticks)?;
        part.frames += 1;
        part.ends_ticks = ticks + lasts;
        Ok(())
    }

    /// How long a frame lasts, about.
    fn usual_ticks(&self) -> i64 {
        let rate = self.shape.rate.map_or(25.0, FrameRate::per_second);
        (1.0 / rate / self.shape.time_base.seconds(1)).round() as i64
    }

    /// Lets the open segment come to its end, while others go on.
    fn close(&mut self) -> anyhow::Result<()> {
        self.await_closing()?;
        let Some(OpenSegment { encoder, part }) = self.open.take() else { return Ok(()) };
        let ends = thread::Builder::new().name("end-segment".into()).spawn(move || encoder.finish())?;
        self.closing = Some(ClosingSegment { ends, part });
        Ok(())
    }

    fn await_closing(&mut self) -> anyhow::Result<()> {
        let Some(ClosingSegment { ends, part }) = self.closing.take() else { return Ok(()) };
        ends.join().expect("ending a segment does not panic")?;
        self.work.add(part, self.shape.time_base)
    }

    fn finish(mut self) -> (WorkFolder, anyhow::Result<()>) {
        if self.has_failed {
            self.open = None;
            // The one before it may be whole. That something failed has been told.
            let _ = self.await_closing();
            return (self.work, Ok(()));
        }
        let ended = self.close().and_then(|()| self.await_closing());
        (self.work, ended)
    }
}
