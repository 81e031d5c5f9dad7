//! Measures of pictures that are reported, not trained on.

mod ssim;

pub use ssim::{luma, ssim};
