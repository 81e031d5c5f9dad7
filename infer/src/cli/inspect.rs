//! `infer inspect`.

use clap::Args;

use crate::completions::style_names;

#[derive(Args)]
pub(crate) struct InspectArgs {
    /// A style's name or file, a loss network's file, or a file of another project's network.
    #[arg(value_name = "NAME|FILE", add = style_names())]
    pub(crate) file: String,
    /// Print a JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}
