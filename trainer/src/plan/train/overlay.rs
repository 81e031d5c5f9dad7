//! What is typed goes before what a configuration says.

use std::path::{Path, PathBuf};

use common::exit_status::UsageError;
use trainer::config::{CardText, Config, Inputs, PaintingInput, RunSettings};
use trainer::recipe::Recipe;

use crate::cli::{LearningArgs, LossArgs, RunArgs, TrainArgs};

/// Lays the typed arguments over `config`. Paths become absolute, so that the configuration holds wherever it is read.
pub(super) fn lay_over(config: &mut Config, args: TrainArgs) -> Result<(), UsageError> {
    config.name = args.name.or(config.name.take());
    lay_paintings_over(&mut config.inputs, args.style, args.style_blend, args.style_crop)?;
    let Inputs { data, val_data, loss_net, from, paintings } = &mut config.inputs;
    *data = args.data.or(data.take()).map(absolute);
    *val_data = args.val_data.or(val_data.take()).map(absolute);
    set(loss_net, args.loss_net.map(absolute_if_file));
    if !args.from.is_empty() {
        *from = args.from;
    }
    for network in from {
        network.style = absolute_if_file(std::mem::take(&mut network.style));
    }
    for painting in paintings {
        painting.file = absolute(std::mem::take(&mut painting.file));
    }
    lay_learning_over(&mut config.recipe, args.learning);
    lay_loss_over(&mut config.recipe, args.loss)?;
    lay_run_over(&mut config.run, &args.run);
    let CardText { title, artist, year, licence } = &mut config.card;
    *title = args.card.title.or(title.take());
    *artist = args.card.artist.or(artist.take());
    *year = args.card.year.or(year.take());
    *licence = args.card.licence.or(licence.take());
    Ok(())
}

fn lay_paintings_over(
    inputs: &mut Inputs,
    files: Vec<PathBuf>,
    blend: Option<Vec<f64>>,
    crop: Option<Vec<u32>>,
) -> Result<(), UsageError> {
    if !files.is_empty() {
        inputs.paintings =
            files.into_iter().map(|file| PaintingInput { file, weight: 1.0, crop_px: None }).collect();
    }
    if let Some(weights) = blend {
        let (found, expected) = (weights.len(), inputs.paintings.len());
        if found != expected {
            return Err(UsageError(format!("--style-blend has {found} weights for {expected} paintings")));
        }
        for (painting, weight) in inputs.paintings.iter_mut().zip(weights) {
            painting.weight = weight;
        }
    }
    if let Some(crop) = crop {
        let Ok(crop) = <[u32; 4]>::try_from(crop) else {
            return Err(UsageError("--style-crop: expected four numbers: left,top,width,height".to_owned()));
        };
        let [painting] = inputs.paintings.as_mut_slice() else {
            return Err(UsageError("--style-crop is for one painting; use --config for several".to_owned()));
        };
        painting.crop_px = Some(crop);
    }
    Ok(())
}

fn lay_learning_over(recipe: &mut Recipe, args: LearningArgs) {
    let LearningArgs {
        steps,
        batch,
        accumulate,
        size,
        style_size,
        optimizer,
        lr,
        warmup,
        lr_decay,
        clip,
        ema,
        precision,
        no_augment,
        zoom,
        zoom_style_power,
        seed,
    } = args;
    set(&mut recipe.steps, steps);
    set(&mut recipe.batch, batch);
    set(&mut recipe.accumulate, accumulate);
    set(&mut recipe.crop_px, size);
    set(&mut recipe.painting_long_side_px, style_size.map(unless_zero));
    set(&mut recipe.optimizer, optimizer);
    set(&mut recipe.learning_rate.peak, lr);
    set(&mut recipe.learning_rate.warmup_steps, warmup);
    set(&mut recipe.learning_rate.decay, lr_decay);
    set(&mut recipe.clip_norm, clip.map(unless_zero));
    set(&mut recipe.ema_decay, ema.map(unless_zero));
    set(&mut recipe.precision, precision);
    recipe.augment &= !no_augment;
    set(&mut recipe.zoom, zoom);
    set(&mut recipe.zoom_style_power, zoom_style_power);
    set(&mut recipe.seed, seed);
}

fn lay_loss_over(recipe: &mut Recipe, args: LossArgs) -> Result<(), UsageError> {
    let LossArgs {
        objective,
        match_colors,
        grid_weight,
        temporal,
        temporal_features,
        temporal_noise,
        temporal_ramp,
    } = args;
    set(&mut recipe.match_colors, match_colors);
    objective.lay_over(&mut recipe.loss);
    set(&mut recipe.loss.grid_weight, grid_weight);
    set(&mut recipe.temporal.weight, temporal);
    set(&mut recipe.temporal.features, temporal_features);
    set(&mut recipe.temporal.noise, temporal_noise);
    if let Some(ramp) = temporal_ramp {
        let Ok(ramp) = <[f64; 2]>::try_from(ramp) else {
            return Err(UsageError("--temporal-ramp: expected two numbers: from,to".to_owned()));
        };
        recipe.temporal.ramp = ramp;
    }
    Ok(())
}

fn lay_run_over(run: &mut RunSettings, args: &RunArgs) {
    let RunArgs {
        log_every,
        preview_every,
        validate_every,
        patience,
        checkpoint_every,
        checkpoint_minutes,
        keep_checkpoints,
        store,
        resident,
    } = args;
    set(&mut run.log_every, *log_every);
    set(&mut run.preview_every, *preview_every);
    set(&mut run.validate_every, *validate_every);
    run.patience = patience.or(run.patience);
    set(&mut run.checkpoint_every, *checkpoint_every);
    set(&mut run.checkpoint_minutes, *checkpoint_minutes);
    set(&mut run.keep_checkpoints, *keep_checkpoints);
    set(&mut run.store, *store);
    set(&mut run.resident_gb, *resident);
}

fn set<T>(value: &mut T, given: Option<T>) {
    if let Some(given) = given {
        *value = given;
    }
}

fn unless_zero<T: PartialEq + Default>(value: T) -> Option<T> {
    (value != T::default()).then_some(value)
}

/// A name or a file: a name stays.
fn absolute_if_file(name_or_file: String) -> String {
    let is_file = Path::new(&name_or_file).is_file();
    match absolute(&name_or_file).to_str() {
        Some(path) if is_file => path.to_owned(),
        _ => name_or_file,
    }
}

/// What cannot be made absolute cannot be opened either, which is said where it is opened.
pub(super) fn absolute(path: impl AsRef<Path>) -> PathBuf {
    std::path::absolute(path.as_ref()).unwrap_or_else(|_| path.as_ref().to_owned())
}
