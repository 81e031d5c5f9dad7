//! Content: what the picture shows.

use tch::{Reduction, Tensor};

/// The mean squared difference of two feature maps of one shape (Johnson et al. 2016, equation 2), a scalar.
///
/// # Panics
/// If the shapes differ: broadcasting would hide a mistake.
pub fn content_loss(features: &Tensor, target: &Tensor) -> Tensor {
    assert_eq!(features.size(), target.size(), "content features and their target");
    features.mse_loss(target, Reduction::Mean)
}
