//! `cargo xtask collection`: the styles that ship trained again, each by its own card.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};
use xshell::cmd;

use super::{Card, FOLDER, Style, shipped};
use crate::libtorch::{self, digest};
use crate::workspace;

/// Where the runs go, from the root of the workspace.
const RUNS: &str = "runs/collection";

#[derive(clap::Args)]
pub(crate) struct Options {
    /// The styles to train again [default: all that ship]
    names: Vec<String>,
    /// Folder of the paintings, whatever they are called: they are told by their contents
    #[arg(long, value_name = "FOLDER")]
    paintings: PathBuf,
    /// Folder of photos to learn on
    #[arg(long, value_name = "FOLDER")]
    data: PathBuf,
    /// Folder of other photos to judge by
    #[arg(long, value_name = "FOLDER")]
    val_data: Option<PathBuf>,
    /// The loss network: a name or a file [default: vgg19]
    #[arg(long, value_name = "NAME|FILE")]
    loss_net: Option<String>,
    /// Put each style file into checkpoints/ when it is done
    #[arg(long)]
    install: bool,
    /// More for `trainer train`, such as `-- --precision bf16 --steps 8000`
    #[arg(last = true)]
    extra: Vec<OsString>,
}

/// Called again, it goes on where it was: runs that are done are left alone, one that is half done is resumed.
pub(crate) fn run(options: &Options) -> Result<()> {
    let root = workspace::root();
    let styles = shipped(&root.join(FOLDER))?;
    for name in &options.names {
        ensure!(styles.iter().any(|style| style.name == *name), "no style {name:?} in {FOLDER}/");
    }
    let wanted = |style: &&Style| options.names.is_empty() || options.names.contains(&style.name);
    let trainings: Vec<(&Style, Card)> =
        styles.iter().filter(wanted).map(|style| Ok((style, style.card()?))).collect::<Result<_>>()?;
    let paintings = by_contents(&options.paintings)?;
    // What is missing is said before hours of training.
    let trainings = in_order(trainings)
        .into_iter()
        .map(|(style, card)| {
            let painting = card.painting.picture_sha256.as_ref().and_then(|sha256| paintings.get(sha256));
            let painting = painting.with_context(|| {
                let folder = options.paintings.display();
                format!("the painting of {} ({}) is not in {folder}", style.name, card.caption(&style.name))
            })?;
            Ok((style, card, painting.as_path()))
        })
        .collect::<Result<Vec<_>>>()?;
    libtorch::ensure(&libtorch::Options::default())?;
    for (style, card, painting) in &trainings {
        train(options, style, card, painting)?;
    }
    Ok(())
}

fn train(options: &Options, style: &Style, card: &Card, painting: &Path) -> Result<()> {
    let shell = workspace::shell()?;
    let cargo = workspace::cargo();
    let name = &style.name;
    let run = workspace::root().join(RUNS).join(name);
    let result = run.join(format!("{name}.safetensors"));
    let mut args: Vec<OsString> = vec!["train".into()];
    if result.is_file() {
        println!("{name}: done already");
    } else {
        if run.join("config.toml").is_file() {
            args.extend(["--resume".into(), run.clone().into()]);
        } else {
            let with_value = [
                ("--recipe-of", Some(style.path.clone().into_os_string())),
                ("--name", Some(name.into())),
                ("--runs", Some(RUNS.into())),
                ("--style", Some(painting.into())),
                ("--data", Some(options.data.clone().into())),
                ("--val-data", options.val_data.clone().map(Into::into)),
                ("--loss-net", options.loss_net.clone().map(Into::into)),
                ("--title", card.painting.title.clone().map(Into::into)),
                ("--artist", card.painting.artist.clone().map(Into::into)),
                ("--year", card.painting.year.clone().map(Into::into)),
                ("--licence", card.painting.licence.clone().map(Into::into)),
            ];
            for (option, value) in with_value {
                args.extend(value.into_iter().flat_map(|value| [option.into(), value]));
            }
        }
        args.extend(options.extra.iter().cloned());
        cmd!(shell, "{cargo} run --quiet --release -p trainer -- {args...}").run()?;
    }
    if options.install {
        ensure!(result.is_file(), "{name} has not been trained to its end: {}", run.display());
        fs::copy(&result, &style.path).with_context(|| format!("writing {}", style.path.display()))?;
    }
    Ok(())
}

/// Styles that others go on from come first.
fn in_order(mut waiting: Vec<(&Style, Card)>) -> Vec<(&Style, Card)> {
    let mut ordered: Vec<(&Style, Card)> = Vec::new();
    while !waiting.is_empty() {
        let is_waiting = |name: &str| waiting.iter().any(|(style, _)| style.name == name);
        // A circle has no first; take any.
        let next = waiting
            .iter()
            .position(|(_, card)| !card.recipe.from.as_deref().is_some_and(is_waiting))
            .unwrap_or(0);
        ordered.push(waiting.remove(next));
    }
    ordered
}

/// The files in a folder by their SHA-256.
fn by_contents(folder: &Path) -> Result<BTreeMap<String, PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| format!("listing {}", folder.display()))?;
    let mut found = BTreeMap::new();
    for entry in entries {
        let path = entry?.path();
        if path.is_file() {
            found.insert(digest::sha256(&path)?, path);
        }
    }
    if found.is_empty() {
        bail!("no pictures in {}", folder.display());
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_go_on_from_comes_first() {
        let style = |name: &str| Style { name: name.to_owned(), path: PathBuf::new() };
        let card = |from: &str| -> Card {
            serde_json::from_value(serde_json::json!({ "painting": {}, "recipe": { "from": from } })).unwrap()
        };
        let styles = [style("a"), style("b"), style("c"), style("d")];
        let trainings = styles.iter().zip(["b", "d", "not here", "c"].map(card)).collect();
        let order: Vec<&str> = in_order(trainings).iter().map(|(style, _)| style.name.as_str()).collect();
        assert_eq!(order, ["c", "d", "b", "a"]);
        let trainings = styles.iter().zip(["b", "a", "a", "b"].map(card)).collect();
        assert_eq!(in_order(trainings).len(), 4, "circles end");
    }

    #[test]
    fn paintings_are_told_by_their_contents() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("x.jpg"), "abc").unwrap();
        let found = by_contents(folder.path()).unwrap();
        // FIPS 180-4's example.
        let (sha256, path) = found.iter().next().unwrap();
        assert!(sha256.starts_with("ba7816bf8f01cfea") && path.ends_with("x.jpg"));
    }
}
