//! The pictures that an optimisation goes by.

use std::path::Path;

use anyhow::{Context as _, bail};
use common::exit_status::UsageError;
use common::gatys::{GatysInputs, GatysStyle};
use pixel::{DecodeLimits, Grey, Picture};

use crate::cli::GatysArgs;

/// Reads all pictures that are named.
pub(super) fn read(args: &GatysArgs) -> anyhow::Result<GatysInputs> {
    let content = args.content.as_deref().map(|path| picture(path, "the photo")).transpose()?;
    let weights = match &args.style_blend {
        None => vec![1.0; args.style.len()],
        Some(weights) if weights.len() != args.style.len() => {
            let (found, expected) = (weights.len(), args.style.len());
            bail!(UsageError(format!("--style-blend has {found} weights for {expected} paintings")));
        }
        Some(weights) => weights.clone(),
    };
    if let Some(weight) = weights.iter().find(|weight| !(**weight > 0.0 && weight.is_finite())) {
        bail!(UsageError(format!("--style-blend {weight}: expected numbers above 0")));
    }
    if !args.style_mask.is_empty() && args.style_mask.len() != args.style.len() {
        let (found, expected) = (args.style_mask.len(), args.style.len());
        bail!(UsageError(format!("{found} --style-mask for {expected} --style: expected one for each")));
    }
    let mask_of = |place: usize| {
        args.style_mask.get(place).map(|path| mask(path, "--style-mask", content.as_ref())).transpose()
    };
    let mut styles = Vec::new();
    for (place, (path, weight)) in args.style.iter().zip(weights).enumerate() {
        let picture = picture(path, "the painting")?;
        styles.push(GatysStyle { picture, weight, mask: mask_of(place)?, has_hole: false });
    }
    let hole = args.inpaint.as_deref().map(|path| mask(path, "--inpaint", content.as_ref())).transpose()?;
    if let Some(hole) = &hole {
        if !hole.values().iter().any(|&value| value > 0) {
            bail!("the mask has no white: there is nothing to fill");
        }
        if styles.is_empty() {
            if hole.values().iter().all(|&value| value > 0) {
                bail!("the mask is white all over: nothing is left to learn from");
            }
            let picture = content.clone().context("a hole is in a photo")?;
            styles.push(GatysStyle { picture, weight: 1.0, mask: None, has_hole: true });
        }
    }
    if styles.is_empty() {
        bail!(UsageError("which painting? give it by --style".to_owned()));
    }
    Ok(GatysInputs { content, styles, hole, size: None })
}

fn picture(path: &Path, what: &str) -> anyhow::Result<Picture> {
    let picture = pixel::decode_file(path, &DecodeLimits::default())
        .with_context(|| format!("{what} {}", path.display()))?;
    Ok(picture.without_alpha())
}

/// A mask of the photo's size.
fn mask(path: &Path, option: &str, content: Option<&Picture>) -> anyhow::Result<Grey> {
    let Some(content) = content else {
        bail!(UsageError(format!("{option} is about places in a photo: give it by --content")));
    };
    let picture = pixel::decode_file(path, &DecodeLimits::default())
        .with_context(|| format!("the mask {}", path.display()))?;
    let (found, expected) = ((picture.width(), picture.height()), (content.width(), content.height()));
    if found != expected {
        bail!(
            "{option}: the mask is {}x{}, the photo {}x{}; make them alike: {}",
            found.0,
            found.1,
            expected.0,
            expected.1,
            path.display()
        );
    }
    Ok(Grey::from_picture(&picture))
}
