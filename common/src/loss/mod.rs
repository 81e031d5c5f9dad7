//! What a picture is judged by: small pieces, each one formula, and the perceptual loss that weighs them together.

mod by_hand;
mod content;
#[cfg(test)]
pub(crate) mod drawn;
mod grid_pattern;
mod layer_weights;
mod matting;
mod perceptual;
mod reduction;
mod statistic;
mod strips;
mod style_gradient;
mod style_target;
mod temporal;
mod total_variation;

pub use by_hand::{Look, LossPhase};
pub use content::content_loss;
pub use grid_pattern::grid_pattern_loss;
pub use layer_weights::{LayerWeights, ParseLayerWeightsError};
pub use matting::MattingLaplacian;
pub use perceptual::{ContentTarget, LossTerms, LossValues, LossWeights, PerceptualLoss, PerceptualLossSpec};
pub use reduction::Reduction;
pub use statistic::{ParseStatisticsError, Shifts, StyleStatistic, StyleStatistics};
pub use strips::Strips;
pub use style_target::{StyleRegion, StyleTarget, StyleUnit, WeightedPainting};
pub use temporal::{
    Motion, MotionKey, TemporalFactors, TemporalSpec, temporal_loss, temporal_loss_and_gradients,
};
pub use total_variation::{TotalVariation, TotalVariationForm, total_variation_loss};
