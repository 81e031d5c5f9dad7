//! How well styles paint photos, under one loss for all of them.

pub mod film;
mod table;

use std::collections::BTreeMap;
use std::path::Path;

use common::loss::{LayerWeights, LossValues, PerceptualLoss, PerceptualLossSpec, WeightedPainting};
use common::lossnet::{Layer, LossNet, LossNetError};
use common::metric::{luma, ssim};
use common::space::byte_rgb_from_picture;
use pixel::Picture;
use serde::Serialize;
use tch::{Device, Tensor};

use crate::recipe::NamedRecipe;

pub use table::table;

/// The shortest side of a picture that can be judged by its structural similarity, in pixels.
pub const SMALLEST_SIDE_PX: u32 = 11;

/// What pictures are judged by: a perceptual loss, and structural similarity to the photo. Without a painting there is
/// no style loss, and so no total either.
pub struct Judge {
    loss: PerceptualLoss,
    knows_painting: bool,
}

/// What one picture is like.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    losses: LossValues,
    ssim: f64,
}

/// What the pictures that one network painted of some photos are like: means over the photos.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Scores {
    /// The weighted sum of the losses; `None` without a painting.
    pub total: Option<f64>,
    /// Style loss, summed over layers; `None` without a painting.
    pub style: Option<f64>,
    /// Content loss, summed over layers.
    pub content: f64,
    /// Total variation, unweighted.
    pub total_variation: f64,
    /// Structural similarity of the pictures' luma to the photos': 1 for the photos themselves.
    pub ssim: f64,
    /// Style loss at each style layer; none without a painting.
    pub style_layers: BTreeMap<Layer, f64>,
    /// Content loss at each content layer.
    pub content_layers: BTreeMap<Layer, f64>,
}

/// Why nothing can be judged.
#[derive(Debug, thiserror::Error)]
pub enum JudgeError {
    /// The loss network cannot be used.
    #[error(transparent)]
    LossNet(#[from] LossNetError),
    /// The painting is too small for the deepest style layer.
    #[error("the painting is {width}x{height} pixels; the style layers need at least {needed} a side")]
    PaintingTooSmall {
        /// Its width.
        width: u32,
        /// Its height.
        height: u32,
        /// The shortest side that will do.
        needed: u32,
    },
}

/// The loss that styles are compared by unless another is asked for: that of lengstrom/fast-style-transfer, whose style loss
/// has no unit, so that figures can be set beside other people's.
pub fn reference_loss() -> PerceptualLossSpec {
    NamedRecipe::Lengstrom.recipe().loss
}

impl Judge {
    /// A judge by `spec`, with the loss network of this file; the painting is looked at in its own size.
    ///
    /// # Errors
    /// The loss network or the painting cannot be used.
    pub fn new(
        mut spec: PerceptualLossSpec,
        loss_net: &Path,
        painting: Option<&Picture>,
        device: Device,
    ) -> Result<Self, JudgeError> {
        if painting.is_none() {
            spec.style_layers = LayerWeights::default();
        }
        if let Some(painting) = painting {
            let (width, height) = (painting.width(), painting.height());
            let needed = spec.style_layers.layers().map(LossNet::smallest_side).max().unwrap_or(1);
            if width.min(height) < needed {
                return Err(JudgeError::PaintingTooSmall { width, height, needed });
            }
        }
        let network = LossNet::load(loss_net, &spec.layers(), device)?;
        let painting =
            painting.map(|painting| WeightedPainting::whole(byte_rgb_from_picture(painting, device), 1.0));
        let knows_painting = painting.is_some();
        let loss = PerceptualLoss::new(spec, network, painting.into_iter().collect());
        Ok(Self { loss, knows_painting })
    }

    /// Judges a picture by the photo it was painted from, both `byte_rgb` `[1, 3, h, w]` in 0..255, with sides of at
    /// least [`SMALLEST_SIDE_PX`].
    pub fn judge(&self, painted_byte_rgb: &Tensor, photo_byte_rgb: &Tensor) -> Judgement {
        tch::no_grad(|| Judgement {
            losses: self.loss.evaluate(painted_byte_rgb, photo_byte_rgb).values(self.loss.spec()),
            ssim: ssim(&luma(painted_byte_rgb), &luma(photo_byte_rgb)).double_value(&[]),
        })
    }

    /// The scores of a network by what its pictures are like; all zeros of none.
    pub fn scores(&self, judgements: &[Judgement]) -> Scores {
        let losses: Vec<LossValues> = judgements.iter().map(|judgement| judgement.losses.clone()).collect();
        let LossValues { total, content, style, total_variation, content_layers, style_layers, .. } =
            LossValues::mean(&losses);
        let ssim_sum: f64 = judgements.iter().map(|judgement| judgement.ssim).sum();
        Scores {
            total: self.knows_painting.then_some(total),
            style: self.knows_painting.then_some(style),
            content,
            total_variation,
            ssim: ssim_sum / judgements.len().max(1) as f64,
            style_layers,
            content_layers,
        }
    }
}
