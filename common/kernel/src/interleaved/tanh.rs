//! The hyperbolic tangent of many values.

use crate::parallel;
use crate::simd::{InstructionSet, Kernel, Simd};

/// Values of one item of work.
const PART: usize = 1 << 15;

/// Replaces each value `y` by `scale * tanh(y) + offset`; the tangent is exact to 3e-7.
pub fn scaled_tanh(values: &mut [f32], scale: f32, offset: f32, threads: usize) {
    parallel::for_each_part(values, PART, threads, |_, values| {
        InstructionSet::best().run(Tanh { values, scale, offset });
    });
}

struct Tanh<'a> {
    values: &'a mut [f32],
    scale: f32,
    offset: f32,
}

impl Kernel for Tanh<'_> {
    type Output = ();

    // Plain arithmetic without branches, which the compiler turns into vectors.
    #[inline(always)]
    fn run<S: Simd>(self, _simd: S) {
        for value in self.values {
            *value = self.scale * tanh(*value) + self.offset;
        }
    }
}

/// `(1 - power) / (1 + power)` with `power = exp(-2 |x|)`, and the sign of x; NaN stays.
#[inline(always)]
fn tanh(x: f32) -> f32 {
    /// Adding 1.5 * 2^23 and taking it away again rounds to an integer.
    const ROUNDING: f32 = 12_582_912.0;
    // Beyond 10 the result is 1 in f32.
    let exponent = if x.abs() < 10.0 { -2.0 * x.abs() } else { -20.0 };
    // exp(exponent) = 2^whole exp(rest), |rest| <= ln(2) / 2
    let whole = (exponent * std::f32::consts::LOG2_E + ROUNDING) - ROUNDING;
    let rest = exponent - whole * std::f32::consts::LN_2;
    // Taylor's series; the next term is under 2e-7.
    let mut series = 1.0 / 720.0;
    for coefficient in [1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0] {
        series = series * rest + coefficient;
    }
    let power = series * f32::from_bits((((whole as i32) + 127) << 23) as u32);
    let tangent = (1.0 - power) / (1.0 + power);
    if x.is_nan() { x } else { tangent.copysign(x) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_tangent() {
        for step in -200_000i32..=200_000 {
            let x = step as f32 / 10_000.0;
            assert!((f64::from(tanh(x)) - f64::from(x).tanh()).abs() < 3e-7, "{x}: {}", tanh(x));
        }
        assert_eq!([tanh(f32::INFINITY), tanh(f32::NEG_INFINITY), tanh(1e30)], [1.0, -1.0, 1.0]);
        assert!(tanh(f32::NAN).is_nan());
    }

    #[test]
    fn values_are_scaled_and_shifted() {
        let mut values = vec![0.0, 20.0, -20.0];
        scaled_tanh(&mut values, 150.0, 127.5, 2);
        assert_eq!(values, [127.5, 277.5, -22.5]);
    }
}
