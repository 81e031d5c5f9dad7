//! `infer convert`.

use std::path::PathBuf;

use crate::completions::style_names;

use clap::{Args, ValueEnum};
use common::tensor_file::StoredAs;

#[derive(Args)]
pub(crate) struct ConvertArgs {
    /// The network: a style's name or file, or a file of pytorch/examples, lengstrom/fast-style-transfer or
    /// rrmina/fast-neural-style-pytorch, as torch.save writes it (.pth, .pt, .model), as safetensors or as ONNX. Nothing
    /// that a file may hold beside numbers is run.
    #[arg(value_name = "NAME|FILE", add = style_names())]
    pub(crate) input: String,
    /// The file to write. Ending in .safetensors it is a style, which is also a PyTorch state_dict for the network of
    /// pytorch/examples; ending in .onnx it is for ONNX Runtime and its like, for pictures of any size.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
    /// Replace the output if it is there.
    #[arg(long)]
    pub(crate) overwrite: bool,
    /// Number format of the weights: f16 paints the same to the eye in half the size. What is computed with them is f32 in
    /// any case.
    #[arg(long, value_name = "FORMAT", default_value = "f16")]
    pub(crate) store: NumberFormat,
    #[command(flatten)]
    pub(crate) card: CardArgs,
}

/// What the card is to say; what is not given stays as it was.
#[derive(Args)]
#[command(next_help_heading = "The card")]
pub(crate) struct CardArgs {
    /// What the style is called [default: as the output].
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// The painting's title.
    #[arg(long)]
    pub(crate) title: Option<String>,
    /// Who painted it.
    #[arg(long)]
    pub(crate) artist: Option<String>,
    /// When, as `1889` or `c. 1831`.
    #[arg(long)]
    pub(crate) year: Option<String>,
    /// Under which terms another project's weights may be used.
    #[arg(long)]
    pub(crate) licence: Option<String>,
    /// Where another project published them.
    #[arg(long)]
    pub(crate) source: Option<String>,
}

/// A number format as it is named on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum NumberFormat {
    F16,
    F32,
}

impl From<NumberFormat> for StoredAs {
    fn from(format: NumberFormat) -> Self {
        match format {
            NumberFormat::F16 => Self::F16,
            NumberFormat::F32 => Self::F32,
        }
    }
}
