//! A residual block in f32 on the CPU, by our own kernels: channel by channel, Winograd's convolutions there and back.

use tch::Tensor;

use crate::fast::{Activation, AfterNorm, Border, Conv3x3, InstanceNorm, NormStatistics};
use crate::net::parameters::NamedViews;

/// Two convolutions around a shortcut, recorded.
pub(super) struct PlanarBlock {
    first: PlanarConv,
    second: PlanarConv,
}

/// A convolution with a norm behind it, recorded.
struct PlanarConv {
    names: [String; 2],
    conv: Conv3x3,
    norm: InstanceNorm,
    input: Tensor,
    convolved: Tensor,
    statistics: NormStatistics,
    rectified: Option<Tensor>, // the result, if ReLU follows
}

impl PlanarBlock {
    /// Block `block`, from 1, on `x` `[n, c, h, w]`, contiguous. The biases of the convolutions are left out.
    pub(super) fn forward(x: &Tensor, block: usize, parameters: &NamedViews<'_>, eps: f64) -> (Self, Tensor) {
        let layer = |half: usize, input: &Tensor, after: AfterNorm<'_>| {
            let names = ["conv", "in"].map(|kind| format!("res{block}.{kind}{half}"));
            PlanarConv::forward(names, input, after, parameters, eps)
        };
        let (first, inner) = layer(1, x, AfterNorm::Relu);
        let (second, sum) = layer(2, &inner, AfterNorm::Sum(x));
        (Self { first, second }, sum)
    }

    /// From the gradient with respect to the sum that with respect to the block's input; those of its parameters go into
    /// `gradients`.
    pub(super) fn backward(self, gradient: &Tensor, gradients: &NamedViews<'_>) -> Tensor {
        let of_inner = self.second.backward(gradient, None, gradients);
        self.first.backward(&of_inner, Some(gradient), gradients)
    }
}

impl PlanarConv {
    fn forward(
        names: [String; 2],
        input: &Tensor,
        after: AfterNorm<'_>,
        parameters: &NamedViews<'_>,
        eps: f64,
    ) -> (Self, Tensor) {
        let [conv, norm] = &names;
        let conv = Conv3x3::new(&parameters.get(&format!("{conv}.conv2d.weight")), None, Border::Reflect);
        let [scale, shift] = ["weight", "bias"].map(|part| parameters.get(&format!("{norm}.{part}")));
        let norm = InstanceNorm::new(&scale, &shift, eps);
        let convolved = conv.forward(input, Activation::Identity);
        let (result, statistics) = norm.forward(&convolved, after);
        let rectified = matches!(after, AfterNorm::Relu).then(|| result.shallow_clone());
        let input = input.shallow_clone();
        (Self { names, conv, norm, input, convolved, statistics, rectified }, result)
    }

    /// The gradient with respect to the input, with `addend` added.
    fn backward(self, gradient: &Tensor, addend: Option<&Tensor>, gradients: &NamedViews<'_>) -> Tensor {
        let Self { names: [conv_name, norm_name], conv, norm, input, convolved, statistics, rectified } =
            self;
        let of_norm = norm.backward(gradient, &convolved, &statistics, rectified.as_ref());
        drop((convolved, rectified));
        gradients.get(&format!("{norm_name}.weight")).copy_(&of_norm.scale);
        gradients.get(&format!("{norm_name}.bias")).copy_(&of_norm.shift);
        let (of_weight, _) = conv.parameter_gradients(&input, &of_norm.x);
        gradients.get(&format!("{conv_name}.conv2d.weight")).copy_(&of_weight);
        conv.input_gradient(&of_norm.x, addend, None)
    }
}
