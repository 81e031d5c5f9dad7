//! Instance norm that can be gone back.

use tch::{Kind, Tensor};

use crate::channels_last::{empty_channels_last, pixel_sums};

/// An instance norm `scale * (y - mean) / std + shift` with statistics in f32 (Ulyanov et al. 2016, equation 5).
pub(super) struct RecordedNorm {
    centred: Tensor,        // y less a mean, in y's own memory
    remaining_mean: Tensor, // what rounding left of the mean, [n, c, 1, 1], f32
    inverse_std: Tensor,    // as above
    factor: Tensor,         // scale / std, as above
}

/// Gradients of a norm.
pub(super) struct NormGradients {
    pub(super) input: Tensor, // channels last
    pub(super) scale: Tensor, // [c]
    pub(super) shift: Tensor, // [c]
}

impl RecordedNorm {
    /// Norms `y` `[n, c, h, w]`, which is used up, into `out`; `scale` and `shift` are f32 `[c]`.
    pub(super) fn forward(y: Tensor, scale: &Tensor, shift: &Tensor, eps: f64, out: &Tensor) -> Self {
        let (_, channels, height, width) = y.size4().expect("four dimensions");
        let (kind, count) = (y.kind(), (height * width) as f64);
        let mut centred = y;
        let mean = pixel_sums(&centred) / count;
        let _ = centred.f_sub_(&mean.to_kind(kind)).expect("one mean for each channel");
        let remaining_mean = match kind {
            Kind::Float => mean.zeros_like(),
            _ => pixel_sums(&centred) / count,
        };
        let variance = pixel_sums(&(&centred * &centred)) / count - remaining_mean.square();
        let inverse_std = (variance + eps).rsqrt();
        let factor = scale.view([1, channels, 1, 1]) * &inverse_std;
        let offset = shift.view([1, channels, 1, 1]) - &factor * &remaining_mean;
        let _ = offset.to_kind(kind).addcmul_out(out, &centred, &factor.to_kind(kind));
        Self { centred, remaining_mean, inverse_std, factor }
    }

    /// From the gradient with respect to the norm's result, which is left as it is.
    pub(super) fn backward(self, gradient: &Tensor) -> NormGradients {
        let Self { centred, remaining_mean, inverse_std, factor } = self;
        let (n, c, height, width) = centred.size4().expect("four dimensions");
        let (kind, count) = (centred.kind(), (height * width) as f64);
        let sums = pixel_sums(gradient);
        // Sums of the gradient times the normed input.
        let normed_sums = (pixel_sums(&(gradient * &centred)) - &remaining_mean * &sums) * &inverse_std;

        // factor * (gradient - mean(gradient) - normed * mean(gradient * normed)), as three coefficients.
        let of_centred = &factor * &inverse_std * &normed_sums * (-1.0 / count);
        let constant = &factor * &sums * (-1.0 / count) - &of_centred * &remaining_mean;
        let input = empty_channels_last([n, c, height, width], kind, centred.device());
        let _ = constant.to_kind(kind).addcmul_out(&input, gradient, &factor.to_kind(kind));
        let input = input.shallow_clone().addcmul_(&centred, &of_centred.to_kind(kind));

        let over_batch = |x: &Tensor| x.sum_dim_intlist([0i64, 2, 3].as_slice(), false, Kind::Float);
        NormGradients { input, scale: over_batch(&normed_sums), shift: over_batch(&sums) }
    }
}
