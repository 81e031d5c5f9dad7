//! `cargo xtask golden`: makes the PyTorch golden files anew, with the pinned PyTorch.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use xshell::{Shell, cmd};

use crate::{libtorch, workspace};

const SCRIPT: &str = "tests/goldens/make_goldens.py";
const NUMPY: &str = "numpy==2.4.6";
const SAFETENSORS: &str = "safetensors==0.8.0";

#[derive(clap::Args)]
pub(crate) struct Options {
    /// A Python that has torch 2.11.0, numpy and safetensors [default: .venv, made where it is missing]
    #[arg(long, value_name = "PATH")]
    python: Option<PathBuf>,
    /// Handed to make_goldens.py, such as `--check`
    #[arg(last = true, value_name = "ARGS")]
    extra: Vec<OsString>,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    // The shell's folder is the root; a path that the user typed is meant from where the user is.
    let theirs = options.python.as_deref().map(absolute_if_path).transpose()?;
    let shell = workspace::shell()?;
    let python = match theirs {
        Some(python) => python,
        None => own_python(&shell)?,
    };
    let found = torch_version(&shell, &python).with_context(|| {
        format!("torch, numpy and safetensors cannot be imported by {}", python.display())
    })?;
    ensure!(
        is_pinned(&found),
        "the goldens are made with torch {}, found {found} in {}",
        libtorch::VERSION,
        python.display()
    );
    let extra = &options.extra;
    Ok(cmd!(shell, "{python} {SCRIPT} {extra...}").run()?)
}

/// A bare name such as `python3.12` is left for PATH to find.
fn absolute_if_path(python: &Path) -> Result<PathBuf> {
    if python.components().count() == 1 {
        return Ok(python.to_owned());
    }
    std::path::absolute(python).with_context(|| format!("finding {}", python.display()))
}

/// The Python of `.venv` with what the script needs, made and filled as far as it is not.
fn own_python(shell: &Shell) -> Result<PathBuf> {
    let venv = workspace::root().join(".venv");
    let python = venv.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    if torch_version(shell, &python).is_ok_and(|found| is_pinned(&found)) {
        return Ok(python);
    }
    cmd!(shell, "python3 -m venv {venv}")
        .run()
        .context("making .venv (on Debian this needs the package python3-venv)")?;
    let torch = format!("torch=={}", libtorch::VERSION);
    // From pip's own index, as the user has configured it. Where that is PyPI, torch brings the CUDA
    // libraries along (some 3 GB); PIP_INDEX_URL pointing at PyTorch's index of CPU builds avoids that.
    cmd!(shell, "{python} -m pip install {torch} {NUMPY} {SAFETENSORS}")
        .run()
        .context("filling .venv (Python 3.11 or newer; or name one that has all by `--python PATH`)")?;
    Ok(python)
}

fn torch_version(shell: &Shell, python: &Path) -> Result<String> {
    const PROBE: &str = "import torch, numpy, safetensors.torch; print(torch.__version__)";
    Ok(cmd!(shell, "{python} -c {PROBE}").quiet().ignore_stderr().read()?)
}

/// `2.11.0`, whatever it was built for (`2.11.0+cpu`, `2.11.0+cu130`).
fn is_pinned(found: &str) -> bool {
    found.split('+').next() == Some(libtorch::VERSION)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_build_of_torch_does_not_matter_but_the_version_does() {
        assert!(is_pinned("2.11.0") && is_pinned("2.11.0+cu130"));
        assert!(!is_pinned("2.11.1") && !is_pinned("2.11.0a0") && !is_pinned(""));
    }

    #[test]
    fn a_bare_interpreter_name_is_left_to_the_search_path() {
        assert_eq!(absolute_if_path(Path::new("python3.12")).unwrap(), Path::new("python3.12"));
        assert!(absolute_if_path(Path::new("env/bin/python")).unwrap().is_absolute());
    }
}
