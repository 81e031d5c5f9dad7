//! One convolution that can be gone back.

use tch::Tensor;

/// A convolution without padding or bias, recorded by autograd: libtorch gives its gradients no other door.
pub(super) struct RecordedConv {
    input: Tensor,
    weight: Tensor,
    output: Tensor,
    needs_input_gradient: bool,
}

impl RecordedConv {
    /// Convolves `input` with `weight`, both channels last and of one kind. The recording keeps the input's memory, which
    /// must not be written to any more.
    pub(super) fn forward(
        input: &Tensor,
        weight: &Tensor,
        stride: i64,
        needs_input_gradient: bool,
    ) -> (Self, Tensor) {
        let weight = weight.detach().set_requires_grad(true);
        let input = input.detach().set_requires_grad(needs_input_gradient);
        let output = tch::with_grad(|| input.conv2d(&weight, None::<&Tensor>, stride, 0, 1, 1));
        let values = output.detach();
        (Self { input, weight, output, needs_input_gradient }, values)
    }

    /// The gradient with respect to the weight, and that with respect to the input if it was asked for.
    pub(super) fn backward(self, output_gradient: &Tensor) -> (Tensor, Option<Tensor>) {
        let Self { input, weight, output, needs_input_gradient } = self;
        // tch starts at ones; behind this product, they become the gradient.
        let product = tch::with_grad(|| &output * output_gradient);
        drop(output);
        let mut wanted = vec![weight];
        if needs_input_gradient {
            wanted.push(input);
        }
        let mut gradients = Tensor::run_backward(&[product], &wanted, false, false).into_iter();
        let weight_gradient = gradients.next().expect("as many as were asked for");
        (weight_gradient, gradients.next())
    }
}
