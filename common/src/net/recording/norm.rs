//! Instance norm that can be gone back.

use tch::{Kind, Tensor};

use crate::channels_last::{channels_last, empty_channels_last, pixel_sums};

/// An instance norm `scale * (y - mean) / std + shift` with statistics in f32 (Ulyanov et al. 2016, equation 5).
pub(super) struct RecordedNorm {
    input: Tensor,       // y, channels last, perhaps less a part of its mean
    mean: Tensor,        // of `input`, [n, c, 1, 1], f32
    inverse_std: Tensor, // as above
    factor: Tensor,      // scale / std, as above
}

/// Gradients of a norm.
pub(super) struct NormGradients {
    pub(super) input: Tensor, // channels last
    pub(super) scale: Tensor, // [c]
    pub(super) shift: Tensor, // [c]
}

impl RecordedNorm {
    /// Norms `y` `[n, c, h, w]`, which is used up; `scale` and `shift` are f32 `[c]`. Writes the result to `out`, or its
    /// ReLU if `rectifies`.
    pub(super) fn forward(
        y: Tensor,
        [scale, shift]: [&Tensor; 2],
        eps: f64,
        out: &Tensor,
        rectifies: bool,
    ) -> Self {
        let norm = if y.device().is_cuda() { Self::by_sums } else { Self::by_group_norm };
        norm(y, [scale, shift], eps, out, rectifies)
    }

    /// A group norm with as many groups as channels: on a CPU libtorch has it in one go for channels last, with statistics
    /// in the kind of the scale.
    fn by_group_norm(
        y: Tensor,
        [scale, shift]: [&Tensor; 2],
        eps: f64,
        out: &Tensor,
        rectifies: bool,
    ) -> Self {
        let (n, c, height, width) = y.size4().expect("four dimensions");
        let (normed, mean, inverse_std) =
            y.native_group_norm(Some(scale), Some(shift), n, c, height * width, c, eps);
        if rectifies {
            let _ = normed.clamp_min_out(out, 0.0);
        } else {
            out.shallow_clone().copy_(&normed);
        }
        let [mut mean, inverse_std] = [mean, inverse_std].map(|statistic| statistic.view([n, c, 1, 1]));
        let factor = scale.view([1, c, 1, 1]) * &inverse_std;
        let mut input = y;
        if input.kind() == Kind::Float {
            // Or the sums of the way back would lose digits where the mean is large.
            let _ = input.f_sub_(&mean).expect("one mean for each channel");
            mean = mean.zeros_like();
        }
        Self { input, mean, inverse_std, factor }
    }

    /// The formula, written out. On a GPU libtorch's norms would turn the channels first.
    fn by_sums(y: Tensor, [scale, shift]: [&Tensor; 2], eps: f64, out: &Tensor, rectifies: bool) -> Self {
        let (_, c, height, width) = y.size4().expect("four dimensions");
        let (kind, count) = (y.kind(), (height * width) as f64);
        let mut input = y;
        let mean = pixel_sums(&input) / count;
        let _ = input.f_sub_(&mean.to_kind(kind)).expect("one mean for each channel");
        // What rounding has left of it.
        let mean = if kind == Kind::Float { mean.zeros_like() } else { pixel_sums(&input) / count };
        let variance = pixel_sums(&(&input * &input)) / count - mean.square();
        let inverse_std = (variance + eps).rsqrt();
        let factor = scale.view([1, c, 1, 1]) * &inverse_std;
        let offset = shift.view([1, c, 1, 1]) - &factor * &mean;
        let mut out = offset.to_kind(kind).addcmul_out(out, &input, &factor.to_kind(kind));
        if rectifies {
            let _ = out.relu_();
        }
        Self { input, mean, inverse_std, factor }
    }

    /// From the gradient with respect to what was written. `rectified` is what was written, if it was rectified.
    pub(super) fn backward(self, gradient: &Tensor, rectified: Option<&Tensor>) -> NormGradients {
        let Self { input, mean, inverse_std, factor } = self;
        let (n, c, height, width) = input.size4().expect("four dimensions");
        let (kind, count) = (input.kind(), (height * width) as f64);
        // Without the border's gaps between the rows, for the sums.
        let gradient = match rectified {
            Some(rectified) => rectified.threshold_backward(gradient, 0.0),
            None => channels_last(gradient, kind),
        };
        let sums = pixel_sums(&gradient);
        // Sums of the gradient times the normed input.
        let normed_sums = (pixel_sums(&(&gradient * &input)) - &mean * &sums) * &inverse_std;

        // factor * (gradient - mean(gradient) - normed * mean(gradient * normed)), as three coefficients.
        let of_input = &factor * &inverse_std * &normed_sums * (-1.0 / count);
        let constant = &factor * &sums * (-1.0 / count) - &of_input * &mean;
        let whole = empty_channels_last([n, c, height, width], kind, input.device());
        let mut whole = constant.to_kind(kind).addcmul_out(&whole, &gradient, &factor.to_kind(kind));
        let whole = whole.addcmul_(&input, &of_input.to_kind(kind));

        let over_batch = |x: &Tensor| x.sum_dim_intlist([0i64, 2, 3].as_slice(), false, Kind::Float);
        NormGradients { input: whole, scale: over_batch(&normed_sums), shift: over_batch(&sums) }
    }
}
