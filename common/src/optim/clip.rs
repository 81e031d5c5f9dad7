//! Gradient clipping by norm (Pascanu et al. 2013, <https://arxiv.org/abs/1211.5063>, algorithm 1).

use tch::{Kind, Tensor};

/// `gradient` `[count]`, shortened to `max_norm` where it is longer. Nothing is read back from the device.
pub fn clip_to_norm(gradient: &Tensor, max_norm: f64) -> Tensor {
    let norm = gradient.square().sum(Kind::Float).sqrt();
    gradient * (norm.clamp_min(f64::from(f32::MIN_POSITIVE)).reciprocal() * max_norm).clamp_max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_gradients_are_shortened_and_short_ones_stay() {
        let clipped =
            |values: &[f32]| Vec::<f32>::try_from(clip_to_norm(&Tensor::from_slice(values), 1.0)).unwrap();
        for (value, expected) in clipped(&[3.0, -4.0]).iter().zip([0.6, -0.8]) {
            assert!((value - expected).abs() < 1e-6);
        }
        assert_eq!(clipped(&[0.3, -0.4]), [0.3, -0.4]);
        assert_eq!(clipped(&[0.0, 0.0]), [0.0, 0.0]);
    }
}
