//! Vectors and the few functions the picture needs, built from IEEE basic operations only: `+ - * /`, `sqrt`
//! and `floor` give the same bits on every machine, the platform's `sin` and `exp` do not.

use std::ops::{Add, AddAssign, Mul, Neg, Sub};

/// A point, a direction or a linear RGB colour.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Vec3 {
    pub(super) x: f32,
    pub(super) y: f32,
    pub(super) z: f32,
}

/// Straight up.
pub(super) const UP: Vec3 = vec3(0.0, 1.0, 0.0);

/// Short for the constructor, as in shading languages.
pub(super) const fn vec3(x: f32, y: f32, z: f32) -> Vec3 {
    Vec3 { x, y, z }
}

impl Vec3 {
    pub(super) fn dot(self, other: Self) -> f32 {
        self.x * other.x + self.y * other.y + self.z * other.z
    }

    pub(super) fn cross(self, other: Self) -> Self {
        vec3(
            self.y * other.z - self.z * other.y,
            self.z * other.x - self.x * other.z,
            self.x * other.y - self.y * other.x,
        )
    }

    pub(super) fn length(self) -> f32 {
        self.dot(self).sqrt()
    }

    /// The direction of this vector; straight up for none.
    pub(super) fn unit(self) -> Self {
        let length = self.length();
        if length > 1e-12 { self * (1.0 / length) } else { UP }
    }
}

impl Add for Vec3 {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        vec3(self.x + other.x, self.y + other.y, self.z + other.z)
    }
}

impl AddAssign for Vec3 {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sub for Vec3 {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        vec3(self.x - other.x, self.y - other.y, self.z - other.z)
    }
}

impl Neg for Vec3 {
    type Output = Self;
    fn neg(self) -> Self {
        self * -1.0
    }
}

impl Mul<f32> for Vec3 {
    type Output = Self;
    fn mul(self, factor: f32) -> Self {
        vec3(self.x * factor, self.y * factor, self.z * factor)
    }
}

/// Componentwise: light through a filter.
impl Mul for Vec3 {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        vec3(self.x * other.x, self.y * other.y, self.z * other.z)
    }
}

/// From `a` at 0 to `b` at 1.
pub(super) fn mix(a: f32, b: f32, t: f32) -> f32 {
    a + (b - a) * t
}

/// From `a` at 0 to `b` at 1.
pub(super) fn blend(a: Vec3, b: Vec3, t: f32) -> Vec3 {
    a + (b - a) * t
}

/// 0 below `from`, 1 above `to` (or the reverse if `from > to`), smooth between.
pub(super) fn smoothstep(from: f32, to: f32, x: f32) -> f32 {
    let t = ((x - from) / (to - from)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

/// Two to the power `x`, to about six digits.
fn exp2(x: f32) -> f32 {
    let x = x.clamp(-126.0, 126.0);
    let whole = x.floor();
    let t = x - whole;
    let fraction = 1.0
        + t * (std::f32::consts::LN_2
            + t * (0.240_227 + t * (0.055_504 + t * (0.009_618 + t * (0.001_333 + t * 0.000_155)))));
    fraction * f32::from_bits(((whole as i32 + 127) as u32) << 23)
}

/// The binary logarithm of a positive normal number, to about six digits.
fn log2(x: f32) -> f32 {
    let bits = x.max(1e-30).to_bits();
    let exponent = (bits >> 23) as i32 - 127;
    let mantissa = f32::from_bits((bits & 0x007f_ffff) | 0x3f80_0000);
    let s = (mantissa - 1.0) / (mantissa + 1.0);
    let square = s * s;
    let series = s * (1.0 + square * (1.0 / 3.0 + square * (0.2 + square * (1.0 / 7.0 + square / 9.0))));
    exponent as f32 + series * (2.0 * std::f32::consts::LOG2_E)
}

/// The exponential.
pub(super) fn exp(x: f32) -> f32 {
    exp2(x * std::f32::consts::LOG2_E)
}

/// `x` to the power `y`; 0 for negative `x`.
pub(super) fn pow(x: f32, y: f32) -> f32 {
    if x <= 0.0 { 0.0 } else { exp2(y * log2(x)) }
}

/// The sine of an angle in whole turns.
fn sin_turns(turns: f32) -> f32 {
    let t = turns - (turns + 0.5).floor();
    let folded = if t > 0.25 {
        0.5 - t
    } else if t < -0.25 {
        -0.5 - t
    } else {
        t
    };
    let x = folded * std::f32::consts::TAU;
    let square = x * x;
    x * (1.0 - square / 6.0 * (1.0 - square / 20.0 * (1.0 - square / 42.0 * (1.0 - square / 72.0))))
}

/// The cosine and sine of an angle in whole turns.
pub(super) fn direction(turns: f32) -> (f32, f32) {
    (sin_turns(turns + 0.25), sin_turns(turns))
}

/// The sine of an angle in whole turns, for gentle swings.
pub(super) fn wave(turns: f32) -> f32 {
    sin_turns(turns)
}
