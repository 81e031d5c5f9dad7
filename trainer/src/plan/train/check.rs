//! Whether a configuration makes sense.

use common::exit_status::UsageError;
use common::lossnet::{Layer, LossNet};
use trainer::config::{Config, NetworkInput};
use trainer::device_room::ResidentRoom;
use trainer::recipe::Recipe;

use crate::plan::check;

/// Checks all that can be checked without looking at any file.
pub(super) fn check_config(config: &Config) -> Result<(), UsageError> {
    for painting in &config.inputs.paintings {
        let weight = painting.weight;
        check(weight > 0.0 && weight.is_finite(), || {
            format!("--style-blend {weight}: expected numbers above 0")
        })?;
    }
    let minutes = config.run.checkpoint_minutes;
    check(minutes >= 0.0 && minutes.is_finite(), || {
        format!("--checkpoint-minutes {minutes}: expected a number of 0 or more")
    })?;
    if let ResidentRoom::Gigabytes(gigabytes) = config.run.resident_gb {
        check(gigabytes >= 0.0 && gigabytes.is_finite(), || {
            format!("--resident {gigabytes}: expected a number of 0 or more")
        })?;
    }
    check(config.run.log_every >= 1, || "--log-every 0: expected at least 1".to_owned())?;
    let judges = config.inputs.val_data.is_some() && config.run.validate_every > 0;
    check(config.run.patience.is_none() || judges, || {
        "--patience counts validations: it needs --val-data and --validate-every".to_owned()
    })?;
    for network @ NetworkInput { weight, .. } in &config.inputs.from {
        check(*weight > 0.0 && weight.is_finite(), || {
            format!("--from {}: expected a weight above 0", String::from(network.clone()))
        })?;
    }
    check(config.recipe.steps >= 1 || !config.inputs.from.is_empty(), || {
        "--steps 0: at least one step is needed, but where --from gives a network".to_owned()
    })?;
    check_recipe(&config.recipe)
}

fn check_recipe(recipe: &Recipe) -> Result<(), UsageError> {
    check(recipe.batch >= 1, || "--batch 0: at least one photo a step is needed".to_owned())?;
    check(recipe.accumulate >= 1, || "--accumulate 0: at least one batch a step is needed".to_owned())?;
    let peak = recipe.learning_rate.peak;
    check(peak > 0.0 && peak.is_finite(), || format!("--lr {peak}: expected a number above 0"))?;
    if let Some(norm) = recipe.clip_norm {
        check(norm > 0.0 && norm.is_finite(), || format!("--clip {norm}: expected a number of 0 or more"))?;
    }
    if let Some(decay) = recipe.ema_decay {
        check(decay > 0.0 && decay < 1.0, || format!("--ema {decay}: expected 0 up to, but not, 1"))?;
    }
    let zoom = recipe.zoom;
    check((1.0..=16.0).contains(&zoom), || format!("--zoom {zoom}: expected a number from 1 to 16"))?;
    let power = recipe.zoom_style_power;
    check((-8.0..=8.0).contains(&power), || {
        format!("--zoom-style-power {power}: expected a number from -8 to 8")
    })?;
    let weights = recipe.loss.weights;
    for (option, weight) in [
        ("--content-weight", weights.content),
        ("--style-weight", weights.style),
        ("--tv-weight", weights.total_variation),
        ("--grid-weight", recipe.loss.grid_weight),
        ("--temporal", recipe.temporal.weight),
        ("--temporal-features", recipe.temporal.features),
        ("--temporal-noise", recipe.temporal.noise),
    ] {
        check(weight >= 0.0 && weight.is_finite(), || {
            format!("{option} {weight}: expected a number of 0 or more")
        })?;
    }
    let [start, end] = recipe.temporal.ramp;
    check(0.0 <= start && start <= end && end <= 1.0, || {
        format!("--temporal-ramp {start},{end}: expected two numbers from 0 to 1, the smaller first")
    })?;
    let layers = recipe.loss.layers();
    let foreign = layers.iter().find(|layer| layer.vgg_place().is_none());
    if let (Some(of_temporal), Some(foreign)) = (recipe.temporal.feature_layer(), foreign) {
        return Err(UsageError(format!(
            "--temporal-features looks at {of_temporal}, which no network has that has {foreign}: \
             take the layers of a VGG network, or --temporal alone"
        )));
    }
    check(!layers.is_empty(), || "--style-layers and --content-layers are both empty".to_owned())?;
    let smallest = layers.iter().copied().map(LossNet::smallest_side).max().unwrap_or(1).max(16);
    let deepest = layers.last().map(Layer::to_string).unwrap_or_default();
    check((smallest..=4096).contains(&recipe.crop_px), || {
        format!("--size {}: expected {smallest} to 4096 (for layer {deepest})", recipe.crop_px)
    })?;
    recipe.net.validate().map_err(UsageError)
}

/// A name becomes a folder and a file.
pub(super) fn check_name(name: &str) -> Result<(), UsageError> {
    let is_plain = name.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ' '));
    check(is_plain && !name.is_empty() && !name.starts_with(['.', ' ']), || {
        format!("--name `{name}`: letters, digits, spaces, dots, - and _ only, and no dot in front")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_would_leave_the_folder_are_refused() {
        for name in ["", "..", "a/b", "../x", ".hidden", "a\\b", "a\nb"] {
            assert!(check_name(name).is_err(), "{name}");
        }
        assert!(check_name("Große Welle 2").is_ok());
    }
}
