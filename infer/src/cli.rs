//! The arguments, exactly as they are typed.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use common::device::DeviceChoice;

use crate::painter::PainterArgs;

/// Repaints photos with the hand of a painting.
///
/// Exit status: 0 done, 1 failed (one line on stderr says why), 2 wrong arguments, 3 some pictures failed and the others
/// were done.
#[derive(Parser)]
#[command(name = "infer", version)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Repaint pictures; the originals are never touched.
    Image(ImageArgs),
}

#[derive(Args)]
pub(crate) struct ImageArgs {
    /// Pictures to repaint: JPEG, PNG, WebP, TIFF, BMP or GIF (its first frame).
    #[arg(required = true, value_name = "PICTURE")]
    pub(crate) inputs: Vec<PathBuf>,
    /// The style: a name, as `great-wave`, or a style file.
    #[arg(short, long, required = true, value_name = "NAME|FILE")]
    pub(crate) style: Vec<String>,
    /// Where to write: a picture file, or a folder (there already, or with `/` at the end). By default each picture goes
    /// beside its original, as `photo.great-wave.jpg`.
    #[arg(short, long, value_name = "FILE|FOLDER")]
    pub(crate) output: Option<PathBuf>,
    /// Replace output files that are there.
    #[arg(long)]
    pub(crate) overwrite: bool,
    /// Quality of JPEG files.
    #[arg(long, value_name = "1..100", default_value_t = pixel::DEFAULT_JPEG_QUALITY,
          value_parser = clap::value_parser!(u8).range(1..=100))]
    pub(crate) quality: u8,
    #[command(flatten)]
    pub(crate) painter: PainterArgs,
    /// auto, cpu, cuda or cuda:N; auto is the first GPU where there is one.
    #[arg(long, default_value = "auto")]
    pub(crate) device: DeviceChoice,
    /// Threads that compute [default: one for each core].
    #[arg(long)]
    pub(crate) threads: Option<NonZeroUsize>,
    /// No progress bar.
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        use clap::CommandFactory as _;
        Cli::command().debug_assert();
    }
}
