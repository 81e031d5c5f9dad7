//! The arguments, exactly as they are typed.

mod bench;

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use common::device::DeviceChoice;
use common::loss::LayerWeights;
use common::optim::Decay;
use common::tensor_file::StoredAs;

pub(crate) use self::bench::BenchArgs;

/// Learns the hand of one painting, for `infer` to repaint photos with.
///
/// Exit status: 0 done, 1 failed (one line on stderr says why), 2 wrong arguments.
#[derive(Parser)]
#[command(name = "trainer", version)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
#[allow(clippy::large_enum_variant, reason = "there is one of it in a process")]
pub(crate) enum Command {
    /// Train a style network on one painting and a folder of photos.
    Train(TrainArgs),
    /// Measure how fast this machine trains: a step on random weights and photos.
    Bench(BenchArgs),
}

#[derive(Args)]
pub(crate) struct TrainArgs {
    /// The painting: JPEG, PNG, WebP, TIFF, BMP or GIF.
    #[arg(long, value_name = "PICTURE")]
    pub(crate) style: PathBuf,
    /// Folder of photos to learn on, with all folders in it.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) data: PathBuf,
    /// Folder of other photos to judge by at the end.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) val_data: Option<PathBuf>,
    /// Weights of the loss network, VGG-16 or VGG-19 as safetensors.
    #[arg(long, value_name = "FILE")]
    pub(crate) loss_net: PathBuf,
    /// Go on from the network of this style, a name or a style file, instead of a fresh one: far fewer steps for a new
    /// painting.
    #[arg(long, value_name = "NAME|FILE")]
    pub(crate) from: Option<String>,
    /// The style's name [default: that of the painting's file].
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Folder for the run's own folder, NAME in it.
    #[arg(long, value_name = "FOLDER", default_value = "runs")]
    pub(crate) runs: PathBuf,
    /// Replace the run folder's files if it is there.
    #[arg(long)]
    pub(crate) overwrite: bool,

    #[command(flatten)]
    pub(crate) learning: LearningArgs,
    #[command(flatten)]
    pub(crate) loss: LossArgs,
    #[command(flatten)]
    pub(crate) card: CardArgs,
    #[command(flatten)]
    pub(crate) machine: MachineArgs,
}

#[derive(Args, Clone, Copy)]
#[command(next_help_heading = "Learning")]
pub(crate) struct LearningArgs {
    /// Steps of the optimiser [default: 2000].
    #[arg(long)]
    pub(crate) steps: Option<u64>,
    /// Photos in a step [default: 4].
    #[arg(long)]
    pub(crate) batch: Option<usize>,
    /// Side of the square crops, in pixels [default: 256].
    #[arg(long, value_name = "PX")]
    pub(crate) size: Option<u32>,
    /// Longest side of the painting, in pixels; smaller gives finer strokes [default: as it is].
    #[arg(long, value_name = "PX")]
    pub(crate) style_size: Option<u32>,
    /// Highest learning rate.
    #[arg(long, value_name = "RATE", allow_negative_numbers = true)]
    pub(crate) lr: Option<f64>,
    /// Steps over which the rate rises.
    #[arg(long, value_name = "STEPS")]
    pub(crate) warmup: Option<u64>,
    /// The rate after its rise: constant, or cosine down to zero at the last step.
    #[arg(long, value_name = "SHAPE", value_parser = decay)]
    pub(crate) lr_decay: Option<Decay>,
    /// Centre crops only: no random crops, scales and flips.
    #[arg(long)]
    pub(crate) no_augment: bool,
    /// Decides the fresh network, the order of the photos and the crops [default: 1].
    #[arg(long)]
    pub(crate) seed: Option<u64>,
}

#[derive(Args)]
#[command(next_help_heading = "Loss")]
pub(crate) struct LossArgs {
    /// Weight of the content loss: more keeps more of the photo [default: 7.5].
    #[arg(long, value_name = "WEIGHT", allow_negative_numbers = true)]
    pub(crate) content_weight: Option<f64>,
    /// Weight of the style loss: more paints more heavily [default: 100].
    #[arg(long, value_name = "WEIGHT", allow_negative_numbers = true)]
    pub(crate) style_weight: Option<f64>,
    /// Weight of the total variation: more smooths more [default: 200].
    #[arg(long, value_name = "WEIGHT", allow_negative_numbers = true)]
    pub(crate) tv_weight: Option<f64>,
    /// Layers that keep the photo [default: relu4_2].
    #[arg(long, value_name = "LAYERS")]
    pub(crate) content_layers: Option<LayerWeights>,
    /// Layers that paint [default: relu1_1,relu2_1,relu3_1,relu4_1,relu5_1].
    #[arg(long, value_name = "LAYERS")]
    pub(crate) style_layers: Option<LayerWeights>,
}

#[derive(Args)]
#[command(next_help_heading = "The style file's card")]
pub(crate) struct CardArgs {
    /// The painting's title.
    #[arg(long)]
    pub(crate) title: Option<String>,
    /// Who painted it.
    #[arg(long)]
    pub(crate) artist: Option<String>,
    /// When.
    #[arg(long)]
    pub(crate) year: Option<String>,
    /// The terms of the picture of it.
    #[arg(long)]
    pub(crate) licence: Option<String>,
}

#[derive(Args)]
#[command(next_help_heading = "Machine")]
pub(crate) struct MachineArgs {
    /// auto, cpu, cuda or cuda:N; auto is the first GPU where there is one.
    #[arg(long, default_value = "auto")]
    pub(crate) device: DeviceChoice,
    /// Threads that compute [default: one for each core].
    #[arg(long)]
    pub(crate) threads: Option<NonZeroUsize>,
    /// Threads that decode photos.
    #[arg(long, value_name = "THREADS", default_value = "2")]
    pub(crate) decode_threads: NonZeroUsize,
    /// Number format of the style file: f16 is half the size, f32 what was computed, bit for bit.
    #[arg(long, value_name = "FORMAT", default_value = "f16", value_parser = stored_as)]
    pub(crate) store: StoredAs,
    /// Steps between two reports of the losses.
    #[arg(long, value_name = "STEPS", default_value = "10", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) log_every: u64,
    /// Steps between two writings of the style file.
    #[arg(long, value_name = "STEPS", default_value = "200", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) save_every: u64,
}

fn stored_as(name: &str) -> Result<StoredAs, String> {
    match name {
        "f16" => Ok(StoredAs::F16),
        "f32" => Ok(StoredAs::F32),
        _ => Err("expected f16 or f32".to_owned()),
    }
}

fn decay(name: &str) -> Result<Decay, String> {
    match name {
        "constant" => Ok(Decay::Constant),
        "cosine" => Ok(Decay::Cosine),
        _ => Err("expected constant or cosine".to_owned()),
    }
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
