//! The layers of the style network, written plainly: the reference that every faster form is tested against.

use tch::{Kind, Tensor};

use super::{Padding, Parameters, Upsample};

/// A square convolution with bias that keeps its input's size, or halves it (rounding up).
pub(super) struct Conv {
    weight: Tensor, // [outputs, inputs, kernel, kernel]
    bias: Tensor,
    kernel: i64,
    stride: i64,
    padding: Padding,
}

impl Conv {
    pub(super) fn new(parameters: &Parameters, name: &str, stride: i64, padding: Padding) -> Self {
        let weight = parameters.get(&format!("{name}.conv2d.weight"));
        let bias = parameters.get(&format!("{name}.conv2d.bias"));
        let kernel = weight.size()[3];
        Self { weight, bias, kernel, stride, padding }
    }

    pub(super) fn forward(&self, x: &Tensor) -> Tensor {
        let padded = match self.padding {
            Padding::Reflect => x.reflection_pad2d([self.kernel / 2; 4]),
            Padding::ZeroSame => {
                let (_, _, height, width) = x.size4().expect("four dimensions");
                let (left, right) = same_padding(width, self.kernel, self.stride);
                let (top, bottom) = same_padding(height, self.kernel, self.stride);
                x.constant_pad_nd([left, right, top, bottom])
            }
        };
        padded.conv2d(&self.weight, Some(&self.bias), self.stride, 0, 1, 1)
    }
}

/// TensorFlow's `SAME` zeros before and after a side of this length.
fn same_padding(length: i64, kernel: i64, stride: i64) -> (i64, i64) {
    let outputs = (length + stride - 1) / stride;
    let total = ((outputs - 1) * stride + kernel - length).max(0);
    (total / 2, total - total / 2)
}

/// Doubles the resolution with a 3x3 kernel.
pub(super) enum UpsampleConv {
    Nearest(Conv),
    Transposed { weight: Tensor, bias: Tensor, padding: Padding },
}

impl UpsampleConv {
    pub(super) fn new(parameters: &Parameters, name: &str, upsample: Upsample, padding: Padding) -> Self {
        match upsample {
            Upsample::Nearest => Self::Nearest(Conv::new(parameters, name, 1, padding)),
            Upsample::Transposed => Self::Transposed {
                weight: parameters.get(&format!("{name}.conv2d.weight")), // [inputs, outputs, 3, 3]
                bias: parameters.get(&format!("{name}.conv2d.bias")),
                padding,
            },
        }
    }

    pub(super) fn forward(&self, x: &Tensor) -> Tensor {
        let (_, _, height, width) = x.size4().expect("four dimensions");
        match self {
            Self::Nearest(conv) => conv.forward(&x.upsample_nearest2d([2 * height, 2 * width], None, None)),
            // Padding 1 and output padding 1: the full result without its first row and column.
            Self::Transposed { weight, bias, padding: Padding::Reflect } => {
                x.conv_transpose2d(weight, Some(bias), 2, 1, 1, 1, 1)
            }
            // TensorFlow's SAME keeps the first 2n rows of the full 2n + 1.
            Self::Transposed { weight, bias, padding: Padding::ZeroSame } => x
                .conv_transpose2d(weight, Some(bias), 2, 0, 0, 1, 1)
                .narrow(2, 0, 2 * height)
                .narrow(3, 0, 2 * width),
        }
    }
}

/// Instance norm with learned scale and shift: each channel of each picture to mean 0 and variance 1 over its own
/// pixels (Ulyanov et al. 2016, equation 5).
pub(super) struct InstanceNorm {
    scale: Tensor,
    shift: Tensor,
    eps: f64,
}

impl InstanceNorm {
    pub(super) fn new(parameters: &Parameters, name: &str, eps: f64) -> Self {
        let scale = parameters.get(&format!("{name}.weight"));
        let shift = parameters.get(&format!("{name}.bias"));
        Self { scale, shift, eps }
    }

    pub(super) fn forward(&self, x: &Tensor) -> Tensor {
        let (scale, shift) = (Some(&self.scale), Some(&self.shift));
        let no_statistics = None::<&Tensor>;
        x.instance_norm(
            scale,
            shift,
            no_statistics,
            no_statistics,
            /*use_input_stats=*/ true,
            /*momentum=*/ 0.0,
            self.eps,
            /*cudnn_enabled=*/ true,
        )
    }

    /// [`InstanceNorm::forward`] with the statistics that `settle` makes of the picture's own.
    pub(super) fn forward_settled(&self, x: &Tensor, settle: Settle<'_>) -> Tensor {
        let (variance, mean) = x.var_mean_correction([2i64, 3].as_slice(), 0, /*keepdim=*/ true);
        let of_x =
            ChannelStatistics { mean: mean.to_kind(Kind::Double), variance: variance.to_kind(Kind::Double) };
        let ChannelStatistics { mean, variance } = settle(of_x);
        let factor = self.scale.view([1, -1, 1, 1]).to_kind(Kind::Double) * (variance + self.eps).rsqrt();
        let offset = self.shift.view([1, -1, 1, 1]).to_kind(Kind::Double) - mean * &factor;
        offset.to_kind(x.kind()).addcmul(x, &factor.to_kind(x.kind()))
    }
}

/// Mean and variance of each channel of each picture, f64 `[n, channels, 1, 1]`.
#[derive(Debug)]
pub(crate) struct ChannelStatistics {
    pub(crate) mean: Tensor,
    pub(crate) variance: Tensor,
}

/// Makes of a picture's own statistics those to normalise it with; it is asked once for each norm, in the network's order.
pub(crate) type Settle<'a> = &'a mut dyn FnMut(ChannelStatistics) -> ChannelStatistics;

#[cfg(test)]
mod tests {
    use super::same_padding;

    #[test]
    fn same_padding_is_tensorflows() {
        assert_eq!(same_padding(10, 9, 1), (4, 4));
        assert_eq!(same_padding(10, 3, 2), (0, 1));
        assert_eq!(same_padding(11, 3, 2), (1, 1));
        assert_eq!(same_padding(10, 1, 2), (0, 0));
    }
}
