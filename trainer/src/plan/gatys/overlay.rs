//! What is typed goes before what the preset says.

use std::path::Path;

use anyhow::Context as _;
use common::colour_match::ColourMatch;
use common::exit_status::UsageError;
use common::gatys::{AdamSettings, Colours, GatysSettings, Optimizer, Parametrization, Start};
use common::loss::{LayerWeights, Reduction, TotalVariationForm};
use common::net::PairNetConfig;
use common::optim::{AdamConfig, LbfgsConfig};
use pixel::DecodeLimits;

use crate::cli::{
    ColourName, GatysArgs, GatysLossArgs, KeepName, OptimisationArgs, OptimizerName, ParametrizationName,
    ReductionName, TvForm,
};
use crate::plan::check;

/// Adam's rate for pixels where a preset of L-BFGS is told to use it: levels a step.
const USUAL_ADAM_RATE: f64 = 5.0;
/// The same for the weights of a network.
const USUAL_NETWORK_RATE: f64 = 5e-3;

/// Lays the typed arguments over `settings`.
pub(super) fn lay_over(settings: &mut GatysSettings, args: &GatysArgs) -> anyhow::Result<()> {
    lay_loss_over(settings, &args.loss)?;
    lay_canvas_over(settings, &args.optimisation)?;
    lay_optimizer_over(settings, &args.optimisation)?;
    settings.memory_bytes = args.machine.memory;
    Ok(())
}

fn lay_loss_over(settings: &mut GatysSettings, args: &GatysLossArgs) -> Result<(), UsageError> {
    let loss = &mut settings.loss;
    args.objective.clone().lay_over(loss);
    if let Some(growth) = args.style_layer_growth {
        check(growth > 0.0 && growth.is_finite(), || {
            format!("--style-layer-growth {growth}: expected a number above 0")
        })?;
        loss.style_layers = geometric(&loss.style_layers, growth);
    }
    set(
        &mut loss.total_variation.form,
        args.tv.map(|form| match form {
            TvForm::Squared => TotalVariationForm::Squared,
            TvForm::Absolute => TotalVariationForm::Absolute,
            TvForm::Keras => TotalVariationForm::Keras,
        }),
    );
    if let Some(reduction) = args.reduction {
        let reduction = match reduction {
            ReductionName::Mean => Reduction::Mean,
            ReductionName::Sum => Reduction::Sum,
        };
        (loss.content_reduction, loss.total_variation.reduction) = (reduction, reduction);
    }
    set(&mut loss.normalize_gradients, args.normalize_gradients);
    set(
        &mut settings.colours,
        args.colors.map(|colours| match colours {
            ColourName::Style => Colours::Style,
            ColourName::Luminance => Colours::Luminance,
            ColourName::MatchCholesky => Colours::Matched(ColourMatch::Cholesky),
            ColourName::MatchSymmetric => Colours::Matched(ColourMatch::Symmetric),
            ColourName::MatchTransport => Colours::Matched(ColourMatch::OptimalTransport),
        }),
    );
    set(&mut settings.photorealism, args.photorealism);
    Ok(())
}

/// Each layer's weight times a power of `growth` that rises with depth, so that the sum of all weights stays.
fn geometric(layers: &LayerWeights, growth: f64) -> LayerWeights {
    let grown: Vec<_> = layers
        .iter()
        .enumerate()
        .map(|(depth, (layer, weight))| (layer, weight * growth.powi(depth as i32)))
        .collect();
    let sum = |weights: &mut dyn Iterator<Item = f64>| weights.sum::<f64>();
    let before = sum(&mut layers.iter().map(|(_, weight)| weight));
    let after = sum(&mut grown.iter().map(|(_, weight)| *weight));
    let scale = if after > 0.0 { before / after } else { 1.0 };
    grown.into_iter().map(|(layer, weight)| (layer, weight * scale)).collect()
}

fn lay_canvas_over(settings: &mut GatysSettings, args: &OptimisationArgs) -> anyhow::Result<()> {
    set(&mut settings.long_side_px, args.size);
    set(&mut settings.style_scale, args.style_scale);
    if let Some(start) = &args.init {
        settings.start = read_start(start)?;
    }
    match args.parametrization {
        Some(ParametrizationName::Pixels) => settings.parametrization = Parametrization::Pixels,
        Some(ParametrizationName::Network) if settings.parametrization == Parametrization::Pixels => {
            settings.parametrization = Parametrization::Network(PairNetConfig::default());
        }
        Some(ParametrizationName::Network) | None => {}
    }
    if let Some(width) = args.network_width {
        let Parametrization::Network(config) = &mut settings.parametrization else {
            return Err(UsageError("--network-width needs --parametrization network".to_owned()).into());
        };
        config.width = width;
    }
    set(&mut settings.iterations, args.iterations);
    set(&mut settings.ladder, args.scales.clone());
    if settings.loss.normalize_gradients {
        // Nothing goes down the loss then, whose lowest place says nothing.
        settings.keeps_best = false;
    }
    set(&mut settings.keeps_best, args.keep.map(|keep| matches!(keep, KeepName::Best)));
    set(&mut settings.seed, args.seed);
    set(&mut settings.precision, args.precision);
    Ok(())
}

/// A start by its name, or a picture's file.
fn read_start(text: &str) -> anyhow::Result<Start> {
    let path = Path::new(text);
    match text.parse::<Start>() {
        Ok(start) => Ok(start),
        Err(_) if path.exists() => {
            let picture = pixel::decode_file(path, &DecodeLimits::default())
                .with_context(|| format!("--init {}", path.display()))?;
            Ok(Start::Picture(picture.without_alpha()))
        }
        Err(error) => Err(UsageError(format!("--init {error}")).into()),
    }
}

fn lay_optimizer_over(settings: &mut GatysSettings, args: &OptimisationArgs) -> Result<(), UsageError> {
    let is_network = matches!(settings.parametrization, Parametrization::Network(_));
    match (args.optimizer, &settings.optimizer) {
        (Some(OptimizerName::Lbfgs), Optimizer::Adam(_)) => {
            settings.optimizer = Optimizer::Lbfgs(LbfgsConfig::default());
            settings.averaging = None;
        }
        (Some(OptimizerName::Adam), Optimizer::Lbfgs(_)) => {
            let learning_rate = if is_network { USUAL_NETWORK_RATE } else { USUAL_ADAM_RATE };
            settings.optimizer = Optimizer::Adam(AdamSettings {
                constants: AdamConfig::default(),
                learning_rate,
                decay: None,
            });
        }
        _ => {}
    }
    match &mut settings.optimizer {
        Optimizer::Lbfgs(lbfgs) => {
            let of_adam = [
                ("--beta1", args.beta1.is_some()),
                ("--beta2", args.beta2.is_some()),
                ("--epsilon", args.epsilon.is_some()),
                ("--lr-decay", args.lr_decay.is_some()),
            ];
            if let Some((option, _)) = of_adam.iter().find(|(_, is_given)| *is_given) {
                return Err(UsageError(format!("{option} is Adam's: add --optimizer adam")));
            }
            set(&mut lbfgs.learning_rate, args.lr);
            set(&mut lbfgs.history, args.history);
            set(&mut lbfgs.line_search, args.line_search);
            set(&mut lbfgs.tolerance_change, args.tolerance);
        }
        Optimizer::Adam(adam) => {
            let of_lbfgs = [
                ("--history", args.history.is_some()),
                ("--line-search", args.line_search.is_some()),
                ("--tolerance", args.tolerance.is_some()),
            ];
            if let Some((option, _)) = of_lbfgs.iter().find(|(_, is_given)| *is_given) {
                return Err(UsageError(format!("{option} is L-BFGS's: add --optimizer lbfgs")));
            }
            set(&mut adam.learning_rate, args.lr);
            set(&mut adam.constants.beta1, args.beta1);
            set(&mut adam.constants.beta2, args.beta2);
            set(&mut adam.constants.eps, args.epsilon);
            if let Some(decay) = &args.lr_decay {
                adam.decay = Some(match decay.as_slice() {
                    &[every, factor]
                        if every >= 1.0 && every.fract() == 0.0 && factor > 0.0 && factor <= 1.0 =>
                    {
                        (every as u32, factor)
                    }
                    _ => {
                        let expected = "expected a number of steps and a factor up to 1, as in 200,0.9";
                        return Err(UsageError(format!("--lr-decay: {expected}")));
                    }
                });
            }
        }
    }
    settings.averaging = match args.average {
        Some(0.0) => None,
        Some(decay) => Some(decay),
        None => settings.averaging,
    };
    Ok(())
}

fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn geometric_weights_grow_and_keep_their_sum() {
        let layers: LayerWeights = "relu1_1,relu2_1,relu3_1".parse().unwrap();
        let weights: Vec<f64> = geometric(&layers, 2.0).iter().map(|(_, weight)| weight).collect();
        assert!((weights.iter().sum::<f64>() - 3.0).abs() < 1e-12);
        assert!(
            (weights[1] / weights[0] - 2.0).abs() < 1e-12 && (weights[2] / weights[1] - 2.0).abs() < 1e-12
        );
    }
}
