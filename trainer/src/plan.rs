//! Arguments checked and completed, before anything is loaded or written.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use common::exit_status::UsageError;
use common::lossnet::{Layer, LossNetShelf, Vgg};
use common::net::Parameters;
use common::style_file::{self, Painting, Shelf};
use datasets::{PhotoFolder, centre_crops};
use pixel::{DecodeError, DecodeLimits, Picture};
use serde::Serialize;
use tch::Device;
use trainer::recipe::Recipe;
use trainer::training::TrainingInputs;
use trainer::validation::ValidationSet;

use crate::cli::{CardArgs, LearningArgs, LossArgs, MachineArgs, TrainArgs};

/// A training that can start: what it names is there and makes sense together.
pub(crate) struct TrainPlan {
    pub(crate) name: String,
    pub(crate) recipe: Recipe,
    pub(crate) runs: PathBuf,
    pub(crate) threads: Option<NonZeroUsize>,
    pub(crate) photos: PhotoFolder,
    validation: Option<PhotoFolder>,
    from: Option<Parameters>,
    paths: Paths,
    card: CardArgs,
    machine: MachineArgs,
    pub(crate) device: Device,
    painting_picture: Picture,
    painting_sha256: String,
}

/// Where everything comes from, for the run's configuration.
#[derive(Serialize)]
struct Paths {
    style: PathBuf,
    data: PathBuf,
    #[serde(skip_serializing_if = "Option::is_none")]
    val_data: Option<PathBuf>,
    loss_net: PathBuf,
}

impl TrainPlan {
    pub(crate) fn from_args(args: TrainArgs) -> anyhow::Result<Self> {
        let TrainArgs {
            style,
            data,
            val_data,
            loss_net,
            from,
            name,
            runs,
            overwrite,
            learning,
            loss,
            card,
            machine,
        } = args;
        let name = match name {
            Some(name) => name,
            None => name_from_file(&style)?,
        };
        check_name(&name)?;
        let mut recipe = recipe(learning, loss)?;
        let device = machine.device.resolve()?;
        let run = runs.join(&name);
        if !overwrite && run.exists() {
            bail!(
                "the run folder is there already; choose another --name, or --overwrite: {}",
                run.display()
            );
        }
        let loss_net = LossNetShelf::standard().find(&loss_net)?;
        let (painting_picture, painting_sha256) =
            read_painting(&style).with_context(|| format!("the painting {}", style.display()))?;
        let photos = PhotoFolder::scan(&data).context("--data")?;
        let validation = val_data.as_deref().map(PhotoFolder::scan).transpose().context("--val-data")?;
        let from = match from {
            None => None,
            Some(style) => {
                let (card, net) = style_file::load(&Shelf::standard().find(&style)?, device)?;
                recipe.from = Some(card.painting.name);
                recipe.net = card.net;
                Some(net.into_parameters())
            }
        };
        Ok(Self {
            name,
            recipe,
            runs,
            threads: machine.threads,
            photos,
            validation,
            from,
            paths: Paths { style, data, val_data, loss_net },
            card,
            machine,
            device,
            painting_picture,
            painting_sha256,
        })
    }

    /// The resolved configuration, for people and for the record.
    pub(crate) fn to_toml(&self) -> String {
        #[derive(Serialize)]
        struct Config<'a> {
            name: &'a str,
            inputs: &'a Paths,
            recipe: &'a Recipe,
        }
        let config = Config { name: &self.name, inputs: &self.paths, recipe: &self.recipe };
        toml::to_string(&config).expect("a configuration holds nothing that TOML cannot")
    }

    /// Reads what is left to read: the validation photos.
    pub(crate) fn load_inputs(self) -> anyhow::Result<TrainingInputs> {
        let CardArgs { title, artist, year, licence } = self.card;
        let painting = Painting {
            name: self.name,
            title,
            artist,
            year,
            licence,
            picture_sha256: Some(self.painting_sha256),
        };
        let validation = self
            .validation
            .map(|folder| ValidationSet::new(centre_crops(&folder, self.recipe.crop_px).flatten().collect()));
        if validation.as_ref().is_some_and(ValidationSet::is_empty) {
            bail!("none of the validation photos can be read");
        }
        Ok(TrainingInputs {
            painting,
            painting_picture: self.painting_picture,
            photos: self.photos,
            from: self.from,
            validation,
            loss_net: self.paths.loss_net,
            device: self.device,
            decode_threads: self.machine.decode_threads.get(),
            stored_as: self.machine.store,
            log_every: self.machine.log_every,
            save_every: self.machine.save_every,
        })
    }
}

/// The painting, and the SHA-256 of the very bytes that it was decoded from.
fn read_painting(path: &Path) -> Result<(Picture, String), DecodeError> {
    let bytes = std::fs::read(path)?;
    Ok((pixel::decode_bytes(&bytes, &DecodeLimits::default())?, style_file::sha256_hex(&bytes)))
}

fn name_from_file(style: &Path) -> anyhow::Result<String> {
    let stem = style.file_stem().and_then(|stem| stem.to_str());
    let stem =
        stem.with_context(|| format!("no name can be made of {}; give one by --name", style.display()))?;
    Ok(style_file::canonical_name(stem))
}

/// A name becomes a folder and a file.
fn check_name(name: &str) -> Result<(), UsageError> {
    let is_plain = name.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ' '));
    check(is_plain && !name.is_empty() && !name.starts_with(['.', ' ']), || {
        format!("--name `{name}`: letters, digits, spaces, dots, - and _ only, and no dot in front")
    })
}

fn recipe(learning: LearningArgs, loss: LossArgs) -> Result<Recipe, UsageError> {
    let mut recipe = Recipe::default();
    let LearningArgs { steps, batch, size, style_size, lr, warmup, lr_decay, no_augment, seed } = learning;
    set(&mut recipe.steps, steps);
    set(&mut recipe.batch, batch);
    set(&mut recipe.crop_px, size);
    recipe.painting_long_side_px = style_size.or(recipe.painting_long_side_px);
    set(&mut recipe.learning_rate.peak, lr);
    set(&mut recipe.learning_rate.warmup_steps, warmup);
    set(&mut recipe.learning_rate.decay, lr_decay);
    recipe.augment &= !no_augment;
    set(&mut recipe.seed, seed);

    let LossArgs { content_weight, style_weight, tv_weight, content_layers, style_layers } = loss;
    set(&mut recipe.loss.weights.content, content_weight);
    set(&mut recipe.loss.weights.style, style_weight);
    set(&mut recipe.loss.weights.total_variation, tv_weight);
    set(&mut recipe.loss.content_layers, content_layers);
    set(&mut recipe.loss.style_layers, style_layers);
    check_recipe(&recipe)?;
    Ok(recipe)
}

fn set<T>(value: &mut T, given: Option<T>) {
    if let Some(given) = given {
        *value = given;
    }
}

fn check_recipe(recipe: &Recipe) -> Result<(), UsageError> {
    check(recipe.steps >= 1, || "--steps 0: at least one step is needed".to_owned())?;
    check(recipe.batch >= 1, || "--batch 0: at least one photo a step is needed".to_owned())?;
    let peak = recipe.learning_rate.peak;
    check(peak > 0.0 && peak.is_finite(), || format!("--lr {peak}: expected a number above 0"))?;
    let weights = recipe.loss.weights;
    for (option, weight) in [
        ("--content-weight", weights.content),
        ("--style-weight", weights.style),
        ("--tv-weight", weights.total_variation),
    ] {
        check(weight >= 0.0 && weight.is_finite(), || {
            format!("{option} {weight}: expected a number of 0 or more")
        })?;
    }
    let layers = recipe.loss.layers();
    let smallest = layers.iter().copied().map(Vgg::smallest_side).max().unwrap_or(1).max(16);
    let deepest = layers.last().map(Layer::to_string).unwrap_or_default();
    check((smallest..=4096).contains(&recipe.crop_px), || {
        format!("--size {}: expected {smallest} to 4096 (for layer {deepest})", recipe.crop_px)
    })?;
    check(recipe.painting_long_side_px != Some(0), || "--style-size 0: expected at least 1".to_owned())
}

fn check(holds: bool, message: impl FnOnce() -> String) -> Result<(), UsageError> {
    if holds { Ok(()) } else { Err(UsageError(message())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_made_of_the_file() {
        assert_eq!(name_from_file(Path::new("art/Great_Wave.jpg")).unwrap(), "great-wave");
    }

    #[test]
    fn names_that_would_leave_the_folder_are_refused() {
        for name in ["", "..", "a/b", "../x", ".hidden", "a\\b", "a\nb"] {
            assert!(check_name(name).is_err(), "{name}");
        }
        assert!(check_name("Große Welle 2").is_ok());
    }
}
