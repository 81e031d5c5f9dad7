//! The temporal loss: a style should paint a photo and the same photo moved alike, or its films flicker.
//!
//! Learnt from still photos: a [`Motion`] is drawn for each crop, the network paints the crop and the moved crop, and the
//! first painting, moved likewise, should be the second. It is the compound regularisation of ReReVST (Wang et al. 2020,
//! section 3.2), W(S(x)) against S(W(x) + noise), with the mean square in place of their mean absolute difference, as the
//! warping error of a film is squared too.

mod features;
mod motion;
mod spec;

use tch::{Kind, Tensor};

pub use motion::{Motion, MotionKey};
pub use spec::{TemporalFactors, TemporalSpec};

/// From `byte_rgb` to a square in 0..1.
const UNIT_SQUARE: f64 = 1.0 / (255.0 * 255.0);

/// How far the painting of the moved photos is from the moved painting of the photos: the mean square over channels and
/// the pixels that stay in the frame, a scalar, in the unit of 0..1 colours (that of the warping error of a film). Both
/// are `byte_rgb` `[n, 3, h, w]`. Differentiable in both; the plain version of [`temporal_loss_and_gradients`].
pub fn temporal_loss(painted: &Tensor, painted_moved: &Tensor, motion: &Motion) -> Tensor {
    let difference = (motion.warp(painted) - painted_moved) * motion.visible();
    difference.square().sum(Kind::Float) * (UNIT_SQUARE / 3.0) / motion.visible_pixels()
}

/// [`temporal_loss`], and `weight` times its gradients with respect to `painted` and `painted_moved`, which know nothing of
/// how they came about.
pub fn temporal_loss_and_gradients(
    painted: &Tensor,
    painted_moved: &Tensor,
    motion: &Motion,
    weight: f64,
) -> (Tensor, [Tensor; 2]) {
    // The bilinear warp alone goes through autograd: its way back has no door in tch.
    let source = painted.detach().set_requires_grad(true);
    let warped = tch::with_grad(|| motion.warp(&source));
    let (loss, of_warped) = tch::no_grad(|| {
        let difference = (warped.detach() - painted_moved) * motion.visible();
        let factor = (UNIT_SQUARE / 3.0) / motion.visible_pixels();
        let loss = difference.square().sum(Kind::Float) * &factor;
        (loss, difference * (factor * (2.0 * weight)))
    });
    let projected = tch::with_grad(|| (&warped * &of_warped).sum(Kind::Float));
    let of_painted = Tensor::run_backward(&[&projected], &[&source], false, false).remove(0);
    (loss, [of_painted, of_warped.neg()])
}

#[cfg(test)]
mod tests;
