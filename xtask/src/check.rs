//! `cargo xtask check`: everything that must hold before a change goes in, cheapest first.

use anyhow::Result;
use xshell::cmd;

use crate::{libtorch, test, workspace};

pub(crate) fn run() -> Result<()> {
    let shell = workspace::shell()?;
    let cargo = workspace::cargo();

    cmd!(shell, "{cargo} fmt --check").run()?;

    // From here on libtorch's headers are needed, even where nothing is linked.
    libtorch::ensure(&libtorch::Options::default())?;
    cmd!(shell, "{cargo} clippy --workspace --all-targets -- -D warnings").run()?;
    cmd!(shell, "{cargo} doc --workspace --no-deps").env("RUSTDOCFLAGS", "-D warnings").run()?;

    if cmd!(shell, "{cargo} deny --version").quiet().ignore_stdout().ignore_stderr().run().is_ok() {
        cmd!(shell, "{cargo} deny check").run()?;
    } else {
        eprintln!("`cargo deny check` left out: cargo-deny is not installed (`cargo install cargo-deny`)");
    }

    test::run(&test::Options::default())
}
