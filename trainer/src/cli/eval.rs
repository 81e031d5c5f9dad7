//! `trainer eval`.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Args;
use common::loss::LayerWeights;

use super::compute::ComputeArgs;

#[derive(Args)]
pub(crate) struct EvalArgs {
    /// A style, by name or as a file; may be given several times, for a row each.
    #[arg(long = "style", value_name = "NAME|FILE", required = true)]
    pub(crate) styles: Vec<String>,
    /// Folder of photos to paint, with all folders in it.
    #[arg(long, value_name = "FOLDER", required_unless_present = "video")]
    pub(crate) data: Option<PathBuf>,
    /// Measure flicker instead: a folder of a film's frames in the order of their names, or of folders with a film each.
    #[arg(long, value_name = "FRAMES", conflicts_with_all = ["data", "size", "pictures"])]
    pub(crate) video: Option<PathBuf>,
    /// The films' true motion: .flo files named after the first frame of each pair, `flow_0_to_1.flo`, or as many in order;
    /// of several films in a folder each. Pixels that `occlusion.png` or `invalid.png` beside them mark do not count. Without
    /// it, motion is estimated from the photos.
    #[arg(long, value_name = "FOLDER", requires = "video", conflicts_with = "data")]
    pub(crate) flow: Option<PathBuf>,
    /// Measure each style's frames once more after they were steadied, as `infer video` does.
    #[arg(long, requires = "video", conflicts_with = "data")]
    pub(crate) steady: bool,
    /// How many frames of each film the losses are taken of, evenly spread.
    #[arg(long, value_name = "N", default_value = "8", conflicts_with = "data")]
    pub(crate) loss_frames: NonZeroUsize,
    /// The painting, which the style loss is measured against, at its own size; without it, there is none.
    #[arg(long, value_name = "PICTURE")]
    pub(crate) painting: Option<PathBuf>,
    /// The loss network: a name that `trainer fetch` lists, or a safetensors file of VGG-16, VGG-19, ResNet-50
    /// or Inception-v3.
    #[arg(long, value_name = "NAME|FILE", default_value = "vgg19")]
    pub(crate) loss_net: String,
    /// Side of the photos' centre squares that are painted, in pixels.
    #[arg(long, value_name = "PX", default_value_t = 256)]
    pub(crate) size: u32,
    /// Only the first N photos, by name; of films, the first N frames of each.
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<NonZeroUsize>,
    /// Layers that the content loss is taken at [default: those of a training].
    #[arg(long, value_name = "LAYERS")]
    pub(crate) content_layers: Option<LayerWeights>,
    /// Layers that the style loss is taken at [default: those of a training].
    #[arg(long, value_name = "LAYERS")]
    pub(crate) style_layers: Option<LayerWeights>,
    /// Print one JSON object instead of a table.
    #[arg(long)]
    pub(crate) json: bool,
    /// Also write the pictures as PNG, into a new folder here for each style.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) pictures: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) compute: ComputeArgs,
}
