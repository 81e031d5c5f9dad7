//! `cargo xtask demo`: from a fresh checkout to a repainted picture with one command.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use xshell::cmd;

use crate::collection::{FOLDER, shipped};
use crate::{libtorch, workspace};

/// Relative to the root, like all paths here: infer is started there.
const PHOTO: &str = "checkpoints/samples/valley.jpg";
const PREFERRED: &str = "starry-night";

#[derive(clap::Args)]
pub(crate) struct Options {
    /// The style to paint with, by its name in checkpoints/ [default: starry-night, or the first there is]
    #[arg(long, value_name = "NAME")]
    style: Option<String>,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let root = workspace::root();
    // What is missing is said before minutes of building.
    ensure!(root.join(PHOTO).is_file(), "{PHOTO} is missing: make it with `cargo xtask sample`");
    let names: Vec<String> = shipped(&root.join(FOLDER))?.into_iter().map(|style| style.name).collect();
    let name = choose(&names, options.style.as_deref())?;
    libtorch::ensure(&libtorch::Options::default())?;

    let shell = workspace::shell()?;
    let cargo = workspace::cargo();
    let style = format!("{FOLDER}/{name}.safetensors");
    let picture = Path::new("out").join(format!("valley.{name}.png"));
    shell.create_dir("out")?;
    cmd!(shell, "{cargo} build --release -p infer").run()?;
    // Through `cargo run`, since only cargo knows where the target folder is.
    let said = cmd!(
        shell,
        "{cargo} run --quiet --release -p infer -- image {PHOTO} --style {style} -o {picture} --overwrite"
    )
    .read()?;

    let picture = root.join(picture);
    ensure!(picture.is_file(), "infer ended well but left no picture at {}", picture.display());
    if !said.is_empty() {
        println!("{said}");
    }
    if !said.lines().last().is_some_and(|last| names_picture(last, name)) {
        println!("{}", picture.display());
    }
    Ok(())
}

fn choose<'a>(names: &'a [String], wanted: Option<&str>) -> Result<&'a str> {
    let (first, listed) = (names.first(), names.join(", "));
    let first = first.context("checkpoints/ holds no style file (*.safetensors) to paint with")?;
    match wanted {
        Some(wanted) => names
            .iter()
            .find(|name| *name == wanted)
            .with_context(|| format!("no style {wanted:?} in checkpoints/, which has: {listed}"))
            .map(String::as_str),
        None => Ok(names.iter().find(|name| *name == PREFERRED).unwrap_or(first)),
    }
}

/// Does infer's last line tell where the picture is, so that it need not be said twice?
fn names_picture(line: &str, style: &str) -> bool {
    line.trim_end().ends_with(&format!("valley.{style}.png"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_preferred_style_comes_first_else_the_alphabet_decides() {
        assert_eq!(choose(&names(&["a", "starry-night", "z"]), None).unwrap(), "starry-night");
        assert_eq!(choose(&names(&["a", "z"]), None).unwrap(), "a");
        assert_eq!(choose(&names(&["a", "z"]), Some("z")).unwrap(), "z");
    }

    #[test]
    fn an_unknown_style_is_answered_with_the_known_ones() {
        let error = choose(&names(&["a", "z"]), Some("q")).unwrap_err().to_string();
        assert!(error.contains("\"q\"") && error.contains("a, z"), "{error}");
        assert!(choose(&[], None).is_err());
    }
}
