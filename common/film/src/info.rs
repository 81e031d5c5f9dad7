//! What is known of a film before it is decoded.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde::Deserialize;

use crate::colour::{ColourRule, StatedColour};
use crate::programs::as_file;
use crate::{FilmError, FrameRate, Programs, SampleAspect, TimeBase};

/// The most that either side of a film's pictures has.
const LONGEST_SIDE: u32 = 32_768;

/// A film: its pictures, and what goes along with them.
#[derive(Clone, Debug, PartialEq)]
pub struct FilmInfo {
    /// Where it is.
    pub path: PathBuf,
    /// Index of the video stream in the file: the first that is not a cover picture.
    pub stream: u32,
    /// Size of its pictures once they are upright.
    pub size: (u32, u32),
    /// Shape of its pixels once they are upright.
    pub aspect: SampleAspect,
    /// Frames per second on average, where the file knows.
    pub rate: Option<FrameRate>,
    /// The unit that its frames' times are counted in.
    pub time_base: Option<TimeBase>,
    /// Seconds that it lasts, where the file knows.
    pub duration_s: Option<f64>,
    /// How many frames there are, where the file knows; else about how many.
    pub frames: Option<u64>,
    /// What its numbers mean.
    pub colour: ColourRule,
    /// What else there is: sound, subtitles, attachments.
    pub others: Vec<OtherStream>,
}

/// A stream beside the pictures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtherStream {
    /// Its index in the file.
    pub index: u32,
    /// What it holds.
    pub kind: StreamKind,
    /// As ffmpeg calls its codec.
    pub codec: String,
}

/// What a stream beside the pictures holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamKind {
    /// Sound.
    Audio,
    /// Subtitles.
    Subtitle,
    /// A file, such as a font.
    Attachment,
}

impl FilmInfo {
    /// Asks ffprobe.
    ///
    /// # Errors
    /// The file is none that ffmpeg reads, or has no video.
    pub fn probe(programs: &Programs, path: &Path) -> Result<Self, FilmError> {
        let mut command = programs.ffprobe();
        command.args(["-v", "error", "-print_format", "json", "-show_streams", "-show_format", "-i"]);
        let output = command.arg(as_file(path)).stdin(Stdio::null()).output();
        let output = output.map_err(|cause| FilmError::Run { program: "ffprobe", cause })?;
        let unreadable = |words: String| FilmError::Unreadable { words, path: path.to_owned() };
        if !output.status.success() {
            return Err(unreadable(last_words(&output.stderr, &as_file(path))));
        }
        let probed: Probed =
            serde_json::from_slice(&output.stdout).map_err(|error| unreadable(error.to_string()))?;
        probed.into_info(path)
    }
}

/// The line that says why, without the names of the file and of ffmpeg's parts.
fn last_words(stderr: &[u8], path: &Path) -> String {
    let text = String::from_utf8_lossy(stderr);
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    let bare = lines.map(|line| {
        let line = line
            .split_once("] ")
            .map_or(line, |(part, words)| if part.starts_with('[') { words } else { line });
        line.trim().trim_start_matches(&format!("{}: ", path.display())).to_owned()
    });
    let mut lines: Vec<String> = bare.collect();
    lines.dedup();
    let shown = lines.split_off(lines.len().saturating_sub(2));
    if shown.is_empty() { "ffprobe said nothing".to_owned() } else { shown.join("; ") }
}

/// ffprobe's answer. Numbers are text there.
#[derive(Deserialize)]
struct Probed {
    #[serde(default)]
    streams: Vec<ProbedStream>,
    #[serde(default)]
    format: ProbedFormat,
}

#[derive(Default, Deserialize)]
struct ProbedFormat {
    duration: Option<String>,
}

#[derive(Deserialize)]
struct ProbedStream {
    index: u32,
    codec_type: Option<String>,
    codec_name: Option<String>,
    width: Option<u32>,
    height: Option<u32>,
    sample_aspect_ratio: Option<String>,
    avg_frame_rate: Option<String>,
    r_frame_rate: Option<String>,
    time_base: Option<String>,
    duration: Option<String>,
    nb_frames: Option<String>,
    pix_fmt: Option<String>,
    color_range: Option<String>,
    color_space: Option<String>,
    color_transfer: Option<String>,
    #[serde(default)]
    disposition: Disposition,
    #[serde(default)]
    side_data_list: Vec<SideData>,
}

#[derive(Default, Deserialize)]
struct Disposition {
    #[serde(default)]
    attached_pic: u8,
}

#[derive(Deserialize)]
struct SideData {
    rotation: Option<f64>,
}

impl Probed {
    fn into_info(self, path: &Path) -> Result<FilmInfo, FilmError> {
        let is_film = |stream: &&ProbedStream| {
            stream.codec_type.as_deref() == Some("video") && stream.disposition.attached_pic == 0
        };
        let video = self.streams.iter().find(is_film);
        let video = video.ok_or_else(|| FilmError::NoVideo { path: path.to_owned() })?;
        let (width, height) = (video.width.unwrap_or(0), video.height.unwrap_or(0));
        if !(1..=LONGEST_SIDE).contains(&width) || !(1..=LONGEST_SIDE).contains(&height) {
            return Err(FilmError::Size { width, height });
        }
        let aspect = parsed(video.sample_aspect_ratio.as_ref()).unwrap_or(SampleAspect::SQUARE);
        let lies = video.lies_on_its_side();
        let rate: Option<FrameRate> =
            parsed(video.avg_frame_rate.as_ref()).or_else(|| parsed(video.r_frame_rate.as_ref()));
        let duration_s = parsed(video.duration.as_ref()).or_else(|| parsed(self.format.duration.as_ref()));
        let duration_s = duration_s.filter(|seconds: &f64| seconds.is_finite() && *seconds > 0.0);
        let counted = || Some((duration_s? * rate?.per_second()).round() as u64);
        let colour = ColourRule::of(&StatedColour {
            size: (width, height),
            pixels: video.pix_fmt.as_deref(),
            matrix: video.color_space.as_deref(),
            range: video.color_range.as_deref(),
            transfer: video.color_transfer.as_deref(),
        });
        Ok(FilmInfo {
            path: path.to_owned(),
            stream: video.index,
            size: if lies { (height, width) } else { (width, height) },
            aspect: if lies { SampleAspect { width: aspect.height, height: aspect.width } } else { aspect },
            rate,
            time_base: parsed(video.time_base.as_ref()),
            duration_s,
            frames: parsed(video.nb_frames.as_ref()).or_else(counted),
            colour,
            others: self.streams.iter().filter_map(ProbedStream::as_other).collect(),
        })
    }
}

impl ProbedStream {
    fn lies_on_its_side(&self) -> bool {
        let turns = self.side_data_list.iter().find_map(|data| data.rotation).unwrap_or(0.0);
        (turns.abs() % 180.0 - 90.0).abs() < 45.0
    }

    fn as_other(&self) -> Option<OtherStream> {
        let kind = match self.codec_type.as_deref()? {
            "audio" => StreamKind::Audio,
            "subtitle" => StreamKind::Subtitle,
            "attachment" => StreamKind::Attachment,
            _ => return None,
        };
        Some(OtherStream { index: self.index, kind, codec: self.codec_name.clone().unwrap_or_default() })
    }
}

fn parsed<T: std::str::FromStr>(text: Option<&String>) -> Option<T> {
    text?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(json: &str) -> Result<FilmInfo, FilmError> {
        serde_json::from_str::<Probed>(json).unwrap().into_info(Path::new("a.mp4"))
    }

    #[test]
    fn a_turned_film_is_told_upright() {
        let info = info(
            r#"{"streams": [
                {"index": 0, "codec_type": "audio", "codec_name": "aac"},
                {"index": 1, "codec_type": "video", "width": 600, "height": 600, "disposition": {"attached_pic": 1}},
                {"index": 2, "codec_type": "video", "width": 720, "height": 576, "sample_aspect_ratio": "16:11",
                 "avg_frame_rate": "25/1", "time_base": "1/12800", "side_data_list": [{"rotation": -90}]},
                {"index": 3, "codec_type": "data"}],
               "format": {"duration": "2.0"}}"#,
        )
        .unwrap();
        assert_eq!((info.stream, info.size), (2, (576, 720)));
        assert_eq!(info.aspect, SampleAspect { width: 11, height: 16 });
        assert_eq!((info.frames, info.duration_s), (Some(50), Some(2.0)));
        let sound = OtherStream { index: 0, kind: StreamKind::Audio, codec: "aac".into() };
        assert_eq!(info.others, [sound]);
    }

    #[test]
    fn what_is_not_known_is_not_made_up() {
        let info = info(
            r#"{"streams": [{"index": 0, "codec_type": "video", "width": 2, "height": 2, "avg_frame_rate": "0/0",
                "r_frame_rate": "0/0", "duration": "N/A"}]}"#,
        )
        .unwrap();
        assert_eq!((info.rate, info.frames, info.duration_s), (None, None, None));
    }

    #[test]
    fn no_pictures_are_an_error() {
        let error = info(r#"{"streams": [{"index": 0, "codec_type": "audio"}]}"#).unwrap_err().to_string();
        assert_eq!(error, "there is no video in it: a.mp4");
        let error = info(r#"{"streams": [{"index": 0, "codec_type": "video", "width": 0, "height": 9}]}"#);
        assert!(matches!(error, Err(FilmError::Size { .. })));
    }

    #[test]
    fn ffprobes_reason_is_shown_bare() {
        let said = b"[mov,mp4 @ 0x55] moov atom not found\n/a/b.mp4: Invalid data found\n";
        assert_eq!(last_words(said, Path::new("/a/b.mp4")), "moov atom not found; Invalid data found");
    }
}
