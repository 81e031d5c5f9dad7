//! From light to picture: exposure, the tone curve of film, vignette, sRGB and grain.

use super::math::{Vec3, blend, pow, vec3};
use super::noise::cell_value;

/// Light times this is what the film sees.
const EXPOSURE: f32 = 0.80;
/// How much darker the corners are.
const VIGNETTE: f32 = 0.16;
/// Saturation over the natural one.
const SATURATION: f32 = 1.10;
/// Standard deviation of the grain, in steps of 8 bits.
const GRAIN: f32 = 1.1;

/// What the film keeps of some light: 0 to 1 for each colour, still linear.
pub(super) fn develop(light: Vec3) -> Vec3 {
    let grey = light.dot(vec3(0.25, 0.60, 0.15));
    let vivid = blend(vec3(grey, grey, grey), light, SATURATION);
    vec3(curve(vivid.x), curve(vivid.y), curve(vivid.z))
}

/// A film's response: a toe in the shadows, a shoulder in the lights (Narkowicz's fit of the ACES curve).
fn curve(light: f32) -> f32 {
    let x = (light * EXPOSURE).max(0.0);
    (x * (2.51 * x + 0.03) / (x * (2.43 * x + 0.59) + 0.14)).clamp(0.0, 1.0)
}

/// The bytes of a pixel with this average of developed light; `x` and `y` in `-1..=1` from the middle.
pub(super) fn print(average: Vec3, (column, row): (usize, usize), (x, y): (f32, f32)) -> [u8; 3] {
    let dimmed = average * (1.0 - VIGNETTE * 0.5 * (x * x + y * y));
    let roll = |seed| cell_value(column as i32, row as i32, seed) - 0.5;
    let grain = (roll(301) + roll(302) + roll(303)) * 2.0 * GRAIN;
    [(dimmed.x, 304), (dimmed.y, 305), (dimmed.z, 306)].map(|(value, seed)| {
        let code = srgb(value) * 255.0 + grain + roll(seed) * 1.2;
        (code + 0.5).clamp(0.0, 255.0) as u8
    })
}

/// The sRGB transfer function.
fn srgb(linear: f32) -> f32 {
    if linear < 0.003_130_8 { linear * 12.92 } else { 1.055 * pow(linear, 1.0 / 2.4) - 0.055 }
}
