//! A moving average of the parameters, smoother than the parameters themselves (Polyak and Juditsky 1992).

use tch::Tensor;

/// An exponential moving average over one flat buffer.
pub struct Ema {
    decay: f64,
    average: Tensor,
}

impl Ema {
    /// An average that starts as `parameters` `[count]`.
    pub fn new(decay: f64, parameters: &Tensor) -> Self {
        Self::from_average(decay, parameters.detach().copy())
    }

    /// An average that continues where a saved one stopped.
    pub fn from_average(decay: f64, average: Tensor) -> Self {
        Self { decay, average }
    }

    /// The average, `[count]`: its own memory, which every update moves.
    pub fn average(&self) -> &Tensor {
        &self.average
    }

    /// Takes in the parameters after step `step`, from 1.
    ///
    /// The first steps are forgotten sooner, so that the average does not drag the fresh network along:
    /// the decay is at most `(1 + step) / (10 + step)`.
    ///
    /// # Panics
    /// If the shapes differ.
    pub fn update(&mut self, parameters: &Tensor, step: u64) {
        assert_eq!(parameters.size(), self.average.size(), "parameters and their average");
        let decay = self.decay.min((1.0 + step as f64) / (10.0 + step as f64));
        tch::no_grad(|| {
            let _ = self.average.lerp_(parameters, 1.0 - decay);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_average_follows_by_hand() {
        let mut ema = Ema::new(0.5, &Tensor::from_slice(&[0.0f32]));
        ema.update(&Tensor::from_slice(&[11.0f32]), 1); // decay 2/11
        assert!((ema.average().double_value(&[0]) - 9.0).abs() < 1e-5);
        ema.update(&Tensor::from_slice(&[1.0f32]), 1000); // decay 0.5
        assert!((ema.average().double_value(&[0]) - 5.0).abs() < 1e-5);
    }

    #[test]
    fn the_average_is_a_copy() {
        let parameters = Tensor::from_slice(&[1.0f32]);
        let ema = Ema::new(0.9, &parameters);
        let _ = parameters.shallow_clone().fill_(7.0);
        assert_eq!(ema.average().double_value(&[0]), 1.0);
    }
}
