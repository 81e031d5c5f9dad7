//! Segments, and what went along with the film's pictures, to one file.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Stdio;

use crate::child::FfmpegChild;
use crate::container::Passage;
use crate::programs::as_file;
use crate::{Container, Encoding, FilmError, FilmInfo, OtherStream, Programs, StreamKind, TimeBase};

/// A part of a film that has been encoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// The file, without folder: it lies where the list of them is written.
    pub name: String,
    /// When its first frame is shown.
    pub first_ticks: i64,
}

/// What makes a file of segments.
pub struct Assembly<'a> {
    /// Where the segments lie.
    pub folder: &'a Path,
    /// All of them, in their order; at least one.
    pub segments: &'a [Segment],
    /// The unit of their times.
    pub time_base: TimeBase,
    /// How they were encoded.
    pub encoding: &'a Encoding,
    /// The film whose sound, subtitles, chapters and tags go along.
    pub original: Option<Original<'a>>,
    /// Seconds after which the file ends, where the film was not painted to its end.
    pub ends_after_s: Option<f64>,
    /// The kind of file.
    pub container: Container,
    /// The file, which is replaced.
    pub target: &'a Path,
}

/// The film that was painted.
#[derive(Clone, Copy)]
pub struct Original<'a> {
    /// What is known of it.
    pub info: &'a FilmInfo,
    /// Seconds that were passed over.
    pub start_s: Option<f64>,
    /// Seconds that were taken.
    pub duration_s: Option<f64>,
}

/// Something that did not go along as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note(String);

impl std::fmt::Display for Note {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl Assembly<'_> {
    /// Writes the file. What does not fit into the container as it is, is converted or left out, and noted.
    ///
    /// # Errors
    /// ffmpeg did not end well.
    pub fn write(&self, programs: &Programs) -> Result<Vec<Note>, FilmError> {
        let list = self.folder.join("segments.ffconcat");
        fs::write(&list, self.list()).map_err(|cause| FilmError::Write { cause, path: list.clone() })?;
        let mut command = programs.ffmpeg();
        command.args(["-loglevel", "level+warning"]);
        let offset_s = self.segments.first().map_or(0.0, |first| self.time_base.seconds(first.first_ticks));
        command
            .args(["-itsoffset", &format!("{offset_s:.9}"), "-f", "concat", "-safe", "0", "-i"])
            .arg(as_file(&list));
        let mut notes = Vec::new();
        if let Some(Original { info, start_s, duration_s }) = self.original {
            for (option, seconds) in [("-ss", start_s), ("-t", duration_s)] {
                if let Some(seconds) = seconds {
                    command.args([option, &format!("{seconds:.6}")]);
                }
            }
            command.arg("-i").arg(as_file(&info.path)).args(["-map", "0:v:0"]);
            notes = self.pass_on(&info.others, &mut command);
            command.args(["-map_metadata", "1", "-map_chapters", "1"]);
        } else {
            command.args(["-map", "0:v:0"]);
        }
        command.args(["-c:v", "copy"]);
        if let Some(seconds) = self.ends_after_s {
            command.args(["-t", &format!("{seconds:.6}")]);
        }
        if matches!(self.container, Container::Mp4 | Container::Mov) {
            command.args(["-movflags", "+faststart"]);
            if let Some(tag) = self.encoding.tag() {
                command.args(["-tag:v", tag]);
            }
            if self.time_base.numerator == 1 {
                command.args(["-video_track_timescale", &self.time_base.denominator.to_string()]);
            }
        }
        command.args(["-f", self.container.muxer()]).arg(as_file(self.target));
        command.stdin(Stdio::null()).stdout(Stdio::null());
        FfmpegChild::start(command, "was putting the film together", |_| false)?.finish()?;
        Ok(notes)
    }

    /// The segments, each with how long it lasts; roundings do not add up.
    fn list(&self) -> String {
        let microseconds = |ticks| self.time_base.nanoseconds(ticks).div_euclid(1000);
        let mut list = "ffconcat version 1.0\n".to_owned();
        for (index, segment) in self.segments.iter().enumerate() {
            // Names are ours: digits and a suffix.
            let _ = writeln!(list, "file {}", segment.name);
            if let Some(next) = self.segments.get(index + 1) {
                let duration = microseconds(next.first_ticks) - microseconds(segment.first_ticks);
                let _ = writeln!(list, "duration {duration}us");
            }
        }
        list
    }

    fn pass_on(&self, streams: &[OtherStream], command: &mut std::process::Command) -> Vec<Note> {
        let mut notes = Vec::new();
        let mut places = [0u32; 3];
        for stream in streams {
            let (place, letter, what) = match stream.kind {
                StreamKind::Audio => (&mut places[0], 'a', "sound"),
                StreamKind::Subtitle => (&mut places[1], 's', "subtitles"),
                StreamKind::Attachment => (&mut places[2], 't', "an attachment"),
            };
            let (container, codec) = (self.container, &stream.codec);
            let encoder = match container.passage(stream) {
                Passage::Copied => "copy",
                Passage::Converted(encoder) => {
                    notes.push(Note(format!(
                        "{what} in {codec} became {encoder}, which fits into {container}"
                    )));
                    encoder
                }
                Passage::LeftOut => {
                    notes.push(Note(format!(
                        "{what} in {codec} does not fit into {container} and was left out"
                    )));
                    continue;
                }
            };
            command.args(["-map", &format!("1:{}", stream.index)]);
            command.args([&format!("-c:{letter}:{place}"), encoder]);
            *place += 1;
        }
        notes
    }
}
