//! Where the workspace is and how a chore runs commands in it.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use xshell::Shell;

/// The folder of our own pictures, plain and painted, relative to the root.
pub(crate) const SAMPLES: &str = "checkpoints/samples";

/// The folder with the workspace's `Cargo.toml`.
pub(crate) fn root() -> PathBuf {
    // Cargo names the manifest's folder at run time too: right even where checkouts share a target folder.
    let xtask = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    Path::new(&xtask).parent().expect("xtask lies in the workspace").to_owned()
}

/// A shell whose commands run in the root and are echoed to stderr.
pub(crate) fn shell() -> Result<Shell> {
    let shell = Shell::new().context("opening a shell")?;
    shell.change_dir(root());
    Ok(shell)
}

/// The cargo that runs this program, so that a chore never mixes toolchains.
pub(crate) fn cargo() -> PathBuf {
    env::var_os("CARGO").map_or_else(|| "cargo".into(), PathBuf::from)
}
