//! A 3x3 convolution of a frozen network, with ReLU behind it.

use std::cell::Cell;

use tch::{Kind, Tensor};

use crate::channels_last::channels_last;
use crate::fast::{Activation, Border, Conv3x3};

/// How a network's activations lie in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// Channel by channel, as our own kernels for f32 on the CPU want them.
    Planar,
    /// Pixel by pixel, as matrix units want them.
    ChannelsLast,
}

/// A 3x3 convolution that keeps its input's size and is followed by ReLU; its weights never change, so that everything
/// that can be made of them is made once.
pub(super) enum FrozenConv {
    /// By Winograd's method, for [`Layout::Planar`].
    Winograd(Conv3x3),
    /// By libtorch, for [`Layout::ChannelsLast`].
    Direct(DirectConv),
}

/// A convolution with all weights channels last.
pub(super) struct DirectConv {
    weight: Tensor,                // [outputs, inputs, 3, 3]
    input_gradient_weight: Tensor, // [inputs, outputs, 3, 3]
    bias: Tensor,
    uses_fused_relu: Cell<bool>,
}

impl FrozenConv {
    /// From `weight` `[outputs, inputs, 3, 3]` and `bias` `[outputs]`, to compute in `kind`.
    pub(super) fn new(weight: &Tensor, bias: &Tensor, kind: Kind, layout: Layout) -> Self {
        match layout {
            Layout::Planar => Self::Winograd(Conv3x3::new(weight, Some(bias), Border::Zero)),
            Layout::ChannelsLast => Self::Direct(DirectConv::new(weight, bias, kind)),
        }
    }

    /// `relu(weight * x + bias)`.
    pub(super) fn forward_relu(&self, x: &Tensor) -> Tensor {
        match self {
            Self::Winograd(conv) => conv.forward(x, Activation::Relu),
            Self::Direct(conv) => conv.forward_relu(x),
        }
    }

    /// The gradient with respect to the input, from that with respect to the convolution's own result (before ReLU).
    pub(super) fn input_gradient(&self, output_gradient: &Tensor) -> Tensor {
        match self {
            Self::Winograd(conv) => conv.input_gradient(output_gradient, None, None),
            Self::Direct(conv) => {
                output_gradient.conv2d(&conv.input_gradient_weight, None::<&Tensor>, 1, 1, 1, 1)
            }
        }
    }
}

impl DirectConv {
    fn new(weight: &Tensor, bias: &Tensor, kind: Kind) -> Self {
        // The transpose of a convolution is the convolution with the turned kernels.
        let turned = weight.flip([2, 3]).transpose(0, 1);
        Self {
            weight: channels_last(weight, kind),
            input_gradient_weight: channels_last(&turned, kind),
            bias: bias.to_kind(kind),
            uses_fused_relu: Cell::new(weight.device().is_cuda()),
        }
    }

    fn forward_relu(&self, x: &Tensor) -> Tensor {
        if self.uses_fused_relu.get() {
            match x.f_cudnn_convolution_relu(&self.weight, Some(&self.bias), 1, 1, 1, 1) {
                Ok(activation) => return activation,
                // This cuDNN has no such kernel; from now on in three.
                Err(_) => self.uses_fused_relu.set(false),
            }
        }
        x.conv2d(&self.weight, Some(&self.bias), 1, 1, 1, 1).relu_()
    }
}
