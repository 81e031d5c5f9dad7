//! Whether settings make sense.

use std::path::Path;

use anyhow::bail;
use common::exit_status::UsageError;
use common::gatys::{GatysSettings, Optimizer, Parametrization, Start};
use common::optim::LineSearch;

use crate::cli::GatysArgs;
use crate::plan::check;

/// Checks all that can be checked without looking at any file.
pub(super) fn check_settings(settings: &GatysSettings) -> Result<(), UsageError> {
    let weights = settings.loss.weights;
    for (option, weight) in [
        ("--content-weight", weights.content),
        ("--style-weight", weights.style),
        ("--tv-weight", weights.total_variation),
        ("--photorealism", settings.photorealism),
    ] {
        check(weight >= 0.0 && weight.is_finite(), || {
            format!("{option} {weight}: expected a number of 0 or more")
        })?;
    }
    check(settings.iterations >= 1, || "--iterations 0: at least one is needed".to_owned())?;
    check((1e-3..=1e3).contains(&settings.style_scale), || {
        format!("--style-scale {}: expected 0.001 to 1000", settings.style_scale)
    })?;
    check(settings.long_side_px <= 32_768, || {
        format!("--size {}: expected 32768 at most", settings.long_side_px)
    })?;
    match &settings.optimizer {
        Optimizer::Lbfgs(lbfgs) => {
            check(lbfgs.learning_rate > 0.0 && lbfgs.learning_rate.is_finite(), || {
                format!("--lr {}: expected a number above 0", lbfgs.learning_rate)
            })?;
            check((0.0..1.0).contains(&lbfgs.tolerance_change), || {
                format!("--tolerance {}: expected 0 up to, but not, 1", lbfgs.tolerance_change)
            })?;
            check((1..=1000).contains(&lbfgs.history), || {
                format!("--history {}: expected 1 to 1000", lbfgs.history)
            })?;
            let searches = lbfgs.line_search == LineSearch::StrongWolfe;
            check(!(searches && settings.loss.normalize_gradients), || {
                "normalised gradients are those of no loss, which a line search needs: \
                 add --line-search fixed or --optimizer adam"
                    .to_owned()
            })?;
            check(settings.averaging.is_none(), || {
                "--average is over Adam's pictures: add --optimizer adam".to_owned()
            })?;
        }
        Optimizer::Adam(adam) => {
            check(adam.learning_rate > 0.0 && adam.learning_rate.is_finite(), || {
                format!("--lr {}: expected a number above 0", adam.learning_rate)
            })?;
            for (option, decay) in [("--beta1", adam.constants.beta1), ("--beta2", adam.constants.beta2)] {
                check((0.0..1.0).contains(&decay), || {
                    format!("{option} {decay}: expected 0 up to, but not, 1")
                })?;
            }
            check(adam.constants.eps > 0.0 && adam.constants.eps.is_finite(), || {
                format!("--epsilon {}: expected a number above 0", adam.constants.eps)
            })?;
        }
    }
    if let Some(decay) = settings.averaging {
        check(decay > 0.0 && decay < 1.0, || format!("--average {decay}: expected 0 up to, but not, 1"))?;
    }
    if let Parametrization::Network(config) = &settings.parametrization {
        config.validate().map_err(UsageError)?;
        check(settings.start == Start::Content, || {
            "a network starts from the photo: leave out --init, or choose --parametrization pixels".to_owned()
        })?;
    }
    Ok(())
}

/// The output must not replace an input, nor anything without leave.
pub(super) fn check_output(output: &Path, args: &GatysArgs) -> anyhow::Result<()> {
    let inputs = args.content.iter().chain(&args.style).chain(&args.style_mask).chain(&args.inpaint);
    let same = |input: &Path| match (input.canonicalize(), output.canonicalize()) {
        (Ok(input), Ok(output)) => input == output,
        _ => false,
    };
    if let Some(input) = inputs.into_iter().find(|input| same(input)) {
        bail!(UsageError(format!(
            "the output would replace an input; choose another -o: {}",
            input.display()
        )));
    }
    if output.exists() && !args.overwrite {
        bail!("the output is there already; choose another -o, or --overwrite: {}", output.display());
    }
    let folder = output.parent().filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
        bail!("no such folder to write into: {}", folder.display());
    }
    Ok(())
}
