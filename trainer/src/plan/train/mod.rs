//! What a training needs: its configuration and its pictures, from what was typed.

mod check;
mod overlay;

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, bail};
use common::exit_status::UsageError;
use common::lossnet::LossNetShelf;
use common::net::{NetConfig, Parameters};
use common::style_file::{self, BlendPart, Lineage, Painting, Shelf, StyleCard};
use datasets::{PhotoFolder, ScanError, StreamError, StreamPosition, centre_crops};
use pixel::{DecodeLimits, Picture};
use tch::Device;
use trainer::config::{CardText, Config, NetworkInput, PaintingInput};
use trainer::device_room::{self, ResidentRoom};
use trainer::run_folder::RunFolder;
use trainer::run_record;
use trainer::training::{StylePicture, TrainingInputs};
use trainer::validation::ValidationSet;

use crate::cli::{OutputArgs, TrainArgs};

/// A training that can start: what it names is there and makes sense together.
pub(crate) struct TrainPlan {
    pub(crate) name: String,
    pub(crate) config: Config,
    pub(crate) place: RunPlace,
    pub(crate) photos: PhotoFolder,
    pub(crate) device: Device,
    pub(crate) output: OutputArgs,
    decode_threads: NonZeroUsize,
    validation: Option<PhotoFolder>,
    from: Option<Parameters>,
    lineage: Lineage,
    loss_net: PathBuf,
    paintings: Vec<StylePicture>,
}

/// Which run folder a training works in.
#[derive(Clone)]
pub(crate) enum RunPlace {
    /// A new one, in this folder of runs.
    New { runs: PathBuf },
    /// The same, even if a run is there already.
    Replaced { runs: PathBuf },
    /// That of an earlier run.
    Resumed { folder: PathBuf },
}

impl TrainPlan {
    pub(crate) fn from_args(args: TrainArgs) -> anyhow::Result<Self> {
        let (machine, output) = (args.machine, args.output);
        let named = args.recipe.unwrap_or_default();
        let mut config = match (&args.resume, &args.config, &args.recipe_of) {
            (Some(run), ..) => Config::read(&RunFolder::config_file_in(run), named)?,
            (None, Some(file), _) => Config::read(file, named)?,
            (None, None, Some(style)) => recipe_of(style, args.ancestor)?,
            (None, None, None) => Config::of_recipe(named),
        };
        let place = match (&args.resume, args.overwrite) {
            (Some(run), _) => RunPlace::Resumed { folder: overlay::absolute(run) },
            (None, true) => RunPlace::Replaced { runs: args.runs.clone() },
            (None, false) => RunPlace::New { runs: args.runs.clone() },
        };
        overlay::lay_over(&mut config, args)?;
        let Some(first) = config.inputs.paintings.first() else {
            bail!(UsageError("which painting? give it by --style".to_owned()));
        };
        let Some(data) = config.inputs.data.clone() else {
            bail!(UsageError("which photos? give their folder by --data".to_owned()));
        };
        let name = match &config.name {
            Some(name) => name.clone(),
            None => name_from_file(&first.file)?,
        };
        check::check_name(&name)?;
        config.name = Some(name.clone());
        check::check_config(&config)?;
        if let RunPlace::New { runs } = &place {
            RunFolder::check_absent(runs, &name)?;
        }

        let device = machine.compute.set_up()?;
        let loss_net = LossNetShelf::standard().find(&config.inputs.loss_net)?;
        let paintings = config.inputs.paintings.iter().map(read_painting).collect::<anyhow::Result<_>>()?;
        let photos = scan(&data).context("--data")?;
        let validation = config.inputs.val_data.as_deref().map(scan).transpose().context("--val-data")?;
        // The style that a resumed run once went on from may be another by now.
        let resumed = match &place {
            RunPlace::Resumed { folder } => run_record::card_in(folder, &name)?,
            RunPlace::New { .. } | RunPlace::Replaced { .. } => None,
        };
        let (from, lineage) = match resumed {
            Some(StyleCard { ancestors, parents, .. }) => (None, Lineage { ancestors, parents }),
            None if config.inputs.from.is_empty() => (None, Lineage::default()),
            None => {
                let Beginning { net, name, parameters, lineage } = beginning(&config.inputs.from, device)?;
                config.recipe.net = net;
                config.recipe.from = Some(name);
                (Some(parameters), lineage)
            }
        };
        let is_new = !matches!(place, RunPlace::Resumed { .. });
        settle_cutting(&mut config, is_new, &photos, device)?;
        Ok(Self {
            name,
            config,
            place,
            photos,
            device,
            output,
            decode_threads: machine.decode_threads,
            validation,
            from,
            lineage,
            loss_net,
            paintings,
        })
    }

    /// Reads what is left to read: the validation photos.
    pub(crate) fn load_inputs(self) -> anyhow::Result<TrainingInputs> {
        let crop_px = self.config.recipe.crop_px;
        let validation = self
            .validation
            .map(|folder| ValidationSet::new(centre_crops(&folder, crop_px).flatten().collect()));
        if validation.as_ref().is_some_and(ValidationSet::is_empty) {
            bail!("none of the validation photos can be read");
        }
        let Lineage { ancestors, parents } = self.lineage;
        Ok(TrainingInputs {
            card: StyleCard { ancestors, parents, ..card(self.name, &self.config, &self.paintings) },
            paintings: self.paintings,
            photos: self.photos,
            from: self.from,
            validation,
            loss_net: self.loss_net,
            device: self.device,
            decode_threads: self.decode_threads.get(),
        })
    }
}

/// What a training goes on from.
struct Beginning {
    net: NetConfig,
    /// The style's name, or the names of several.
    name: String,
    parameters: Parameters,
    lineage: Lineage,
}

/// The network of a style, or the mean of several styles' networks.
fn beginning(networks: &[NetworkInput], device: Device) -> anyhow::Result<Beginning> {
    let shelf = Shelf::standard();
    let total: f64 = networks.iter().map(|network| network.weight).sum();
    let (mut cards, mut parameters) = (Vec::new(), Vec::new());
    for NetworkInput { style, weight } in networks {
        let (card, net) = style_file::load(&shelf.find(style)?, device)?;
        let share = weight / total;
        cards.push((card, share));
        parameters.push((net.into_parameters(), share));
    }
    let net = cards[0].0.net.clone();
    if let Some(other) = cards.iter().position(|(card, _)| card.net != net) {
        let (first, other) = (&networks[0].style, &networks[other].style);
        bail!("--from: {first} and {other} are networks of different shapes, which have no mean");
    }
    let mut names: Vec<&str> = Vec::new();
    for (card, _) in &cards {
        if !names.contains(&&card.painting.name[..]) {
            names.push(&card.painting.name);
        }
    }
    let name = names.join(" + ");
    Ok(Beginning {
        parameters: Parameters::mean(&net, &parameters),
        net,
        name,
        lineage: Lineage::of_mean(cards),
    })
}

/// The recipe of the training of this number, from 1, of all that made a style; without a number, of the last that took any
/// steps, which the mean of networks does not.
fn recipe_of(style: &str, ancestor: Option<NonZeroUsize>) -> anyhow::Result<Config> {
    let file = Shelf::standard().find(style)?;
    let in_file = |reason| anyhow!("--recipe-of: {reason}: {}", file.display());
    let lineage = style_file::load_card(&file)?.into_lineage();
    let training = match ancestor {
        None => lineage
            .iter()
            .rev()
            .find(|training| training.recipe["steps"] != 0)
            .ok_or_else(|| in_file("its card has no recipe".to_owned()))?,
        Some(number) => lineage
            .get(number.get() - 1)
            .with_context(|| format!("--ancestor {number}: it has {}: {}", lineage.len(), file.display()))?,
    };
    Config::of_card_recipe(&training.recipe).map_err(in_file)
}

/// Decides what crops are cut from, once and for all of the run: the two ways differ a little in what they show.
fn settle_cutting(
    config: &mut Config,
    is_new: bool,
    photos: &PhotoFolder,
    device: Device,
) -> Result<(), StreamError> {
    let Config { run, recipe, .. } = config;
    match run.resident_gb {
        ResidentRoom::Gigabytes(_) => recipe.reduce_photos_first = true,
        ResidentRoom::Auto if is_new && !recipe.reduce_photos_first => {
            let stream = recipe.stream_config(StreamPosition::default(), 1);
            recipe.reduce_photos_first = device_room::holds_all(photos, stream, device)?;
            if !recipe.reduce_photos_first {
                // So that the configuration means the same on another machine.
                run.resident_gb = ResidentRoom::Off;
            }
        }
        ResidentRoom::Auto | ResidentRoom::Off => {}
    }
    Ok(())
}

fn card(name: String, config: &Config, paintings: &[StylePicture]) -> StyleCard {
    let CardText { title, artist, year, licence } = config.card.clone();
    let picture_sha256 = match paintings {
        [painting] => Some(painting.sha256.clone()),
        _ => None,
    };
    let painting = Painting { name, title, artist, year, licence, picture_sha256 };
    let mut card = StyleCard::new(config.recipe.net.clone(), painting);
    if paintings.len() > 1 {
        let part = |(input, picture): (&PaintingInput, &StylePicture)| BlendPart {
            picture: input.file.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            picture_sha256: picture.sha256.clone(),
            weight: picture.weight,
        };
        card.blend = config.inputs.paintings.iter().zip(paintings).map(part).collect();
    }
    card
}

/// The part of the painting that is asked for, and the SHA-256 of the very bytes that it was decoded from.
fn read_painting(input: &PaintingInput) -> anyhow::Result<StylePicture> {
    let read = || -> anyhow::Result<(Picture, String)> {
        let bytes = std::fs::read(&input.file)?;
        let picture = pixel::decode_bytes(&bytes, &DecodeLimits::default())?;
        let picture = match input.crop_px {
            None => picture,
            Some([x, y, width, height]) => picture.crop(x, y, width, height)?,
        };
        Ok((picture, style_file::sha256_hex(&bytes)))
    };
    let (picture, sha256) = read().with_context(|| format!("the painting {}", input.file.display()))?;
    Ok(StylePicture { picture, weight: input.weight, sha256 })
}

/// The photos in a folder, by what an earlier scan remembers where that still holds.
fn scan(folder: &Path) -> Result<PhotoFolder, ScanError> {
    match common::cache_folder::standard() {
        Some(cache) => PhotoFolder::scan_cached(folder, cache),
        None => PhotoFolder::scan(folder),
    }
}

fn name_from_file(style: &Path) -> anyhow::Result<String> {
    let stem = style.file_stem().and_then(|stem| stem.to_str());
    let stem =
        stem.with_context(|| format!("no name can be made of {}; give one by --name", style.display()))?;
    Ok(style_file::canonical_name(stem))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_made_of_the_file() {
        assert_eq!(name_from_file(Path::new("art/Great_Wave.jpg")).unwrap(), "great-wave");
    }
}
