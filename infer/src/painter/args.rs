//! The controls, exactly as they are typed.

use std::path::PathBuf;

use clap::Args;

use super::Look;

/// What can be asked of the painting itself.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct PainterArgs {}

impl PainterArgs {
    /// The looks that these styles are asked for in: one look of each style.
    #[allow(clippy::unused_self, clippy::unnecessary_wraps)]
    pub(crate) fn looks(&self, styles: Vec<PathBuf>) -> anyhow::Result<Vec<Look>> {
        Ok(styles.into_iter().map(|style| Look { style }).collect())
    }
}
