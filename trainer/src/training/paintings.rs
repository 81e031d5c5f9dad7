//! From pictures of paintings to the loss that asks for their hand.

use common::loss::{PerceptualLoss, WeightedPainting};
use common::lossnet::LossNet;
use common::space::byte_rgb_from_picture;
use pixel::{Filter, Picture};

use super::colours::{photo_colours, recoloured};
use super::{TrainingError, TrainingInputs};
use crate::recipe::Recipe;

/// A picture to learn from.
pub struct StylePicture {
    /// The part of the painting to look at, at its own size.
    pub picture: Picture,
    /// How much it counts beside the others, above 0.
    pub weight: f64,
    /// SHA-256 of the picture's file, and of which part it is.
    pub sha256: String,
}

/// Loads the loss network and shows it the paintings.
pub(super) fn perceptual_loss(
    recipe: &Recipe,
    inputs: &TrainingInputs,
) -> Result<PerceptualLoss, TrainingError> {
    let TrainingInputs { paintings, photos, loss_net, device, .. } = inputs;
    let needed = recipe.loss.style_layers.layers().map(LossNet::smallest_side).max().unwrap_or(1);
    let reduced: Vec<Picture> =
        paintings.iter().map(|painting| reduced(&painting.picture, recipe.painting_long_side_px)).collect();
    if let Some(painting) = reduced.iter().find(|painting| painting.width().min(painting.height()) < needed) {
        let (width, height) = (painting.width(), painting.height());
        return Err(TrainingError::PaintingTooSmall { width, height, needed });
    }
    let mut layers = recipe.loss.layers();
    layers.extend(recipe.temporal.feature_layer());
    let network = LossNet::load(loss_net, &layers, *device)?;
    let photo_colours = photo_colours(recipe, photos)?;
    let byte_rgb = |reduced: &Picture| {
        let byte_rgb = byte_rgb_from_picture(reduced, *device);
        match &photo_colours {
            Some(colours) => recoloured(&byte_rgb, reduced, recipe.match_colors, colours),
            None => byte_rgb,
        }
    };
    let paintings: Vec<WeightedPainting> = paintings
        .iter()
        .zip(&reduced)
        .map(|(painting, reduced)| WeightedPainting::whole(byte_rgb(reduced), painting.weight))
        .collect();
    Ok(PerceptualLoss::new(recipe.loss.clone(), network, paintings))
}

/// The painting with its long side reduced to `long_side_px`; never enlarged, which would only blur its strokes.
fn reduced(painting: &Picture, long_side_px: Option<u32>) -> Picture {
    let (width, height) = (painting.width(), painting.height());
    let long_side = width.max(height);
    match long_side_px {
        Some(target) if target < long_side => {
            let scaled = |side: u32| {
                ((f64::from(side) * f64::from(target) / f64::from(long_side)).round() as u32).max(1)
            };
            painting
                .resize(scaled(width), scaled(height), Filter::Lanczos3)
                .expect("both sides are at least one pixel")
        }
        _ => painting.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_painting_is_reduced_by_its_long_side_and_never_enlarged() {
        let painting = Picture::from_rgb(20, 10, vec![9; 600]).unwrap();
        let size = |long_side| {
            let reduced = reduced(&painting, long_side);
            (reduced.width(), reduced.height())
        };
        assert_eq!(size(Some(10)), (10, 5));
        assert_eq!(size(Some(1)), (1, 1));
        assert_eq!(size(Some(40)), (20, 10));
        assert_eq!(size(None), (20, 10));
    }
}
