//! The controls, exactly as they are typed.

use clap::Args;

/// What can be asked of the painting itself.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct PainterArgs {}
