//! What a picture is judged by: small pieces, each one formula, and the perceptual loss that weighs them together.

mod by_hand;
mod content;
#[cfg(test)]
mod drawn;
mod layer_weights;
mod matting;
mod perceptual;
mod style;
mod style_target;
mod temporal;
mod total_variation;

pub use by_hand::LossPhase;
pub use content::content_loss;
pub use layer_weights::{LayerWeights, ParseLayerWeightsError};
pub use matting::MattingLaplacian;
pub use perceptual::{LossTerms, LossValues, LossWeights, PerceptualLoss, PerceptualLossSpec};
pub use style::{gram_matrix, style_loss};
pub use style_target::{LayerTarget, StyleTarget, StyleUnit, WeightedPainting};
pub use temporal::{
    Motion, MotionKey, TemporalFactors, TemporalSpec, temporal_loss, temporal_loss_and_gradients,
};
pub use total_variation::total_variation_loss;
