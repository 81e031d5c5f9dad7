//! What a picture is judged by: small pieces, each one formula, and the perceptual loss that weighs them together.

mod content;
mod perceptual;
mod style;
mod total_variation;

pub use content::content_loss;
pub use perceptual::{LossTerms, LossValues, LossWeights, PerceptualLoss, PerceptualLossSpec};
pub use style::{gram_matrix, style_loss};
pub use total_variation::total_variation_loss;
