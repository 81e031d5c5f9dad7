//! `infer image`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use pixel::{BitDepth, Format};

use super::compute::ComputeArgs;
use crate::completions::style_names;
use crate::painter::PainterArgs;

#[derive(Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub(crate) struct ImageArgs {
    /// Pictures to repaint: JPEG, PNG, WebP, TIFF, BMP or GIF (its first frame); folders of them; patterns such as
    /// `'*.jpg'`; `-` for a picture on stdin.
    #[arg(required = true, value_name = "PICTURE|FOLDER|PATTERN|-")]
    pub(crate) inputs: Vec<PathBuf>,
    /// The style: a name, as `great-wave`, or a style file. Several make one picture each.
    #[arg(short, long = "style", value_name = "NAME|FILE", required_unless_present = "sheet", add = style_names())]
    pub(crate) styles: Vec<String>,
    /// Where to write: a picture file, a folder (there already, or with `/` at the end), or `-` for stdout. By default
    /// each picture goes beside its original, as `photo.great-wave.jpg`, and a picture from stdin to stdout.
    #[arg(short, long, value_name = "FILE|FOLDER|-")]
    pub(crate) output: Option<PathBuf>,
    /// Take the folders inside folders too; under `-o FOLDER` they are made anew.
    #[arg(short, long)]
    pub(crate) recursive: bool,
    /// Replace output files that are there.
    #[arg(long, conflicts_with = "skip_existing")]
    pub(crate) overwrite: bool,
    /// Leave out pictures whose output is there: goes on with a folder that was half done.
    #[arg(long)]
    pub(crate) skip_existing: bool,
    /// Format of the pictures written: jpg, png, webp, tif or bmp [default: by the output's suffix, which is the photo's].
    #[arg(long, value_name = "FORMAT")]
    pub(crate) format: Option<Format>,
    /// Quality of JPEG files.
    #[arg(long, value_name = "1..100", default_value_t = pixel::DEFAULT_JPEG_QUALITY,
          value_parser = clap::value_parser!(u8).range(1..=100))]
    pub(crate) quality: u8,
    /// Bits of each colour in the file: 16 for fine steps, in PNG and TIFF; --stroke paints in 8 all the same.
    #[arg(long, value_name = "BITS", default_value = "8")]
    pub(crate) bits: Bits,
    /// Keep what the camera noted (EXIF); by default the picture alone is written.
    #[arg(long)]
    pub(crate) keep_metadata: bool,
    /// Draw one sheet of the photo in every installed style, or in those of --style, with captions. Goes beside the
    /// photo as `photo.sheet.jpg` unless `-o` says where.
    #[arg(long, conflicts_with_all = ["recursive", "skip_existing", "dry_run", "json", "keep_metadata", "bits"])]
    pub(crate) sheet: bool,
    /// Longest side of each picture on the sheet; they are painted at this size.
    #[arg(long, value_name = "PIXELS", default_value_t = 480, requires = "sheet",
          value_parser = clap::value_parser!(u32).range(32..=4096))]
    pub(crate) sheet_size: u32,
    /// Show the result in the desktop's viewer; of several, the folder of the first.
    #[arg(long)]
    pub(crate) open: bool,
    /// Say what would be written, and its size, and do nothing.
    #[arg(long, conflicts_with = "open")]
    pub(crate) dry_run: bool,
    /// Print a JSON object a line for each picture instead of its path.
    #[arg(long)]
    pub(crate) json: bool,
    /// No progress bar.
    #[arg(short, long)]
    pub(crate) quiet: bool,
    // Last, since their headings would go on over what follows.
    #[command(flatten)]
    pub(crate) painter: PainterArgs,
    #[command(flatten)]
    pub(crate) compute: ComputeArgs,
}

/// Bits of a sample as they are named on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Bits {
    #[value(name = "8")]
    Eight,
    #[value(name = "16")]
    Sixteen,
}

impl From<Bits> for BitDepth {
    fn from(bits: Bits) -> Self {
        match bits {
            Bits::Eight => Self::Eight,
            Bits::Sixteen => Self::Sixteen,
        }
    }
}
