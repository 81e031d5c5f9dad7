//! `trainer train`.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Args;
use common::colour_match::ColourMatch;
use common::optim::Decay;
use common::precision::Precision;
use common::tensor_file::StoredAs;
use trainer::config::NetworkInput;
use trainer::device_room::ResidentRoom;
use trainer::recipe::{NamedRecipe, Optimizer};

use super::compute::ComputeArgs;
use super::objective::ObjectiveArgs;

#[derive(Args)]
pub(crate) struct TrainArgs {
    /// A painting: JPEG, PNG, WebP, TIFF, BMP or GIF. Give several to blend them into one style.
    #[arg(long, value_name = "PICTURE")]
    pub(crate) style: Vec<PathBuf>,
    /// How much each painting counts beside the others, as in 2,1 [default: all alike].
    #[arg(long, value_name = "WEIGHTS", value_delimiter = ',')]
    pub(crate) style_blend: Option<Vec<f64>>,
    /// The part of the painting to learn from: left, top, width, height in pixels [default: all of it].
    #[arg(long, value_name = "X,Y,W,H", value_delimiter = ',', num_args = 1)]
    pub(crate) style_crop: Option<Vec<u32>>,
    /// Folder of photos to learn on, with all folders in it.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) data: Option<PathBuf>,
    /// Folder of other photos to judge by.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) val_data: Option<PathBuf>,
    /// The loss network: a name that `trainer fetch` knows, or a safetensors file of VGG-16, VGG-19, ResNet-50
    /// or Inception-v3.
    #[arg(long, value_name = "NAME|FILE")]
    pub(crate) loss_net: Option<String>,
    /// Go on from the network of this style, a name or a style file, instead of a fresh one: far fewer steps for a new
    /// painting. Given several times, with weights as NAME=0.3, go on from the mean of their networks; --steps 0 leaves it as
    /// it is.
    #[arg(long, value_name = "NAME|FILE[=WEIGHT]")]
    pub(crate) from: Vec<NetworkInput>,
    /// The style's name [default: that of the painting's file].
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Folder for the run's own folder, NAME in it.
    #[arg(long, value_name = "FOLDER", default_value = "runs")]
    pub(crate) runs: PathBuf,
    /// Replace the run folder's files if it is there.
    #[arg(long)]
    pub(crate) overwrite: bool,
    /// Go on with the run in this folder, exactly as if it had never stopped. It knows its own arguments; more --steps may
    /// be given.
    #[arg(long, value_name = "RUN", conflicts_with_all = ["config", "recipe", "recipe_of", "overwrite", "name", "from"])]
    pub(crate) resume: Option<PathBuf>,
    /// Take the configuration from this TOML file, such as the config.toml of another run; what is typed goes before it.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// The recipe to start from: atelier, or another project's: pytorch-examples, lengstrom, jcjohnson [default: atelier].
    #[arg(long, value_name = "NAME")]
    pub(crate) recipe: Option<NamedRecipe>,
    /// The recipe to start from: that of this style, a name or a style file, as its card tells it.
    #[arg(long, value_name = "NAME|FILE", conflicts_with_all = ["config", "recipe"])]
    pub(crate) recipe_of: Option<String>,
    /// With --recipe-of, the recipe of the N-th of all trainings that made the style, as `infer styles STYLE` counts them,
    /// instead of the last one.
    #[arg(long, value_name = "N", requires = "recipe_of")]
    pub(crate) ancestor: Option<NonZeroUsize>,

    #[command(flatten)]
    pub(crate) learning: LearningArgs,
    #[command(flatten)]
    pub(crate) loss: LossArgs,
    #[command(flatten)]
    pub(crate) run: RunArgs,
    #[command(flatten)]
    pub(crate) card: CardArgs,
    #[command(flatten)]
    pub(crate) machine: MachineArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Args, Clone, Copy)]
#[command(next_help_heading = "Learning (defaults are the recipe's; here atelier's)")]
pub(crate) struct LearningArgs {
    /// Steps of the optimiser [default: 2000].
    #[arg(long)]
    pub(crate) steps: Option<u64>,
    /// Photos that pass through the networks together [default: 4].
    #[arg(long)]
    pub(crate) batch: Option<usize>,
    /// Batches averaged into one step, for more photos in a step than the memory holds [default: 1].
    #[arg(long, value_name = "BATCHES")]
    pub(crate) accumulate: Option<usize>,
    /// Side of the square crops, in pixels [default: 256].
    #[arg(long, value_name = "PX")]
    pub(crate) size: Option<u32>,
    /// Longest side of the painting, in pixels; smaller gives finer strokes; 0 for as it is [default: 0].
    #[arg(long, value_name = "PX")]
    pub(crate) style_size: Option<u32>,
    /// adam, or muon, which gets as far in about half the steps [default: adam].
    #[arg(long, value_name = "NAME", value_parser = optimizer)]
    pub(crate) optimizer: Option<Optimizer>,
    /// Highest learning rate [default: 0.006].
    #[arg(long, value_name = "RATE", allow_negative_numbers = true)]
    pub(crate) lr: Option<f64>,
    /// Steps over which the rate rises [default: 10].
    #[arg(long, value_name = "STEPS")]
    pub(crate) warmup: Option<u64>,
    /// The rate after its rise: constant, or cosine down to zero at the last step [default: cosine].
    #[arg(long, value_name = "SHAPE", value_parser = decay)]
    pub(crate) lr_decay: Option<Decay>,
    /// Shorten gradients that are longer than this; 0 for never [default: 0].
    #[arg(long, value_name = "NORM", allow_negative_numbers = true)]
    pub(crate) clip: Option<f64>,
    /// Judge and save a moving average of the network with this decay, such as 0.999; 0 for none [default: 0].
    #[arg(long, value_name = "DECAY", allow_negative_numbers = true)]
    pub(crate) ema: Option<f64>,
    /// What the networks compute in: f32, tf32 (on a GPU) or bf16, which is several times faster where the hardware has
    /// matrix units for it [default: f32].
    #[arg(long)]
    pub(crate) precision: Option<Precision>,
    /// Centre crops only: no random crops, scales and flips.
    #[arg(long)]
    pub(crate) no_augment: bool,
    /// How far random crops go into the photos: with 2, they show half of a photo's short side or more, so that smooth and
    /// close-up pictures are painted as heavily as busy ones [default: 1.125].
    #[arg(long, value_name = "FACTOR", allow_negative_numbers = true)]
    pub(crate) zoom: Option<f64>,
    /// How much more heavily parts of photos are to be painted than whole ones: the style weight of a crop is multiplied by its
    /// zoom to this power. With 1, large pictures are painted more like small ones [default: 0].
    #[arg(long, value_name = "POWER", allow_negative_numbers = true)]
    pub(crate) zoom_style_power: Option<f64>,
    /// Decides the fresh network, the order of the photos and the crops [default: 1].
    #[arg(long)]
    pub(crate) seed: Option<u64>,
}

#[derive(Args)]
#[command(next_help_heading = "Loss (defaults are the recipe's; here atelier's)")]
pub(crate) struct LossArgs {
    #[command(flatten)]
    pub(crate) objective: ObjectiveArgs,
    /// Move the painting's colours to those of the photos first, so that photos keep theirs: cholesky, symmetric (stays nearer
    /// to the painting's hues), optimal-transport (moves colours the least) or none [default: none].
    #[arg(long, value_name = "METHOD", value_parser = colour_match)]
    pub(crate) match_colors: Option<ColourMatch>,
    /// Weight of the grid pattern, the weave of 4 by 4 pixels that networks like to lay over their pictures: more takes more of
    /// it away; 0 does not look at it [default: 0].
    #[arg(long, value_name = "WEIGHT", allow_negative_numbers = true)]
    pub(crate) grid_weight: Option<f64>,
    /// Learn to paint films without flicker: how much it counts that a photo and the same photo, moved as between two frames,
    /// are painted alike. No films are needed; a step takes about half as long again. 0 for not at all [default: 0].
    #[arg(long, value_name = "WEIGHT", allow_negative_numbers = true)]
    pub(crate) temporal: Option<f64>,
    /// The same for what the loss network sees in the paintings (at relu2_1), beside --temporal or alone: strokes that move
    /// with what they are painted on. A step takes a little longer still. 0 for not at all [default: 0].
    #[arg(long, value_name = "WEIGHT", allow_negative_numbers = true)]
    pub(crate) temporal_features: Option<f64>,
    /// Noise on moved photos for --temporal: its largest deviation, in values of 0 to 255 [default: 4].
    #[arg(long, value_name = "DEVIATION", allow_negative_numbers = true)]
    pub(crate) temporal_noise: Option<f64>,
    /// The parts of the training between which --temporal rises from nothing to its weight; 0,0.1 does with --from
    /// [default: 0.1,0.3].
    #[arg(long, value_name = "FROM,TO", value_delimiter = ',', num_args = 1, allow_negative_numbers = true)]
    pub(crate) temporal_ramp: Option<Vec<f64>>,
}

#[derive(Args)]
#[command(next_help_heading = "The run")]
pub(crate) struct RunArgs {
    /// Steps between two reports of the losses [default: 10].
    #[arg(long, value_name = "STEPS", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) log_every: Option<u64>,
    /// Steps between two preview sheets; 0 for none [default: 100].
    #[arg(long, value_name = "STEPS")]
    pub(crate) preview_every: Option<u64>,
    /// Steps between two validations on --val-data; 0 for one at the end [default: 0].
    #[arg(long, value_name = "STEPS")]
    pub(crate) validate_every: Option<u64>,
    /// End the run after this many validations in a row without a lower loss, and keep the best network.
    #[arg(long, value_name = "VALIDATIONS", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) patience: Option<u32>,
    /// Steps between two checkpoints; 0 to go by the clock alone [default: 200].
    #[arg(long, value_name = "STEPS")]
    pub(crate) checkpoint_every: Option<u64>,
    /// Minutes between two checkpoints; 0 to go by the steps alone [default: 10].
    #[arg(long, value_name = "MINUTES", allow_negative_numbers = true)]
    pub(crate) checkpoint_minutes: Option<f64>,
    /// How many checkpoints are kept, apart from the best [default: 2].
    #[arg(long, value_name = "COUNT")]
    pub(crate) keep_checkpoints: Option<usize>,
    /// Number format of the style file: f16 is half the size, f32 what was computed, bit for bit [default: f16].
    #[arg(long, value_name = "FORMAT", value_parser = stored_as)]
    pub(crate) store: Option<StoredAs>,
    /// Keep decoded photos in the device's memory: gigabytes, auto or off. Crops are then cut there from reduced photos,
    /// which is decided when a run starts and changes a little what is learnt; auto does it on a GPU where all photos fit
    /// into 60 % of the free memory [default: auto].
    #[arg(long, value_name = "GB|auto|off", allow_negative_numbers = true)]
    pub(crate) resident: Option<ResidentRoom>,
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

#[derive(Args, Clone, Copy)]
#[command(next_help_heading = "Machine")]
pub(crate) struct MachineArgs {
    #[command(flatten)]
    pub(crate) compute: ComputeArgs,
    /// Threads that decode photos.
    #[arg(long, value_name = "THREADS", default_value = "2")]
    pub(crate) decode_threads: NonZeroUsize,
}

#[derive(Args, Clone, Copy)]
#[command(next_help_heading = "Output")]
pub(crate) struct OutputArgs {
    /// Say nothing but errors and the style file's name.
    #[arg(long, short, conflicts_with = "json")]
    pub(crate) quiet: bool,
    /// Write the journal to stdout as well: one JSON line for each report.
    #[arg(long)]
    pub(crate) json: bool,
}

fn stored_as(name: &str) -> Result<StoredAs, String> {
    match name {
        "f16" => Ok(StoredAs::F16),
        "f32" => Ok(StoredAs::F32),
        _ => Err("expected f16 or f32".to_owned()),
    }
}

fn optimizer(name: &str) -> Result<Optimizer, String> {
    match name {
        "adam" => Ok(Optimizer::Adam),
        "muon" => Ok(Optimizer::Muon),
        _ => Err("expected adam or muon".to_owned()),
    }
}

fn decay(name: &str) -> Result<Decay, String> {
    match name {
        "constant" => Ok(Decay::Constant),
        "cosine" => Ok(Decay::Cosine),
        _ => Err("expected constant or cosine".to_owned()),
    }
}

fn colour_match(name: &str) -> Result<ColourMatch, String> {
    match name {
        "none" => Ok(ColourMatch::None),
        "cholesky" => Ok(ColourMatch::Cholesky),
        "symmetric" => Ok(ColourMatch::Symmetric),
        "optimal-transport" => Ok(ColourMatch::OptimalTransport),
        _ => Err("expected cholesky, symmetric, optimal-transport or none".to_owned()),
    }
}
