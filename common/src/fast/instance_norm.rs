//! Instance norm with what follows it.

use kernel::instance_norm::{After, InstanceNorm as Kernel, Statistics};
use tch::{Kind, Tensor};

use super::values::{filled, is_cpu_f32, threads, values};

/// What follows an instance norm, in the same pass over memory.
#[derive(Clone, Copy, Debug)]
pub enum AfterNorm<'a> {
    /// Nothing.
    Nothing,
    /// Negative values become 0.
    Relu,
    /// This is added, of the input's shape.
    Sum(&'a Tensor),
}

/// Instance norm with learned scale and shift, `[channels]` each.
pub struct InstanceNorm {
    scale: Tensor,
    shift: Tensor,
    eps: f64,
}

/// What the backward pass wants to know of the forward pass: mean and inverse deviation, `[n, channels, 1, 1]` each.
pub struct NormStatistics {
    mean: Tensor,
    inverse_deviation: Tensor,
}

/// What [`InstanceNorm::backward`] finds.
pub struct NormGradients {
    /// With respect to the input.
    pub x: Tensor,
    /// With respect to the scale, `[channels]`.
    pub scale: Tensor,
    /// With respect to the shift, `[channels]`.
    pub shift: Tensor,
}

impl InstanceNorm {
    /// The norm with these parameters, `[channels]` each.
    pub fn new(scale: &Tensor, shift: &Tensor, eps: f64) -> Self {
        Self { scale: scale.detach().contiguous(), shift: shift.detach().contiguous(), eps }
    }

    /// Normalises `x` `[n, channels, h, w]`.
    ///
    /// # Panics
    /// If shapes do not fit to each other.
    pub fn forward(&self, x: &Tensor, after: AfterNorm<'_>) -> (Tensor, NormStatistics) {
        if !self.is_fast(x) || matches!(after, AfterNorm::Sum(addend) if !is_cpu_f32(addend)) {
            return self.forward_by_libtorch(x, after);
        }
        let x = x.contiguous();
        let (count, channels, height, width) = x.size4().expect("four dimensions");
        let addend = match after {
            AfterNorm::Sum(addend) => Some(addend.contiguous()),
            AfterNorm::Nothing | AfterNorm::Relu => None,
        };
        let after = match (&addend, after) {
            (Some(addend), _) => After::Sum(values(addend)),
            (None, AfterNorm::Relu) => After::Relu,
            (None, _) => After::Nothing,
        };
        let mut statistics = Vec::new();
        let y = filled(&x.size(), |y| {
            statistics = self.kernel(height * width).forward(values(&x), after, y, threads());
        });
        let planes = |value: fn(&Statistics) -> f32| {
            let numbers: Vec<f32> = statistics.iter().map(value).collect();
            Tensor::from_slice(&numbers).view([count, channels, 1, 1])
        };
        let statistics = NormStatistics {
            mean: planes(|it| it.mean),
            inverse_deviation: planes(|it| it.inverse_deviation),
        };
        (y, statistics)
    }

    /// Takes `gradient`, with respect to the output, back to the input `x` and the parameters. `relu_output` is the
    /// output if a ReLU made it. A sum after the norm has `gradient` itself for its addend.
    ///
    /// # Panics
    /// If shapes do not fit to each other.
    pub fn backward(
        &self,
        gradient: &Tensor,
        x: &Tensor,
        statistics: &NormStatistics,
        relu_output: Option<&Tensor>,
    ) -> NormGradients {
        let is_fast = self.is_fast(x) && relu_output.into_iter().chain([gradient]).all(is_cpu_f32);
        if !is_fast {
            return self.backward_by_libtorch(gradient, x, statistics, relu_output);
        }
        let (gradient, x) = (gradient.contiguous(), x.contiguous());
        let relu_output = relu_output.map(Tensor::contiguous);
        let (_, _, height, width) = x.size4().expect("four dimensions");
        let known: Vec<Statistics> = values(&statistics.mean)
            .iter()
            .zip(values(&statistics.inverse_deviation))
            .map(|(&mean, &inverse_deviation)| Statistics { mean, inverse_deviation })
            .collect();
        let mut parameters = None;
        let x_gradient = filled(&x.size(), |x_gradient| {
            parameters = Some(self.kernel(height * width).backward(
                values(&gradient),
                values(&x),
                &known,
                relu_output.as_ref().map(values),
                x_gradient,
                threads(),
            ));
        });
        let parameters = parameters.expect("the closure has run");
        NormGradients {
            x: x_gradient,
            scale: Tensor::from_slice(&parameters.scale),
            shift: Tensor::from_slice(&parameters.shift),
        }
    }

    fn forward_by_libtorch(&self, x: &Tensor, after: AfterNorm<'_>) -> (Tensor, NormStatistics) {
        let (variance, mean) = x.var_mean_correction(&[2i64, 3][..], 0, /*keepdim=*/ true);
        let inverse_deviation = (variance + self.eps).rsqrt();
        let y = (x - &mean) * (&inverse_deviation * per_channel(&self.scale)) + per_channel(&self.shift);
        let y = match after {
            AfterNorm::Nothing => y,
            AfterNorm::Relu => y.relu(),
            AfterNorm::Sum(addend) => y + addend,
        };
        (y, NormStatistics { mean, inverse_deviation })
    }

    fn backward_by_libtorch(
        &self,
        gradient: &Tensor,
        x: &Tensor,
        statistics: &NormStatistics,
        relu_output: Option<&Tensor>,
    ) -> NormGradients {
        let gradient = match relu_output {
            Some(output) => output.threshold_backward(gradient, 0),
            None => gradient.shallow_clone(),
        };
        let mean = |of: &Tensor| of.mean_dim(&[2i64, 3][..], /*keepdim=*/ true, None::<Kind>);
        let total = |of: &Tensor| of.sum_dim_intlist(&[0i64, 2, 3][..], false, None::<Kind>);
        let normalised = (x - &statistics.mean) * &statistics.inverse_deviation;
        let product = &gradient * &normalised;
        let centred = &gradient - mean(&gradient) - normalised * mean(&product);
        NormGradients {
            x: centred * (&statistics.inverse_deviation * per_channel(&self.scale)),
            scale: total(&product),
            shift: total(&gradient),
        }
    }

    fn kernel(&self, pixels: i64) -> Kernel<'_> {
        Kernel {
            scale: values(&self.scale),
            shift: values(&self.shift),
            eps: self.eps as f32,
            pixels: pixels as usize,
        }
    }

    fn is_fast(&self, x: &Tensor) -> bool {
        is_cpu_f32(x) && is_cpu_f32(&self.scale) && is_cpu_f32(&self.shift) && x.numel() > 0
    }
}

fn per_channel(values: &Tensor) -> Tensor {
    values.view([1, -1, 1, 1])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fast::values::tests::{FLOAT, relative_error};

    #[test]
    fn forward_and_backward_are_autograds() {
        for (channels, height, width) in [(3, 5, 7), (6, 64, 65), (2, 1, 33), (4, 100, 128)] {
            let shape = [2, channels, height, width];
            // Far from mean 0, where careless sums lose digits.
            let x = Tensor::randn(shape, FLOAT) * 3.0 + 50.0;
            // Scales well away from 0 and shifts near it: some pixel of every channel gets through the ReLU. Where none
            // did, no error would be relative to anything.
            let scale = Tensor::randn([channels], FLOAT).sign() * (Tensor::rand([channels], FLOAT) + 0.5);
            let shift = Tensor::rand([channels], FLOAT) - 0.5;
            let (addend, gradient) = (Tensor::randn(shape, FLOAT), Tensor::randn(shape, FLOAT));
            let norm = InstanceNorm::new(&scale, &shift, 1e-5);
            for after in [AfterNorm::Nothing, AfterNorm::Relu, AfterNorm::Sum(&addend)] {
                let double = |tensor: &Tensor| tensor.to_kind(Kind::Double);
                let leaves = [&x, &scale, &shift].map(|leaf| double(leaf).set_requires_grad(true));
                let none = None::<&Tensor>;
                let plain = leaves[0].instance_norm(
                    Some(&leaves[1]),
                    Some(&leaves[2]),
                    none,
                    none,
                    true,
                    0.0,
                    1e-5,
                    false,
                );
                // Nothing comes back through what rounding may put on either side of the ReLU.
                let gradient = &gradient * plain.abs().ge(1e-4).to_kind(Kind::Float);
                let expected = match after {
                    AfterNorm::Nothing => plain,
                    AfterNorm::Relu => plain.relu(),
                    AfterNorm::Sum(addend) => plain + double(addend),
                };
                let loss = (&expected * double(&gradient)).sum(Kind::Double);
                let expected_gradients = Tensor::run_backward(&[loss], &leaves, false, false);

                let (y, statistics) = norm.forward(&x, after);
                let relu_output = matches!(after, AfterNorm::Relu).then_some(&y);
                let fast = norm.backward(&gradient, &x, &statistics, relu_output);
                let (y_libtorch, statistics) = norm.forward_by_libtorch(&x, after);
                let by_libtorch = norm.backward_by_libtorch(&gradient, &x, &statistics, relu_output);
                for (y, found, tolerance) in [(&y, fast, 3e-6), (&y_libtorch, by_libtorch, 1e-4)] {
                    let error = relative_error(y, &expected);
                    assert!(error < tolerance, "{shape:?} {after:?}: y {error:.1e}");
                    let found = [found.x, found.scale, found.shift];
                    for (found, expected) in found.iter().zip(&expected_gradients) {
                        let error = relative_error(found, expected);
                        assert!(error < 10.0 * tolerance, "{shape:?} {after:?}: gradient {error:.1e}");
                    }
                }
            }
        }
    }
}
