//! Features as a Gaussian distribution, and the 2-Wasserstein distance of two such.
//!
//! `|m1 - m2|² + tr(S1 + S2 - 2 (R2 S1 R2)^½)` with `R2 = S2^½`. The trace of the root is the sum of the roots of the eigenvalues. A
//! measure is `[n, c, c + 1]`, covariance beside mean; a target has the covariance's root in front of them. All is
//! divided by the number of channels, as means over channels are elsewhere.

use tch::{Kind, Tensor};

use super::Moments;

/// Added to variances: where a channel never varies, the root of an eigenvalue would have no slope.
const RIDGE: f64 = 1e-4;

/// From moments to a measure.
pub(super) fn covariance_and_mean(moments: &Moments) -> Tensor {
    let covariance = moments.covariance();
    let ridge = Tensor::eye(covariance.size()[1], (covariance.kind(), covariance.device())) * RIDGE;
    Tensor::cat(&[covariance + ridge, moments.mean.shallow_clone()], 2)
}

/// From a measure `[1, c, c + 1]` to a target `[1, c, 2 c + 1]`.
pub(super) fn with_root(measured: &Tensor) -> Tensor {
    let covariance = measured.narrow(2, 0, measured.size()[1]).to_kind(Kind::Double);
    let (variances, axes) = covariance.linalg_eigh("L");
    let root =
        axes.matmul(&variances.clamp_min(0.0).sqrt().diag_embed(0, -2, -1)).matmul(&axes.transpose(-2, -1));
    Tensor::cat(&[root.to_kind(measured.kind()), measured.shallow_clone()], 2)
}

/// The squared distance of each measure of the batch to the target, averaged over the batch; differentiable in the measure.
pub(super) fn squared_distance(measured: &Tensor, target: &Tensor) -> Tensor {
    let c = measured.size()[1];
    let (covariance, mean) = (measured.narrow(2, 0, c), measured.narrow(2, c, 1));
    let root = target.narrow(2, 0, c);
    let (target_covariance, target_mean) = (target.narrow(2, c, c), target.narrow(2, 2 * c, 1));
    let product = root.matmul(&covariance).matmul(&root);
    let symmetric = (&product + product.transpose(-2, -1)) / 2.0;
    let shared: Tensor = (symmetric.linalg_eigvalsh("L").clamp_min(0.0) + RIDGE * RIDGE).sqrt();
    let n = measured.size()[0] as f64;
    let of_means = (mean - target_mean).square().sum(Kind::Float);
    let of_shapes = trace(&covariance) + trace(&target_covariance) * n - shared.sum(Kind::Float) * 2.0;
    (of_means + of_shapes) / (n * c as f64)
}

/// The squared distance of a target to the distribution that is always zero.
pub(super) fn squared_size(target: &Tensor) -> Tensor {
    let c = target.size()[1];
    (trace(&target.narrow(2, c, c)) + target.narrow(2, 2 * c, 1).square().sum(Kind::Float)) / c as f64
}

/// Over the batch.
fn trace(matrices: &Tensor) -> Tensor {
    matrices.diagonal(0, 1, 2).sum(Kind::Float)
}
