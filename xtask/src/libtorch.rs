//! `cargo xtask libtorch`: makes sure that the one libtorch that tch was generated for is there.
//!
//! Looked for in this order:
//! 1. `LIBTORCH`, where the user has set it (not where `.cargo/config.toml` has);
//! 2. the target folder, `.libtorch`, where it is already complete;
//! 3. the official archive of the PyTorch project;
//! 4. the wheels on PyPI, by way of pip.
//!
//! **What is trusted.** A file is used only when its sha256 is the one in [`pins`]. Where none is pinned
//! (the official archive), TLS says only who sent the file, not that it is the file this code was tested with,
//! nor that the server was sound that day; so such a source is passed over, with that reason, unless the user
//! asks for it by `--allow-unpinned`. Nobody loses by this: the wheels hold the same libraries, and are pinned.
//!
//! **What is left behind.** Archives collect in `<target>.download`, so that an interrupted set-up continues; the
//! tree grows there too and takes the target's place by one rename, so that there is never half a tree.

pub(crate) mod digest;
mod download;
mod install;
mod layout;
mod official;
mod pins;
mod progress;
mod scratch;
mod stamp;
mod tree;
mod wheels;

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};

pub(crate) use self::pins::VERSION;

use self::install::Installer;
use self::layout::Flavour;
use self::official::Official;
use self::wheels::Wheels;
use crate::workspace;

#[derive(clap::Args, Default)]
pub(crate) struct Options {
    /// The full tree with CUDA 13.0 (some 2.5 GB to fetch, 3.6 GB on disk) instead of the CPU's part alone
    #[arg(long)]
    cuda: bool,
    /// Where the tree goes; LIBTORCH is then not looked at [default: .libtorch in the workspace]
    #[arg(long, value_name = "DIR")]
    into: Option<PathBuf>,
    /// Fetch and lay the tree anew even where it is complete
    #[arg(long)]
    force: bool,
    /// Also accept an archive whose sha256 this program does not know (it is then shown and recorded)
    #[arg(long)]
    allow_unpinned: bool,
}

/// Returns the folder of a libtorch that can be built with, fetching it first where there is none.
pub(crate) fn ensure(options: &Options) -> Result<PathBuf> {
    let flavour = if options.cuda { Flavour::Cuda } else { Flavour::Cpu };
    let own = workspace::root().join(".libtorch");

    // Who names a folder or asks for a new tree does not mean the one in the environment.
    if options.into.is_none()
        && !options.force
        && let Some(theirs) = users_choice(env::var_os("LIBTORCH"), &own)
    {
        check_users_choice(&theirs, flavour)?;
        eprintln!("libtorch: as LIBTORCH says, {}", theirs.display());
        return Ok(theirs);
    }

    let target = options.into.as_deref().unwrap_or(&own);
    let target = std::path::absolute(target).with_context(|| format!("finding {}", target.display()))?;
    let installer = Installer {
        flavour,
        force: options.force,
        sources: vec![Box::new(Official::new(options.allow_unpinned)), Box::new(Wheels::default())],
    };
    installer.run(&target)?;
    Ok(target)
}

/// What the user has put into `LIBTORCH`. Our own folder does not count: `.cargo/config.toml` sets the variable to
/// it for everything that cargo starts, this program included.
fn users_choice(variable: Option<OsString>, own: &Path) -> Option<PathBuf> {
    let theirs = PathBuf::from(variable.filter(|value| !value.is_empty())?);
    let real = |path: &Path| path.canonicalize().or_else(|_| std::path::absolute(path));
    match (real(&theirs), real(own)) {
        (Ok(theirs), Ok(own)) if theirs == own => None,
        _ => Some(theirs),
    }
}

/// A wish that cannot be fulfilled is an error: falling back on another libtorch would only hide it.
fn check_users_choice(theirs: &Path, flavour: Flavour) -> Result<()> {
    let shown = theirs.display();
    // The build script of torch-sys reads the variable in its own folder.
    ensure!(theirs.is_absolute(), "LIBTORCH must be an absolute path, found {shown}");
    tree::check_usable(theirs, flavour)
        .with_context(|| format!("LIBTORCH cannot serve (unset it to have libtorch fetched): {shown}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_that_cargo_sets_is_no_choice_of_the_users() {
        let own = Path::new("/somewhere/atelier/.libtorch");
        assert_eq!(users_choice(None, own), None);
        assert_eq!(users_choice(Some("".into()), own), None);
        assert_eq!(users_choice(Some(own.into()), own), None);
        assert_eq!(users_choice(Some("/somewhere/atelier/.libtorch/".into()), own), None);
        assert_eq!(users_choice(Some("/opt/libtorch".into()), own), Some("/opt/libtorch".into()));
    }

    #[test]
    fn a_choice_that_cannot_serve_is_an_error_that_says_why() {
        let empty = tempfile::tempdir().unwrap();
        let error = format!("{:#}", check_users_choice(empty.path(), Flavour::Cpu).unwrap_err());
        assert!(error.contains("LIBTORCH") && error.contains("torch_cpu"), "{error}");
        assert!(check_users_choice(Path::new("libtorch"), Flavour::Cpu).is_err());
    }
}
