//! `infer video`.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use film::{EncodingOptions, FrameRate, RawVideo};

use super::bench::Size;
use super::compute::ComputeArgs;
use crate::completions::style_names;
use crate::painter::PainterArgs;

#[derive(Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub(crate) struct VideoArgs {
    /// The film: any file that ffmpeg reads; a folder of frames or a pattern such as `frames/%05d.png` or `'f*.jpg'`; `-`
    /// for Y4M on stdin.
    #[arg(value_name = "FILM|FOLDER|PATTERN|-")]
    pub(crate) input: PathBuf,
    /// The style: a name, as `great-wave`, or a style file. With the time at which it takes over, several follow each
    /// other: `-s a -s b@12.5 -s c@1:30`.
    #[arg(short, long = "style", value_name = "NAME|FILE[@TIME]", required = true, add = style_names())]
    pub(crate) styles: Vec<String>,
    /// Seconds over which a style fades into the next.
    #[arg(long, value_name = "SECONDS", default_value_t = 1.0, allow_negative_numbers = true)]
    pub(crate) fade: f64,
    /// Where to write: a film (mp4, mov, mkv, webm, or without sound gif, webp, y4m), a folder of frames (with `/` at its
    /// end) or their pattern (`painted/%05d.png`), or `-` for Y4M on stdout. By default beside the film, as
    /// `film.great-wave.mp4`.
    #[arg(short, long, value_name = "FILM|FOLDER|PATTERN|-")]
    pub(crate) output: Option<PathBuf>,
    /// Replace the output if it is there, and begin anew what was half done.
    #[arg(long, conflicts_with = "resume")]
    pub(crate) overwrite: bool,
    /// Go on with what was half done, or begin.
    #[arg(long)]
    pub(crate) resume: bool,
    /// Paint every frame for itself, as if there were no others. Without it, frames of a scene share the network's
    /// statistics, and what rests in the film rests in the painting.
    #[arg(long)]
    pub(crate) no_steady: bool,
    /// Print a JSON object about the film when it is done, instead of its path.
    #[arg(long)]
    pub(crate) json: bool,
    /// No progress bar, no notes.
    #[arg(short, long)]
    pub(crate) quiet: bool,
    #[command(flatten)]
    pub(crate) part: PartArgs,
    #[command(flatten)]
    pub(crate) encoding: EncodingArgs,
    // Last, since their headings would go on over what follows.
    #[command(flatten)]
    pub(crate) painter: PainterArgs,
    #[command(flatten)]
    pub(crate) compute: ComputeArgs,
}

/// What is taken of the film.
#[derive(Args)]
#[command(next_help_heading = "The part")]
pub(crate) struct PartArgs {
    /// Where to begin: seconds, or 1:02:03.5.
    #[arg(long, value_name = "TIME")]
    pub(crate) start: Option<Time>,
    /// How much to take.
    #[arg(long, value_name = "TIME")]
    pub(crate) duration: Option<Time>,
    /// Frames per second, as 25 or 24000/1001: frames are repeated or left out [default: each at its time]. Of a folder of
    /// frames, how fast they are shown [default: 25].
    #[arg(long, value_name = "RATE")]
    pub(crate) fps: Option<FrameRate>,
    /// stdin is raw video: its size, rate and pixel format, as 640x360@25:yuv420p [default format: rgb24].
    #[arg(long, value_name = "WxH@RATE[:FORMAT]")]
    pub(crate) raw: Option<RawArg>,
}

/// How the film is written.
#[derive(Args)]
#[command(next_help_heading = "The file")]
pub(crate) struct EncodingArgs {
    /// h264, hevc, vp9, av1, prores, ffv1, or an encoder as ffmpeg names it [default: h264; in WebM vp9].
    #[arg(long)]
    pub(crate) codec: Option<String>,
    /// Constant quality: smaller is better and larger [default: the codec's, 18 for h264].
    #[arg(long, value_name = "0..63", value_parser = clap::value_parser!(u32).range(0..=63))]
    pub(crate) crf: Option<u32>,
    /// The encoder's preset: slower ones make smaller files [default: a fast one].
    #[arg(long)]
    pub(crate) preset: Option<String>,
    /// Pixel format, as ffmpeg names it [default: yuv420p, which plays everywhere].
    #[arg(long, value_name = "FORMAT")]
    pub(crate) pix_fmt: Option<String>,
    /// Bits per second, as 4M, instead of a constant quality.
    #[arg(long, value_name = "BITS", conflicts_with = "crf")]
    pub(crate) bitrate: Option<String>,
}

impl EncodingArgs {
    pub(crate) fn options(&self) -> EncodingOptions {
        EncodingOptions {
            codec: self.codec.clone(),
            crf: self.crf,
            preset: self.preset.clone(),
            pixels: self.pix_fmt.clone(),
            bitrate: self.bitrate.clone(),
        }
    }
}

/// A time or a span of time, in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Time(pub(crate) f64);

impl FromStr for Time {
    type Err = String;

    /// `12.5`, `1:30` or `1:02:03.5`.
    fn from_str(typed: &str) -> Result<Self, String> {
        let error = || "expected a time in seconds, as 12.5, or as 1:02:03.5".to_owned();
        let parts: Vec<&str> = typed.split(':').collect();
        if parts.len() > 3 {
            return Err(error());
        }
        let mut seconds = 0.0;
        for (index, part) in parts.iter().enumerate() {
            let is_last = index + 1 == parts.len();
            let allowed = |byte: u8| byte.is_ascii_digit() || (is_last && byte == b'.');
            let value = part.parse::<f64>().ok().filter(|_| part.bytes().all(allowed));
            seconds = seconds * 60.0 + value.ok_or_else(error)?;
        }
        if seconds <= 1e7 { Ok(Self(seconds)) } else { Err(error()) }
    }
}

/// [`RawVideo`] as it is typed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RawArg(pub(crate) RawVideo);

impl FromStr for RawArg {
    type Err = String;

    fn from_str(typed: &str) -> Result<Self, String> {
        let error = || "expected size, rate and pixel format, as 640x360@25:rgb24".to_owned();
        let (size, rest) = typed.split_once('@').ok_or_else(error)?;
        let (rate, pixels) = rest.split_once(':').unwrap_or((rest, "rgb24"));
        let Size { width, height } = size.parse()?;
        let is_word = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if NonZeroU32::new(width).is_none() || !is_word(pixels) {
            return Err(error());
        }
        Ok(Self(RawVideo { size: (width, height), rate: rate.parse()?, pixels: pixels.to_owned() }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_clocks_show_them() {
        for (typed, seconds) in
            [("12.5", 12.5), ("1:30", 90.0), ("1:02:03.5", 3723.5), ("0", 0.0), ("090", 90.0)]
        {
            assert_eq!(typed.parse(), Ok(Time(seconds)), "{typed}");
        }
        for typed in ["", "-1", "1:", ":1", "1.5:2", "1:2:3:4", "NaN", "inf", "1e3", "+1"] {
            assert!(typed.parse::<Time>().is_err(), "{typed}");
        }
    }

    #[test]
    fn raw_video_is_described() {
        let raw = "640x360@30000/1001:yuv420p".parse::<RawArg>().unwrap().0;
        assert_eq!((raw.size, raw.pixels.as_str()), ((640, 360), "yuv420p"));
        assert_eq!(raw.rate, FrameRate { frames: 30000, seconds: 1001 });
        for typed in ["640x360", "0x1@25", "640x360@0", "640x360@25:", "640x360@25:a b"] {
            assert!(typed.parse::<RawArg>().is_err(), "{typed}");
        }
    }
}
