//! What can go wrong between us and ffmpeg.

use std::io;
use std::path::PathBuf;

/// Why a film could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum FilmError {
    /// A program is not installed.
    #[error(
        "{program} was not found; install ffmpeg {} or newer (Debian and Ubuntu: apt install ffmpeg; Fedora: dnf install \
         ffmpeg-free; macOS: brew install ffmpeg), or name the program by {variable}",
        crate::programs::OLDEST
    )]
    Missing {
        /// `ffmpeg` or `ffprobe`.
        program: &'static str,
        /// The environment variable that names another one.
        variable: &'static str,
    },
    /// A program is older than what we say to it.
    #[error("{program} is version {found}, {} or newer is needed: {}", crate::programs::OLDEST, path.display())]
    TooOld {
        /// `ffmpeg` or `ffprobe`.
        program: &'static str,
        /// As it says of itself.
        found: String,
        /// Which one was asked.
        path: PathBuf,
    },
    /// A program could not be started or talked to.
    #[error("cannot run {program}: {cause}")]
    Run {
        /// `ffmpeg` or `ffprobe`.
        program: &'static str,
        /// What the system said.
        cause: io::Error,
    },
    /// A file that ffprobe cannot make sense of.
    #[error("cannot read this as a film ({words}): {}", path.display())]
    Unreadable {
        /// What ffprobe said.
        words: String,
        /// The file.
        path: PathBuf,
    },
    /// A file with sound or subtitles alone.
    #[error("there is no video in it: {}", path.display())]
    NoVideo {
        /// The file.
        path: PathBuf,
    },
    /// What comes on stdin is not what was promised.
    #[error("stdin holds no Y4M video ({0}); other formats come by file, raw video with --raw")]
    Y4m(&'static str),
    /// ffmpeg ended in the midst of its work.
    #[error("ffmpeg {doing} and {ended}: {words}")]
    Ended {
        /// What it was at: `was decoding`.
        doing: &'static str,
        /// How: `ended with status 1`.
        ended: String,
        /// The last that it said.
        words: String,
    },
    /// ffmpeg was built without what is needed.
    #[error("this ffmpeg has no encoder {encoder}; install a build that has it, or choose another --codec")]
    NoEncoder {
        /// As ffmpeg calls it.
        encoder: String,
    },
    /// Pictures that are too large to be pictures.
    #[error("the film's pictures are {width}x{height} pixels, which no picture has")]
    Size {
        /// Pixels across.
        width: u32,
        /// Pixels down.
        height: u32,
    },
    /// A file of ours could not be written.
    #[error("cannot write ({cause}): {}", path.display())]
    Write {
        /// What the system said.
        cause: io::Error,
        /// The file.
        path: PathBuf,
    },
}
