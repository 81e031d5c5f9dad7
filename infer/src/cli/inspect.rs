//! `infer inspect`.

use clap::Args;

#[derive(Args)]
pub(crate) struct InspectArgs {
    /// A style's name or file, a loss network's file, or a file of another project's network.
    #[arg(value_name = "NAME|FILE")]
    pub(crate) file: String,
    /// Print a JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}
