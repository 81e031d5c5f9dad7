//! Adam (Kingma and Ba 2014, <https://arxiv.org/abs/1412.6980>, algorithm 1), and Muon, which differs in how matrices move.

use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::muon::{MatrixRange, orthogonalised};

/// Adam's constants; the learning rate comes with each step.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdamConfig {
    /// Decay of the mean of gradients.
    pub beta1: f64,
    /// Decay of the mean of squared gradients.
    pub beta2: f64,
    /// Added to the root of the mean square.
    pub eps: f64,
}

impl Default for AdamConfig {
    fn default() -> Self {
        Self { beta1: 0.9, beta2: 0.999, eps: 1e-8 }
    }
}

/// Everything Adam remembers between steps.
pub struct AdamState {
    /// Steps taken.
    pub steps: i64,
    /// Decayed mean of gradients, `[count]`.
    pub first_moment: Tensor,
    /// Decayed mean of squared gradients, `[count]`.
    pub second_moment: Tensor,
}

/// Adam over one flat buffer.
pub struct Adam {
    config: AdamConfig,
    rate_factors: Option<Tensor>,
    /// What moves by Muon's step.
    matrices: Vec<MatrixRange>,
    state: AdamState,
}

impl Adam {
    /// A fresh optimiser for `parameters` `[count]`, on their device.
    pub fn new(config: AdamConfig, parameters: &Tensor) -> Self {
        let zeros = || parameters.zeros_like().detach();
        Self::from_state(config, AdamState { steps: 0, first_moment: zeros(), second_moment: zeros() })
    }

    /// An optimiser that continues where a saved one stopped.
    ///
    /// # Panics
    /// If the two moments differ in shape.
    pub fn from_state(config: AdamConfig, state: AdamState) -> Self {
        assert_eq!(state.first_moment.size(), state.second_moment.size(), "Adam's moments");
        Self { config, rate_factors: None, matrices: Vec::new(), state }
    }

    /// Gives each parameter its own factor, `[count]`, on the learning rate.
    ///
    /// # Panics
    /// If there are not as many factors as parameters.
    #[must_use]
    pub fn with_rate_factors(mut self, factors: Tensor) -> Self {
        assert_eq!(factors.size(), self.state.first_moment.size(), "rate factors and Adam's moments");
        self.rate_factors = Some(factors);
        self
    }

    /// Lets these matrices move by Muon's step: Adam's first moment, looked one step ahead (Nesterov) and orthogonalised. What
    /// Adam remembers stays the same, so that a saved state fits both.
    ///
    /// # Panics
    /// If one lies beyond the buffer.
    #[must_use]
    pub fn with_orthogonal_steps(mut self, matrices: Vec<MatrixRange>) -> Self {
        let count = self.state.first_moment.numel() as i64;
        for MatrixRange { offset, rows, columns } in &matrices {
            assert!(offset + rows * columns <= count, "a matrix within the buffer");
        }
        self.matrices = matrices;
        self
    }

    /// Everything it remembers. The tensors are its own memory: copy them before the next step.
    pub fn state(&self) -> &AdamState {
        &self.state
    }

    /// Moves `parameters` `[count]` in place against `gradient` `[count]`.
    ///
    /// # Panics
    /// If the shapes differ.
    pub fn step(&mut self, parameters: &Tensor, gradient: &Tensor, learning_rate: f64) {
        assert_eq!(parameters.size(), self.state.first_moment.size(), "parameters and Adam's moments");
        assert_eq!(parameters.size(), gradient.size(), "parameters and gradient");
        let AdamConfig { beta1, beta2, eps } = self.config;
        let AdamState { steps, first_moment, second_moment } = &mut self.state;
        tch::no_grad(|| {
            *steps += 1;
            let _ = first_moment.lerp_(gradient, 1.0 - beta1);
            let _ = second_moment.g_mul_scalar_(beta2);
            *second_moment += gradient.square() * (1.0 - beta2);
            // The bias corrections, moved from the moments onto the rate and the root, as PyTorch does.
            let bias1 = 1.0 - beta1.powi(*steps as i32);
            let bias2 = 1.0 - beta2.powi(*steps as i32);
            let denominator = second_moment.sqrt() / bias2.sqrt() + eps;
            let mut update = &*first_moment / denominator * (-learning_rate / bias1);
            for &matrix in &self.matrices {
                let ahead = matrix.view(first_moment).lerp(&matrix.view(gradient), 1.0 - beta1);
                let step = orthogonalised(&ahead) * (-learning_rate * matrix.step_scale());
                matrix.view(&update).copy_(&step);
            }
            if let Some(factors) = &self.rate_factors {
                update *= factors;
            }
            let mut parameters = parameters.shallow_clone(); // the same memory: += moves the network
            parameters += update;
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gradient(step: i64) -> Tensor {
        Tensor::from_slice(&[0.5f32, -1.0, 2.0]) * (step as f64 + 1.0)
    }

    #[test]
    fn the_first_step_is_the_learning_rate_against_the_sign() {
        let parameters = Tensor::from_slice(&[1.0f32, 1.0, 1.0]);
        Adam::new(AdamConfig::default(), &parameters).step(&parameters, &gradient(0), 0.1);
        let moved = Vec::<f32>::try_from(parameters).unwrap();
        for (value, expected) in moved.iter().zip([0.9, 1.1, 0.9]) {
            assert!((value - expected).abs() < 1e-6, "{moved:?}");
        }
    }

    #[test]
    fn a_rate_factor_scales_its_own_parameter() {
        let parameters = Tensor::from_slice(&[1.0f32, 1.0, 1.0]);
        let factors = Tensor::from_slice(&[1.0f32, 0.5, 0.0]);
        let mut adam = Adam::new(AdamConfig::default(), &parameters).with_rate_factors(factors);
        adam.step(&parameters, &gradient(0), 0.1);
        let moved = Vec::<f32>::try_from(parameters).unwrap();
        for (value, expected) in moved.iter().zip([0.9, 1.05, 1.0]) {
            assert!((value - expected).abs() < 1e-6, "{moved:?}");
        }
    }

    #[test]
    fn a_matrix_moves_alike_in_all_directions_and_the_rest_by_adam() {
        // Singular values 100 to 1, and two numbers beside the matrix.
        let gradient = Tensor::from_slice(&[1.0f32, 100.0, 0.0, 0.0, 1.0, -3.0]);
        let [by_muon, by_adam] = [true, false].map(|is_muon| {
            let parameters = Tensor::zeros([6], tch::kind::FLOAT_CPU);
            let mut adam = Adam::new(AdamConfig::default(), &parameters);
            if is_muon {
                let matrix = MatrixRange { offset: 1, rows: 2, columns: 2 };
                adam = adam.with_orthogonal_steps(vec![matrix]);
            }
            adam.step(&parameters, &gradient, 0.1);
            Vec::<f32>::try_from(parameters).unwrap()
        });
        assert_eq!([by_muon[0], by_muon[5]], [by_adam[0], by_adam[5]]);
        // 0.1 * 0.2 * sqrt(2), up to what the iteration leaves of the difference.
        for value in [by_muon[1], by_muon[4]] {
            assert!((0.6..1.2).contains(&(f64::from(-value) / 0.028_284)), "{by_muon:?}");
        }
        assert!(by_muon[2].abs() < 1e-4 && by_muon[3].abs() < 1e-4, "{by_muon:?}");
    }

    #[test]
    fn a_restored_optimiser_continues_bit_for_bit() {
        let straight = Tensor::from_slice(&[1.0f32, 2.0, 3.0]);
        let mut adam = Adam::new(AdamConfig::default(), &straight);
        (0..6).for_each(|step| adam.step(&straight, &gradient(step), 0.01));

        let broken = Tensor::from_slice(&[1.0f32, 2.0, 3.0]);
        let mut first = Adam::new(AdamConfig::default(), &broken);
        (0..3).for_each(|step| first.step(&broken, &gradient(step), 0.01));
        let state = AdamState {
            steps: first.state().steps,
            first_moment: first.state().first_moment.copy(),
            second_moment: first.state().second_moment.copy(),
        };
        let mut second = Adam::from_state(AdamConfig::default(), state);
        (3..6).for_each(|step| second.step(&broken, &gradient(step), 0.01));
        assert!(broken.equal(&straight));
    }
}
