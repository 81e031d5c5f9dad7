//! `cargo xtask collection`: the styles that ship trained again, each by its own card.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};
use sha2::{Digest as _, Sha256};
use xshell::cmd;

use super::card::{Card, Painting, Parent, Training};
use super::{FOLDER, Style, shipped};
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

/// A training to be done, in a run folder of its own.
struct Stage<'a> {
    /// The style whose card has the recipe, and which of the trainings in it this is, from 1.
    style: &'a Style,
    number: usize,
    training: &'a Training,
    painting: &'a Path,
    /// The folder that has the run's folder in it. What began alike is in the same and is trained once.
    runs: PathBuf,
    /// The style files that it goes on from, and how much each counts.
    from: Vec<(PathBuf, f64)>,
}

/// Called again, it goes on where it was: runs that are done are left alone, one that is half done is resumed.
pub(crate) fn run(options: &Options) -> Result<()> {
    let root = workspace::root();
    let styles = shipped(&root.join(FOLDER))?;
    for name in &options.names {
        ensure!(styles.iter().any(|style| style.name == *name), "no style {name:?} in {FOLDER}/");
    }
    let wanted = |style: &&Style| options.names.is_empty() || options.names.contains(&style.name);
    let wanted: Vec<(&Style, Card)> =
        styles.iter().filter(wanted).map(|style| Ok((style, style.card()?))).collect::<Result<_>>()?;
    let paintings = by_contents(&options.paintings)?;
    // What is missing is said before hours of training.
    let lineages: Vec<Vec<Stage<'_>>> = wanted
        .iter()
        .map(|(style, card)| stages(style, card, &paintings, &root.join(RUNS)))
        .collect::<Result<_>>()
        .with_context(|| format!("of the paintings in {}", options.paintings.display()))?;
    libtorch::ensure(&libtorch::Options::default())?;
    for stages in &lineages {
        for stage in stages {
            stage.train(options)?;
        }
        if let (true, Some(last)) = (options.install, stages.last()) {
            let Style { name, path } = last.style;
            let result = last.result();
            ensure!(last.is_done(), "{name} has not been trained to its end: {}", result.display());
            fs::copy(&result, path).with_context(|| format!("writing {}", path.display()))?;
        }
    }
    Ok(())
}

/// All that it takes to train a style from a fresh network on.
fn stages<'a>(
    style: &'a Style,
    card: &'a Card,
    paintings: &'a BTreeMap<String, PathBuf>,
    runs: &Path,
) -> Result<Vec<Stage<'a>>> {
    let mut ids: Vec<String> = Vec::new();
    let mut stages: Vec<Stage<'_>> = Vec::new();
    for (index, training) in card.lineage().enumerate() {
        let parents = training.parents(index);
        if let (true, Some(from)) = (parents.is_empty(), training.from()) {
            bail!("the card of {} does not say how {from} was trained, which it went on from", style.name);
        }
        let sha256 = training.painting.picture_sha256.as_ref();
        let painting = sha256.and_then(|sha256| paintings.get(sha256)).with_context(|| {
            format!("none is {}, which {} learnt", training.painting.caption(), style.name)
        })?;
        let mut led_to_it = Sha256::new_with_prefix(serde_json::to_string(&(sha256, &training.recipe))?);
        let mut from = Vec::new();
        for Parent { ancestor, weight } in parents {
            ensure!((1..=index).contains(&ancestor), "the card of {} is broken", style.name);
            led_to_it.update(format!("{} {weight}", ids[ancestor - 1]));
            from.push((stages[ancestor - 1].result(), weight));
        }
        let id = digest::hex(&led_to_it.finalize())[..8].to_owned();
        stages.push(Stage { style, number: index + 1, training, painting, runs: runs.join(&id), from });
        ids.push(id);
    }
    Ok(stages)
}

impl Stage<'_> {
    fn run_folder(&self) -> PathBuf {
        self.runs.join(&self.training.painting.name)
    }

    /// The style file, which is there from the first checkpoint on.
    fn result(&self) -> PathBuf {
        self.run_folder().join(format!("{}.safetensors", self.training.painting.name))
    }

    fn is_done(&self) -> bool {
        let training = Card::read(&self.result()).ok().map(|card| card.training);
        training.is_some_and(|Training { recipe, outcome, .. }| {
            outcome.is_some_and(|outcome| recipe["steps"].as_u64() == Some(outcome.steps))
        })
    }

    fn train(&self, options: &Options) -> Result<()> {
        let shell = workspace::shell()?;
        let cargo = workspace::cargo();
        let Painting { name, title, artist, year, licence, .. } = &self.training.painting;
        let text = |value: &Option<String>| value.clone().map(OsString::from);
        let mut args: Vec<OsString> = vec!["train".into()];
        let run = self.run_folder();
        if self.is_done() {
            println!("{name}: done already: {}", run.display());
            return Ok(());
        }
        if run.join("config.toml").is_file() {
            args.extend(["--resume".into(), run.into()]);
        } else {
            let with_value = [
                ("--recipe-of", Some(self.style.path.clone().into())),
                ("--ancestor", Some(self.number.to_string().into())),
                ("--name", Some(name.into())),
                ("--runs", Some(self.runs.clone().into())),
                ("--style", Some(self.painting.into())),
                ("--data", Some(options.data.clone().into())),
                ("--val-data", options.val_data.clone().map(Into::into)),
                ("--loss-net", options.loss_net.clone().map(Into::into)),
                ("--title", text(title)),
                ("--artist", text(artist)),
                ("--year", text(year)),
                ("--licence", text(licence)),
            ];
            for (option, value) in with_value {
                args.extend(value.into_iter().flat_map(|value| [option.into(), value]));
            }
            for (style, weight) in &self.from {
                let mut network = style.clone().into_os_string();
                network.push(format!("={weight}"));
                args.extend(["--from".into(), network]);
            }
        }
        args.extend(options.extra.iter().cloned());
        cmd!(shell, "{cargo} run --quiet --release -p trainer -- {args...}").run()?;
        Ok(())
    }
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

    fn card(trainings: &[(&str, &str)]) -> Card {
        let training = |(name, from): &(&str, &str)| {
            let painting = serde_json::json!({ "name": name, "picture_sha256": format!("sha of {name}") });
            serde_json::json!({ "painting": painting, "recipe": { "steps": 3, "from": from } })
        };
        let mut card = training(trainings.last().unwrap());
        card["ancestors"] = trainings[..trainings.len() - 1].iter().map(training).collect();
        if card["ancestors"][0].is_null() {
            card["recipe"]["from"].take();
        } else {
            card["ancestors"][0]["recipe"]["from"].take();
        }
        serde_json::from_value(card).unwrap()
    }

    #[test]
    fn a_style_is_trained_from_its_first_ancestor_on() {
        let paintings = ["wave", "scream", "mosaic"]
            .map(|name| (format!("sha of {name}"), PathBuf::from(format!("{name}.jpg"))))
            .into();
        let style = |name: &str| Style { name: name.to_owned(), path: PathBuf::new() };
        let of = |trainings: &[(&str, &str)]| {
            let (style, card) = (style("any"), card(trainings));
            let stages = stages(&style, &card, &paintings, Path::new("runs")).unwrap();
            stages
                .iter()
                .map(|stage| (stage.number, stage.from.clone(), stage.result(), stage.painting.to_owned()))
                .collect::<Vec<_>>()
        };
        let scream = of(&[("wave", ""), ("scream", "wave"), ("scream", "scream")]);
        assert_eq!(scream.iter().map(|stage| stage.0).collect::<Vec<_>>(), [1, 2, 3]);
        assert_eq!(scream[0].1, []);
        assert_eq!(
            [&scream[1].1, &scream[2].1],
            [&[(scream[0].2.clone(), 1.0)], &[(scream[1].2.clone(), 1.0)]]
        );
        assert!(scream[2].2.ends_with("scream/scream.safetensors") && scream[2].3 == Path::new("scream.jpg"));
        // What began alike is trained once; the same painting learnt twice has two folders.
        let mosaic = of(&[("wave", ""), ("mosaic", "wave")]);
        assert_eq!(mosaic[0].2, scream[0].2);
        assert_ne!(scream[1].2, scream[2].2);
    }

    #[test]
    fn a_mean_is_taken_of_what_was_trained_again() {
        let mut card = card(&[("wave", ""), ("left", "wave"), ("right", "wave"), ("mean", "left + right")]);
        let parents = |parents: &[(usize, f64)]| {
            Some(parents.iter().map(|&(ancestor, weight)| Parent { ancestor, weight }).collect())
        };
        card.ancestors[2].parents = parents(&[(1, 1.0)]);
        card.training.parents = parents(&[(2, 0.7), (3, 0.3)]);
        let paintings = ["wave", "left", "right", "mean"]
            .map(|name| (format!("sha of {name}"), PathBuf::from(format!("{name}.jpg"))))
            .into();
        let style = Style { name: "mean".to_owned(), path: PathBuf::new() };
        let trained = stages(&style, &card, &paintings, Path::new("runs")).unwrap();
        assert_eq!(trained[2].from, [(trained[0].result(), 1.0)]);
        assert_eq!(trained[3].from, [(trained[1].result(), 0.7), (trained[2].result(), 0.3)]);
        // Another mean is another network, in another folder.
        let before = trained[3].result();
        card.training.parents = parents(&[(2, 0.6), (3, 0.4)]);
        assert_ne!(stages(&style, &card, &paintings, Path::new("runs")).unwrap()[3].result(), before);
        card.training.parents = parents(&[(4, 1.0)]);
        assert!(stages(&style, &card, &paintings, Path::new("runs")).is_err());
    }

    #[test]
    fn what_is_missing_is_said() {
        let style = Style { name: "scream".to_owned(), path: PathBuf::new() };
        let failure = |card: &Card| {
            stages(&style, card, &BTreeMap::new(), Path::new("runs")).err().unwrap().to_string()
        };
        assert_eq!(failure(&card(&[("scream", "")])), "none is *scream*, which scream learnt");
        let mut orphan = card(&[("scream", "")]);
        orphan.training.recipe["from"] = "wave".into();
        assert!(failure(&orphan).contains("does not say how wave was trained"));
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
