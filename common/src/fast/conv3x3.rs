//! 3x3 convolutions.

use std::cell::OnceCell;

use kernel::winograd::{Channels, Epilogue, Filter, Padding, Pictures, fold_reflection, weight_gradient};
use tch::{Kind, Tensor};

use super::values::{filled, is_cpu_f32, threads, values};

/// What lies around the picture of a convolution that keeps its size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Border {
    /// Zeros.
    Zero,
    /// The picture's reflection, without repeating its border.
    Reflect,
}

/// What is done to a convolution's sums, in the same pass over memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// Nothing.
    Identity,
    /// Negative values become 0.
    Relu,
}

/// A 3x3 convolution of stride 1 that keeps its input's size. Its weights are made ready at the first use of each
/// direction; when they change, make a new one.
pub struct Conv3x3 {
    weight: Tensor, // [outputs, inputs, 3, 3]
    bias: Option<Tensor>,
    border: Border,
    forward: OnceCell<Filter>,
    backward: OnceCell<Filter>,
}

impl Conv3x3 {
    /// The convolution with `weight` `[outputs, inputs, 3, 3]` and `bias` `[outputs]`.
    ///
    /// # Panics
    /// If `weight` has another shape.
    pub fn new(weight: &Tensor, bias: Option<&Tensor>, border: Border) -> Self {
        let (_, _, height, width) = weight.size4().expect("weight has four dimensions");
        assert_eq!((height, width), (3, 3), "weight is [outputs, inputs, 3, 3]");
        Self {
            weight: weight.detach().contiguous(),
            bias: bias.map(|bias| bias.detach().contiguous()),
            border,
            forward: OnceCell::new(),
            backward: OnceCell::new(),
        }
    }

    /// Convolves `x` `[n, inputs, h, w]` to `[n, outputs, h, w]`.
    ///
    /// # Panics
    /// If `x` has another number of channels, or a side too short to be reflected.
    pub fn forward(&self, x: &Tensor, activation: Activation) -> Tensor {
        if !self.is_fast(x) {
            let y = match self.border {
                Border::Zero => x.conv2d(&self.weight, self.bias.as_ref(), 1, 1, 1, 1),
                Border::Reflect => {
                    x.reflection_pad2d([1; 4]).conv2d(&self.weight, self.bias.as_ref(), 1, 0, 1, 1)
                }
            };
            return if activation == Activation::Relu { y.relu() } else { y };
        }
        let [outputs, inputs] = self.channels();
        let filter =
            self.forward.get_or_init(|| Filter::prepare(values(&self.weight), outputs, inputs, threads()));
        let epilogue = Epilogue {
            bias: self.bias.as_ref().map(values),
            relu: activation == Activation::Relu,
            ..Epilogue::default()
        };
        convolve(filter, x, self.padding(), &epilogue)
    }

    /// Takes the gradient with respect to the output, `gradient` `[n, outputs, h, w]`, to that with respect to the
    /// input, `[n, inputs, h, w]`.
    ///
    /// `addend` is added to it: a gradient that reaches the input by another way. Then it is set to 0 where
    /// `relu_output` is not above 0: pass the input itself when a ReLU made it, to have the gradient before that ReLU.
    ///
    /// # Panics
    /// If a tensor has another shape than said.
    pub fn input_gradient(
        &self,
        gradient: &Tensor,
        addend: Option<&Tensor>,
        relu_output: Option<&Tensor>,
    ) -> Tensor {
        let is_fast = self.is_fast(gradient) && addend.into_iter().chain(relu_output).all(is_cpu_f32);
        if !is_fast {
            return self.input_gradient_by_libtorch(gradient, addend, relu_output);
        }
        let [outputs, inputs] = self.channels();
        let filter = self
            .backward
            .get_or_init(|| Filter::prepare_transposed(values(&self.weight), outputs, inputs, threads()));
        let (addend, relu_output) = (addend.map(Tensor::contiguous), relu_output.map(Tensor::contiguous));
        let epilogue = Epilogue {
            addend: addend.as_ref().map(values),
            gate: relu_output.as_ref().map(values),
            ..Epilogue::default()
        };
        match self.border {
            Border::Zero => convolve(filter, gradient, Padding::Zero, &epilogue),
            Border::Reflect => {
                let padded = convolve(filter, gradient, Padding::Full, &Epilogue::default());
                let (count, channels, height, width) = padded.size4().expect("four dimensions");
                let size = [count, channels, height - 2, width - 2];
                let planes = Pictures {
                    count: (count * channels) as usize,
                    height: size[2] as usize,
                    width: size[3] as usize,
                };
                filled(&size, |out| {
                    fold_reflection(values(&padded), out, planes, epilogue.addend, epilogue.gate, threads());
                })
            }
        }
    }

    /// The gradients with respect to weight `[outputs, inputs, 3, 3]` and bias `[outputs]`, from `gradient`
    /// `[n, outputs, h, w]` with respect to the output and the input `x` `[n, inputs, h, w]`.
    ///
    /// # Panics
    /// If a tensor has another shape than said.
    pub fn parameter_gradients(&self, x: &Tensor, gradient: &Tensor) -> (Tensor, Tensor) {
        let bias = gradient.sum_dim_intlist(&[0i64, 2, 3][..], /*keepdim=*/ false, None::<Kind>);
        if !(self.is_fast(x) && is_cpu_f32(gradient)) {
            return (self.weight_gradient_by_libtorch(x, gradient), bias);
        }
        let (x, gradient) = (x.contiguous(), gradient.contiguous());
        let [outputs, inputs] = self.channels();
        assert_eq!(x.size()[1] as usize, inputs, "channels");
        let (channels, padding) = (Channels { outputs, inputs }, self.padding());
        let weight =
            weight_gradient(values(&x), values(&gradient), channels, pictures_of(&x), padding, threads());
        (Tensor::from_slice(&weight).view_as(&self.weight), bias)
    }

    /// Through autograd, since tch has no call for it alone: the convolution is done once more.
    fn weight_gradient_by_libtorch(&self, x: &Tensor, gradient: &Tensor) -> Tensor {
        tch::with_grad(|| {
            let weight = self.weight.detach().set_requires_grad(true);
            let x = x.detach();
            let y = match self.border {
                Border::Zero => x.conv2d(&weight, None::<&Tensor>, 1, 1, 1, 1),
                Border::Reflect => x.reflection_pad2d([1; 4]).conv2d(&weight, None::<&Tensor>, 1, 0, 1, 1),
            };
            let product = (y * gradient.detach()).sum(gradient.kind());
            Tensor::run_backward(&[product], &[&weight], false, false).remove(0)
        })
    }

    fn input_gradient_by_libtorch(
        &self,
        gradient: &Tensor,
        addend: Option<&Tensor>,
        relu_output: Option<&Tensor>,
    ) -> Tensor {
        let transposed =
            |padding: i64| gradient.conv_transpose2d(&self.weight, None::<&Tensor>, 1, padding, 0, 1, 1);
        let mut result = match self.border {
            Border::Zero => transposed(1),
            Border::Reflect => {
                let padded = transposed(0);
                // Only its size is asked for.
                let (_, _, height, width) = padded.size4().expect("four dimensions");
                let input = padded.narrow(2, 0, height - 2).narrow(3, 0, width - 2);
                input.reflection_pad2d_backward(&padded, [1; 4])
            }
        };
        if let Some(addend) = addend {
            result += addend;
        }
        match relu_output {
            Some(relu_output) => relu_output.threshold_backward(&result, 0),
            None => result,
        }
    }

    fn padding(&self) -> Padding {
        match self.border {
            Border::Zero => Padding::Zero,
            Border::Reflect => Padding::Reflect,
        }
    }

    /// `[outputs, inputs]`
    fn channels(&self) -> [usize; 2] {
        let size = self.weight.size();
        [size[0] as usize, size[1] as usize]
    }

    fn is_fast(&self, x: &Tensor) -> bool {
        is_cpu_f32(x) && is_cpu_f32(&self.weight) && x.numel() > 0
    }
}

fn convolve(filter: &Filter, x: &Tensor, padding: Padding, epilogue: &Epilogue<'_>) -> Tensor {
    let x = x.contiguous();
    assert_eq!(x.size()[1] as usize, filter.inputs(), "channels");
    let pictures = pictures_of(&x);
    let output = padding.output(pictures);
    let size = [output.count as i64, filter.outputs() as i64, output.height as i64, output.width as i64];
    filled(&size, |out| filter.convolve(values(&x), out, pictures, padding, epilogue, threads()))
}

fn pictures_of(x: &Tensor) -> Pictures {
    let (count, _, height, width) = x.size4().expect("four dimensions");
    Pictures { count: count as usize, height: height as usize, width: width as usize }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fast::values::tests::{FLOAT, relative_error};

    /// Of norms; see `kernel::winograd`.
    const TOLERANCE: f64 = 2e-6;

    struct Case {
        conv: Conv3x3,
        /// In f64, which the kernels do not take.
        reference: Conv3x3,
        x: Tensor,
        gradient: Tensor,
        addend: Tensor,
    }

    fn cases() -> Vec<Case> {
        let mut cases = Vec::new();
        for border in [Border::Zero, Border::Reflect] {
            for (inputs, outputs, height, width) in [(3, 9, 7, 5), (24, 16, 16, 64), (8, 5, 33, 130)] {
                let (weight, bias) =
                    (Tensor::randn([outputs, inputs, 3, 3], FLOAT), Tensor::randn([outputs], FLOAT));
                let double = [&weight, &bias].map(|tensor| tensor.to_kind(Kind::Double));
                cases.push(Case {
                    conv: Conv3x3::new(&weight, Some(&bias), border),
                    reference: Conv3x3::new(&double[0], Some(&double[1]), border),
                    x: Tensor::randn([2, inputs, height, width], FLOAT),
                    gradient: Tensor::randn([2, outputs, height, width], FLOAT),
                    addend: Tensor::randn([2, inputs, height, width], FLOAT),
                });
            }
        }
        cases
    }

    #[test]
    fn forward_is_libtorchs() {
        for Case { conv, reference, x, .. } in cases() {
            for activation in [Activation::Identity, Activation::Relu] {
                let expected = reference.forward(&x.to_kind(Kind::Double), activation);
                let error = relative_error(&conv.forward(&x, activation), &expected);
                assert!(error < TOLERANCE, "{:?} {activation:?}: {error:.1e}", conv.border);
            }
        }
    }

    #[test]
    fn input_gradients_are_autograds() {
        for Case { reference, x, gradient, addend, conv } in cases() {
            let [x_double, gradient_double, addend_double] =
                [&x, &gradient, &addend].map(|tensor| tensor.to_kind(Kind::Double));
            let before_relu = x_double.set_requires_grad(true);
            let rectified = before_relu.relu();
            let y = reference.forward(&rectified, Activation::Identity);
            let loss =
                (y * &gradient_double).sum(Kind::Double) + (&rectified * addend_double).sum(Kind::Double);
            let expected = Tensor::run_backward(&[loss], &[&before_relu], false, false).remove(0);

            let relu_output = x.relu();
            let found = conv.input_gradient(&gradient, Some(&addend), Some(&relu_output));
            let error = relative_error(&found, &expected);
            assert!(error < TOLERANCE, "{:?}: {error:.1e}", conv.border);

            let by_libtorch = conv.input_gradient_by_libtorch(&gradient, Some(&addend), Some(&relu_output));
            let error = relative_error(&by_libtorch, &expected);
            assert!(error < TOLERANCE, "{:?} by libtorch: {error:.1e}", conv.border);
            let plain = conv.input_gradient(&gradient, None, None);
            let plain_by_libtorch = conv.input_gradient_by_libtorch(&gradient, None, None);
            assert!(relative_error(&plain, &plain_by_libtorch) < TOLERANCE);
        }
    }

    #[test]
    fn parameter_gradients_are_autograds() {
        for Case { conv, reference, x, gradient, .. } in cases() {
            let [x_double, gradient_double] = [&x, &gradient].map(|tensor| tensor.to_kind(Kind::Double));
            // In f64 they are autograd's.
            let (expected, _) = reference.parameter_gradients(&x_double, &gradient_double);
            let (found, bias) = conv.parameter_gradients(&x, &gradient);
            let error = relative_error(&found, &expected);
            assert!(error < TOLERANCE, "{:?}: {error:.1e}", conv.border);
            let sums = gradient_double.sum_dim_intlist(&[0i64, 2, 3][..], false, None::<Kind>);
            assert!(relative_error(&bias, &sums) < TOLERANCE);
        }
    }

    #[test]
    fn what_is_not_contiguous_is_taken_all_the_same() {
        let conv = Conv3x3::new(&Tensor::randn([4, 3, 3, 3], FLOAT), None, Border::Zero);
        let x = Tensor::randn([2, 9, 8, 3], FLOAT).permute([0, 3, 1, 2]);
        let found = conv.forward(&x, Activation::Identity);
        let expected = x.conv2d(&conv.weight, None::<&Tensor>, 1, 1, 1, 1);
        assert!(relative_error(&found, &expected) < TOLERANCE);
    }
}
