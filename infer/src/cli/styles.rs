//! `infer styles`.

use clap::Args;

use crate::completions::style_names;

#[derive(Args)]
pub(crate) struct StylesArgs {
    /// Show all that this one says of itself: a name, or a style file.
    #[arg(value_name = "NAME|FILE", add = style_names())]
    pub(crate) style: Option<String>,
    /// Print a JSON object a line.
    #[arg(long)]
    pub(crate) json: bool,
}
