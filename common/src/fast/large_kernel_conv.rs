//! Large convolutions to few channels.

use tch::Tensor;

use super::values::is_cpu_f32;

/// A large square convolution to few channels, of stride 1, that keeps its input's size by reflection: the last one of
/// the style network, 9x9 from 32 channels to 3.
///
/// Libtorch's CPU convolutions make several output channels at once, and three are too few for them. Here each row of the
/// kernel has its own: a 1x9 convolution to 27 channels, whose rows are then added up where they belong. Measured at
/// 256x256, that takes half the time, forwards and for the input's gradient. Elsewhere it is done directly.
pub struct LargeKernelConv {
    weight: Tensor, // [outputs, inputs, kernel, kernel]
    rows: Tensor,   // [kernel * outputs, inputs, 1, kernel]
    bias: Tensor,
    kernel: i64,
}

impl LargeKernelConv {
    /// The convolution with `weight` `[outputs, inputs, kernel, kernel]` and `bias` `[outputs]`, of an odd `kernel`.
    ///
    /// # Panics
    /// If `weight` has another shape.
    pub fn new(weight: &Tensor, bias: &Tensor) -> Self {
        let (outputs, inputs, height, kernel) = weight.size4().expect("weight has four dimensions");
        assert!(height == kernel && kernel % 2 == 1, "weight is [outputs, inputs, kernel, kernel]");
        let weight = weight.detach();
        let rows = weight.permute([2, 0, 1, 3]).reshape([kernel * outputs, inputs, 1, kernel]);
        Self { weight, rows, bias: bias.detach(), kernel }
    }

    /// Convolves `x` `[n, inputs, h, w]` to `[n, outputs, h, w]`. Sides must be longer than half the kernel.
    pub fn forward(&self, x: &Tensor) -> Tensor {
        let padded = x.reflection_pad2d([self.kernel / 2; 4]);
        if !is_cpu_f32(x) {
            return padded.conv2d(&self.weight, Some(&self.bias), 1, 0, 1, 1);
        }
        let rows = self.of_rows(&padded.conv2d(&self.rows, None::<&Tensor>, 1, 0, 1, 1));
        let height = x.size()[2];
        let mut y = rows.select(1, 0).narrow(2, 0, height) + self.bias.view([1, -1, 1, 1]);
        for row in 1..self.kernel {
            y += rows.select(1, row).narrow(2, row, height);
        }
        y
    }

    /// Takes the gradient with respect to the output, `[n, outputs, h, w]`, to that with respect to the input
    /// `[n, inputs, h, w]`.
    pub fn input_gradient(&self, gradient: &Tensor) -> Tensor {
        let (count, outputs, height, width) = gradient.size4().expect("four dimensions");
        let none = None::<&Tensor>;
        let padded = if is_cpu_f32(gradient) {
            let kind = (gradient.kind(), gradient.device());
            let taller = height + self.kernel - 1;
            let of_rows = Tensor::zeros([count, self.kernel, outputs, taller, width], kind);
            for row in 0..self.kernel {
                of_rows.select(1, row).narrow(2, row, height).copy_(gradient);
            }
            of_rows.flatten(1, 2).conv_transpose2d(&self.rows, none, 1, 0, 0, 1, 1)
        } else {
            gradient.conv_transpose2d(&self.weight, none, 1, 0, 0, 1, 1)
        };
        // Only the size of the input is asked for.
        let input = padded.narrow(2, 0, height).narrow(3, 0, width);
        input.reflection_pad2d_backward(&padded, [self.kernel / 2; 4])
    }

    /// `[n, kernel, outputs, h + kernel - 1, w]`
    fn of_rows(&self, rows: &Tensor) -> Tensor {
        let (count, channels, taller, width) = rows.size4().expect("four dimensions");
        rows.view([count, self.kernel, channels / self.kernel, taller, width])
    }
}

#[cfg(test)]
mod tests {
    use tch::Kind;

    use super::*;
    use crate::fast::values::tests::{FLOAT, relative_error};

    #[test]
    fn forward_and_gradient_are_autograds() {
        for (kernel, height, width) in [(9, 12, 17), (3, 5, 2)] {
            let weight = Tensor::randn([3, 8, kernel, kernel], FLOAT);
            let bias = Tensor::randn([3], FLOAT);
            let (x, gradient) =
                (Tensor::randn([2, 8, height, width], FLOAT), Tensor::randn([2, 3, height, width], FLOAT));
            let double = |tensor: &Tensor| tensor.to_kind(Kind::Double);
            let conv = LargeKernelConv::new(&weight, &bias);
            let reference = LargeKernelConv::new(&double(&weight), &double(&bias));

            let leaf = double(&x).set_requires_grad(true);
            let y = reference.forward(&leaf);
            let loss = (&y * double(&gradient)).sum(Kind::Double);
            let expected = Tensor::run_backward(&[loss], &[&leaf], false, false).remove(0);
            assert!(relative_error(&conv.forward(&x), &y) < 1e-6);
            assert!(relative_error(&conv.input_gradient(&gradient), &expected) < 1e-6);
            assert!(relative_error(&reference.input_gradient(&double(&gradient)), &expected) < 1e-12);
        }
    }
}
