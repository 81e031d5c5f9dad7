//! Kinds of files that films are written as, and what each can hold beside the pictures.

use std::ffi::OsStr;
use std::fmt;
use std::path::Path;

use crate::{OtherStream, StreamKind};

/// A kind of file that a film is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Container {
    /// MPEG-4 part 14.
    Mp4,
    /// QuickTime.
    Mov,
    /// Matroska.
    Mkv,
    /// WebM.
    Webm,
    /// An animated GIF.
    Gif,
    /// An animated WebP.
    WebP,
    /// Uncompressed, as programs hand it to each other.
    Y4m,
}

/// What becomes of a stream beside the pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Passage {
    /// It goes over as it is, bit for bit.
    Copied,
    /// It is encoded anew, with this encoder of ffmpeg.
    Converted(&'static str),
    /// It cannot go over.
    LeftOut,
}

/// Subtitles that are text, whatever their format.
const TEXT_SUBTITLES: &[&str] = &["subrip", "srt", "ass", "ssa", "webvtt", "mov_text", "text"];

impl Container {
    /// What a file's suffix says.
    pub fn of_path(path: &Path) -> Option<Self> {
        let suffix = path.extension().and_then(OsStr::to_str)?.to_ascii_lowercase();
        Some(match suffix.as_str() {
            "mp4" | "m4v" => Self::Mp4,
            "mov" | "qt" => Self::Mov,
            "mkv" => Self::Mkv,
            "webm" => Self::Webm,
            "gif" => Self::Gif,
            "webp" => Self::WebP,
            "y4m" => Self::Y4m,
            _ => return None,
        })
    }

    /// Whether pictures alone fit into it, and it is written in one go.
    pub fn holds_pictures_alone(self) -> bool {
        matches!(self, Self::Gif | Self::WebP | Self::Y4m)
    }

    /// ffmpeg's name of it.
    pub(crate) fn muxer(self) -> &'static str {
        match self {
            Self::Mp4 => "mp4",
            Self::Mov => "mov",
            Self::Mkv => "matroska",
            Self::Webm => "webm",
            Self::Gif => "gif",
            Self::WebP => "webp",
            Self::Y4m => "yuv4mpegpipe",
        }
    }

    /// What becomes of a stream in it.
    pub(crate) fn passage(self, stream: &OtherStream) -> Passage {
        let codec = stream.codec.as_str();
        match stream.kind {
            StreamKind::Audio => self.passage_of_sound(codec),
            StreamKind::Subtitle => self.passage_of_subtitles(codec),
            StreamKind::Attachment if self == Self::Mkv => Passage::Copied,
            StreamKind::Attachment => Passage::LeftOut,
        }
    }

    fn passage_of_sound(self, codec: &str) -> Passage {
        let of_mpeg =
            matches!(codec, "aac" | "mp3" | "mp2" | "ac3" | "eac3" | "alac" | "opus" | "flac" | "dts");
        let of_quicktime =
            matches!(codec, "aac" | "mp3" | "ac3" | "eac3" | "alac") || codec.starts_with("pcm_");
        match self {
            Self::Mkv => Passage::Copied,
            Self::Mp4 if of_mpeg => Passage::Copied,
            Self::Mov if of_quicktime => Passage::Copied,
            Self::Mp4 | Self::Mov => Passage::Converted("aac"),
            Self::Webm if matches!(codec, "opus" | "vorbis") => Passage::Copied,
            Self::Webm => Passage::Converted("libopus"),
            Self::Gif | Self::WebP | Self::Y4m => Passage::LeftOut,
        }
    }

    fn passage_of_subtitles(self, codec: &str) -> Passage {
        let own = match self {
            Self::Mp4 | Self::Mov => "mov_text",
            Self::Mkv if codec == "mov_text" => "subrip",
            Self::Mkv => return Passage::Copied,
            Self::Webm => "webvtt",
            Self::Gif | Self::WebP | Self::Y4m => return Passage::LeftOut,
        };
        match codec {
            _ if codec == own => Passage::Copied,
            _ if TEXT_SUBTITLES.contains(&codec) => Passage::Converted(own),
            _ => Passage::LeftOut,
        }
    }
}

impl fmt::Display for Container {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mp4 => "MP4",
            Self::Mov => "QuickTime",
            Self::Mkv => "Matroska",
            Self::Webm => "WebM",
            Self::Gif => "GIF",
            Self::WebP => "WebP",
            Self::Y4m => "Y4M",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_is_copied_and_text_is_converted() {
        let passage = |container: Container, kind, codec: &str| {
            container.passage(&OtherStream { index: 1, kind, codec: codec.into() })
        };
        assert_eq!(passage(Container::Mp4, StreamKind::Audio, "aac"), Passage::Copied);
        assert_eq!(passage(Container::Mp4, StreamKind::Audio, "pcm_s16le"), Passage::Converted("aac"));
        assert_eq!(passage(Container::Mov, StreamKind::Audio, "pcm_s16le"), Passage::Copied);
        assert_eq!(passage(Container::Webm, StreamKind::Audio, "aac"), Passage::Converted("libopus"));
        assert_eq!(passage(Container::Mp4, StreamKind::Subtitle, "subrip"), Passage::Converted("mov_text"));
        assert_eq!(passage(Container::Mp4, StreamKind::Subtitle, "hdmv_pgs_subtitle"), Passage::LeftOut);
        assert_eq!(passage(Container::Mkv, StreamKind::Subtitle, "hdmv_pgs_subtitle"), Passage::Copied);
        assert_eq!(passage(Container::Mkv, StreamKind::Subtitle, "mov_text"), Passage::Converted("subrip"));
        assert_eq!(passage(Container::Mkv, StreamKind::Attachment, "ttf"), Passage::Copied);
    }

    #[test]
    fn suffixes_are_read_in_any_case() {
        assert_eq!(Container::of_path(Path::new("a.b.MP4")), Some(Container::Mp4));
        assert_eq!(Container::of_path(Path::new("mp4")), None);
        assert_eq!(Container::of_path(Path::new("a.png")), None);
    }
}
