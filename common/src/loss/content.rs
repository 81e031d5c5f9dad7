//! Content: what the picture shows.

use tch::Tensor;

use super::Reduction;

/// The squared difference of two feature maps of one shape (Johnson et al. 2016, equation 2, is their mean), a scalar.
///
/// # Panics
/// If the shapes differ: broadcasting would hide a mistake.
pub fn content_loss(features: &Tensor, target: &Tensor, reduction: Reduction) -> Tensor {
    assert_eq!(features.size(), target.size(), "content features and their target");
    reduction.of(&(features - target).square())
}
