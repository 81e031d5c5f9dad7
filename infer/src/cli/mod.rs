//! The arguments, exactly as they are typed.

mod bench;
mod completions;
mod compute;
mod convert;
mod image;
mod inspect;
mod styles;
mod video;

use clap::{Parser, Subcommand};

pub(crate) use bench::{BenchArgs, Size};
pub(crate) use completions::CompletionsArgs;
pub(crate) use convert::ConvertArgs;
pub(crate) use image::ImageArgs;
pub(crate) use inspect::InspectArgs;
pub(crate) use styles::StylesArgs;
pub(crate) use video::{Time, VideoArgs};

/// Repaints photos with the hand of a painting.
///
/// Exit status: 0 done, 1 failed (one line on stderr says why), 2 wrong arguments, 3 some pictures failed and the others
/// were done, 130 ended by Ctrl-C.
#[derive(Parser)]
#[command(name = "infer", version)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Repaint pictures; the originals are never touched.
    Image(Box<ImageArgs>),
    /// Repaint a film, with its sound.
    Video(Box<VideoArgs>),
    /// List the styles that are installed, or show one style's card.
    Styles(StylesArgs),
    /// Make a style of another project's network, or another file of a style.
    Convert(Box<ConvertArgs>),
    /// Say what a file of weights holds: a style, a loss network, or another project's network.
    Inspect(InspectArgs),
    /// Measure how fast pictures are painted on this machine.
    Bench(BenchArgs),
    /// Print what makes a shell complete arguments and the names of styles: `source <(infer completions bash)`.
    Completions(CompletionsArgs),
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
