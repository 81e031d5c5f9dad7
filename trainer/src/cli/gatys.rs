//! `trainer gatys`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use common::gatys::Ladder;
use common::lossnet::Pooling;
use common::memory;
use common::optim::LineSearch;
use common::precision::Precision;

use super::compute::ComputeArgs;
use super::objective::ObjectiveArgs;

#[derive(Args)]
#[command(args_override_self = true)]
pub(crate) struct GatysArgs {
    /// The photo that the picture shows; without it, a texture is made.
    #[arg(long, value_name = "PICTURE")]
    pub(crate) content: Option<PathBuf>,
    /// A painting. Give several to blend them, or with --style-mask to tell them where to paint.
    #[arg(long, value_name = "PICTURE")]
    pub(crate) style: Vec<PathBuf>,
    /// How much each painting counts beside the others, as in 2,1 [default: all alike].
    #[arg(long, value_name = "WEIGHTS", value_delimiter = ',')]
    pub(crate) style_blend: Option<Vec<f64>>,
    /// Where a painting paints: white does, black does not, grey does by half; of the photo's size. One for each --style, in their
    /// order.
    #[arg(long, value_name = "PICTURE")]
    pub(crate) style_mask: Vec<PathBuf>,
    /// Repaint only this hole in the photo: white is painted, black stays. Without --style it is filled with what is around it.
    #[arg(long, value_name = "MASK")]
    pub(crate) inpaint: Option<PathBuf>,
    /// The picture to write; its suffix says the format.
    #[arg(short, long, value_name = "FILE", required_unless_present = "list_presets")]
    pub(crate) output: Option<PathBuf>,
    /// Replace the output if it is there.
    #[arg(long)]
    pub(crate) overwrite: bool,
    /// What to start from; all else that is typed goes before it. See --list-presets [default: atelier].
    #[arg(long, value_name = "NAME")]
    pub(crate) preset: Option<String>,
    /// Say what each preset is and where it comes from.
    #[arg(long, exclusive = true)]
    pub(crate) list_presets: bool,
    /// Paint once for each value, and put all of it on one captioned sheet: style-weight=1e2,1e3,1e4, or any other option of this
    /// command. Values that have commas go with a bar between: style-layers=relu1_1|relu1_1,relu2_1. Two of them make a table.
    #[arg(long, value_name = "OPTION=VALUES")]
    pub(crate) sweep: Vec<String>,

    #[command(flatten)]
    pub(crate) loss: GatysLossArgs,
    #[command(flatten)]
    pub(crate) optimisation: OptimisationArgs,
    #[command(flatten)]
    pub(crate) seeing: SeeingArgs,
    #[command(flatten)]
    pub(crate) machine: GatysMachineArgs,
}

#[derive(Args)]
#[command(next_help_heading = "Loss (defaults are the preset's; here atelier's)")]
pub(crate) struct GatysLossArgs {
    /// The loss network: a name that `trainer fetch` knows, or a safetensors file of VGG-16, VGG-19, ResNet-50 or Inception-v3
    /// [default: vgg19].
    #[arg(long, value_name = "NAME|FILE")]
    pub(crate) loss_net: Option<String>,
    #[command(flatten)]
    pub(crate) objective: ObjectiveArgs,
    /// How the loss network halves: max, as it was trained, or average, which is smoother [default: max].
    #[arg(long, value_name = "POOLING", value_parser = pooling)]
    pub(crate) pooling: Option<Pooling>,
    /// Each style layer counts this many times what the one before it does; the mean weight stays [default: 1].
    #[arg(long, value_name = "FACTOR", allow_negative_numbers = true)]
    pub(crate) style_layer_growth: Option<f64>,
    /// What a difference of neighbouring pixels costs.
    #[arg(long, value_name = "FORM")]
    pub(crate) tv: Option<TvForm>,
    /// Whether content and total variation are means, or sums as in older projects.
    #[arg(long, value_name = "HOW")]
    pub(crate) reduction: Option<ReductionName>,
    /// Let each layer pull as hard as its weight says, however large its loss is.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    pub(crate) normalize_gradients: Option<bool>,
    /// Whose colours: style, or the photo's: luminance (only light and dark are painted), match-cholesky, match-symmetric,
    /// match-transport (the painting's colours are moved to them first) [default: style].
    #[arg(long, value_name = "COLORS")]
    pub(crate) colors: Option<ColourName>,
    /// Weight of photorealism: the result is to be a local change of the photo's colours (matting Laplacian) [default: 0].
    #[arg(long, value_name = "WEIGHT", allow_negative_numbers = true)]
    pub(crate) photorealism: Option<f64>,
}

#[derive(Args)]
#[command(next_help_heading = "Optimisation")]
pub(crate) struct OptimisationArgs {
    /// Longest side of the result, in pixels; a smaller photo stays as it is; 0 for the photo's own size [default: 512].
    #[arg(long, value_name = "PX")]
    pub(crate) size: Option<u32>,
    /// Longest side of the paintings over that of the result; below 1 gives finer strokes [default: 1].
    #[arg(long, value_name = "FACTOR", allow_negative_numbers = true)]
    pub(crate) style_scale: Option<f64>,
    /// Where to start: content, style, gaussian[:DEVIATION], uniform[:LEVELS], blend[:NOISE SHARE], or a picture's file.
    #[arg(long, value_name = "START")]
    pub(crate) init: Option<String>,
    /// What is optimised: pixels, or network, the weights of a small one that paints the photo and leaves its lines where
    /// they are.
    #[arg(long, value_name = "WHAT")]
    pub(crate) parametrization: Option<ParametrizationName>,
    /// Channels of that network at full resolution.
    #[arg(long, value_name = "CHANNELS")]
    pub(crate) network_width: Option<i64>,
    /// lbfgs or adam.
    #[arg(long, value_name = "NAME")]
    pub(crate) optimizer: Option<OptimizerName>,
    /// Evaluations of the loss at the result's size; a quarter as many at each smaller one on the way, or all where there is
    /// no photo.
    #[arg(long, value_name = "COUNT")]
    pub(crate) iterations: Option<u32>,
    /// Sizes on the way: auto (steps of the square root of 2 from 128 on), none, or longest sides as in 128,256.
    #[arg(long, value_name = "SIZES")]
    pub(crate) scales: Option<Ladder>,
    /// Learning rate: for Adam levels (of 0..255) a step, for L-BFGS the first step of each line search.
    #[arg(long, value_name = "RATE", allow_negative_numbers = true)]
    pub(crate) lr: Option<f64>,
    /// Multiply Adam's rate by FACTOR after every so many STEPS.
    #[arg(long, value_name = "STEPS,FACTOR", value_delimiter = ',', num_args = 1)]
    pub(crate) lr_decay: Option<Vec<f64>>,
    /// Adam's decay of the mean gradient.
    #[arg(long, value_name = "DECAY", allow_negative_numbers = true)]
    pub(crate) beta1: Option<f64>,
    /// Adam's decay of the mean squared gradient.
    #[arg(long, value_name = "DECAY", allow_negative_numbers = true)]
    pub(crate) beta2: Option<f64>,
    /// Adam's epsilon; a smaller one wakes up areas that stay grey.
    #[arg(long, value_name = "EPSILON", allow_negative_numbers = true)]
    pub(crate) epsilon: Option<f64>,
    /// The result is a moving average of Adam's pictures with this decay, such as 0.99; 0 for none.
    #[arg(long, value_name = "DECAY", allow_negative_numbers = true)]
    pub(crate) average: Option<f64>,
    /// L-BFGS's memory: steps that it remembers [default: 100].
    #[arg(long, value_name = "STEPS")]
    pub(crate) history: Option<usize>,
    /// L-BFGS's line search: strong-wolfe, or fixed steps as in neural-style [default: strong-wolfe].
    #[arg(long, value_name = "NAME", value_parser = line_search)]
    pub(crate) line_search: Option<LineSearch>,
    /// End L-BFGS where an iteration changes the loss by no more than this part of it; 0 never.
    #[arg(long, value_name = "PART", allow_negative_numbers = true)]
    pub(crate) tolerance: Option<f64>,
    /// Write the picture of the lowest loss (best) or the last one.
    #[arg(long, value_name = "WHICH")]
    pub(crate) keep: Option<KeepName>,
    /// Decides noise and fresh networks [default: 1].
    #[arg(long)]
    pub(crate) seed: Option<u64>,
    /// What the loss network computes in: f32, tf32 or bf16; VGG only [default: f32].
    #[arg(long)]
    pub(crate) precision: Option<Precision>,
}

#[derive(Args)]
#[command(next_help_heading = "Seeing")]
pub(crate) struct SeeingArgs {
    /// Write a snapshot beside the output after every so many iterations: out.000100.png.
    #[arg(long, value_name = "ITERATIONS", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) save_every: Option<u32>,
    /// Renew the output every few seconds while it is painted, for a viewer that looks again.
    #[arg(long)]
    pub(crate) preview: bool,
    /// Write curves and pictures for `tensorboard --logdir FOLDER`.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) tensorboard: Option<PathBuf>,
    /// Say nothing but errors and the output's name.
    #[arg(long, short, conflicts_with = "json")]
    pub(crate) quiet: bool,
    /// Print the losses of each iteration to stdout, a JSON object a line.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Clone, Copy)]
#[command(next_help_heading = "Machine")]
pub(crate) struct GatysMachineArgs {
    #[command(flatten)]
    pub(crate) compute: ComputeArgs,
    /// Most memory that the features may take, as 2G or 700M: larger pictures are looked at in strips, to the same result
    /// [default: what is free].
    #[arg(long, value_name = "BYTES", value_parser = memory::parse_bytes)]
    pub(crate) memory: Option<u64>,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum TvForm {
    /// Its square.
    Squared,
    /// Its size.
    Absolute,
    /// That of the Keras example.
    Keras,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum ReductionName {
    Mean,
    Sum,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum ColourName {
    Style,
    Luminance,
    MatchCholesky,
    MatchSymmetric,
    MatchTransport,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum ParametrizationName {
    Pixels,
    Network,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum OptimizerName {
    Lbfgs,
    Adam,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum KeepName {
    Best,
    Last,
}

fn pooling(name: &str) -> Result<Pooling, String> {
    match name {
        "max" => Ok(Pooling::Max),
        "average" | "avg" => Ok(Pooling::Average),
        _ => Err("expected max or average".to_owned()),
    }
}

fn line_search(name: &str) -> Result<LineSearch, String> {
    match name {
        "strong-wolfe" => Ok(LineSearch::StrongWolfe),
        "fixed" => Ok(LineSearch::Fixed),
        _ => Err("expected strong-wolfe or fixed".to_owned()),
    }
}
