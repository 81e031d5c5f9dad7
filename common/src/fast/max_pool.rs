//! 2x2 max pooling after a ReLU.

use kernel::max_pool;
use tch::Tensor;

use super::values::{filled, is_cpu_f32, threads, values};

/// The largest of each 2x2 pixels of `x` `[n, channels, h, w]`: `[n, channels, h / 2, w / 2]`, rounded down.
pub fn max_pool2x2(x: &Tensor) -> Tensor {
    let (count, channels, height, width) = x.size4().expect("four dimensions");
    let halved = [count, channels, height / 2, width / 2];
    if !is_cpu_f32(x) || halved.contains(&0) {
        return x.max_pool2d(2, 2, 0, 1, /*ceil_mode=*/ false);
    }
    let x = x.contiguous();
    filled(&halved, |y| max_pool::forward(values(&x), y, height as usize, width as usize, threads()))
}

/// Takes `gradient`, with respect to [`max_pool2x2`]'s output, through the pooling and the ReLU before it, whose output
/// `relu_output` `[n, channels, h, w]` was pooled. `addend`, a gradient that reaches that output by another way, is added
/// before the ReLU.
pub fn max_pool2x2_relu_gradient(gradient: &Tensor, relu_output: &Tensor, addend: Option<&Tensor>) -> Tensor {
    let is_fast = addend.into_iter().chain([gradient, relu_output]).all(is_cpu_f32) && gradient.numel() > 0;
    if !is_fast {
        return gradient_by_libtorch(gradient, relu_output, addend);
    }
    let (_, _, height, width) = relu_output.size4().expect("four dimensions");
    let (gradient, relu_output) = (gradient.contiguous(), relu_output.contiguous());
    let addend = addend.map(Tensor::contiguous);
    filled(&relu_output.size(), |x_gradient| {
        max_pool::backward(
            values(&gradient),
            values(&relu_output),
            addend.as_ref().map(values),
            x_gradient,
            height as usize,
            width as usize,
            threads(),
        );
    })
}

fn gradient_by_libtorch(gradient: &Tensor, relu_output: &Tensor, addend: Option<&Tensor>) -> Tensor {
    let (_, indices) = relu_output.max_pool2d_with_indices(2, 2, 0, 1, false);
    let mut result = relu_output.max_pool2d_with_indices_backward(gradient, 2, 2, 0, 1, false, &indices);
    if let Some(addend) = addend {
        result += addend;
    }
    relu_output.threshold_backward(&result, 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fast::values::tests::FLOAT;

    #[test]
    fn pooling_and_its_gradient_are_libtorchs_to_the_bit() {
        for (height, width) in [(2, 2), (5, 7), (16, 64), (9, 66), (31, 130), (3, 2)] {
            // In steps, so that many are equal, and half of them 0.
            let x = (Tensor::randn([2, 3, height, width], FLOAT) * 2.0).round().relu();
            let addend = Tensor::randn(x.size(), FLOAT);
            let y = max_pool2x2(&x);
            assert_eq!(y, x.max_pool2d(2, 2, 0, 1, false), "{height}x{width}");
            let gradient = Tensor::randn(y.size(), FLOAT);
            for addend in [None, Some(&addend)] {
                let found = max_pool2x2_relu_gradient(&gradient, &x, addend);
                assert_eq!(found, gradient_by_libtorch(&gradient, &x, addend), "{height}x{width}");
            }
        }
    }
}
