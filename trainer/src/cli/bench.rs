//! The arguments of `trainer bench`.

use std::num::NonZeroUsize;

use clap::Args;
use common::precision::Precision;
use trainer::recipe::NamedRecipe;

use super::compute::ComputeArgs;

#[derive(Args)]
pub(crate) struct BenchArgs {
    /// The recipe whose step is measured.
    #[arg(long, value_name = "NAME", default_value = "atelier")]
    pub(crate) recipe: NamedRecipe,
    /// Photos in a step [default: the recipe's].
    #[arg(long)]
    pub(crate) batch: Option<NonZeroUsize>,
    /// Side of the photos, in pixels [default: the recipe's].
    #[arg(long, value_name = "PX", value_parser = clap::value_parser!(u32).range(16..=4096))]
    pub(crate) size: Option<u32>,
    /// Steps that are timed.
    #[arg(long, default_value = "5")]
    pub(crate) steps: NonZeroUsize,
    /// What the convolutions compute in: f32, tf32 or bf16.
    #[arg(long, value_name = "FORMAT", default_value = "f32")]
    pub(crate) precision: Precision,
    #[command(flatten)]
    pub(crate) compute: ComputeArgs,
    /// One line of JSON instead of a table.
    #[arg(long)]
    pub(crate) json: bool,
}
