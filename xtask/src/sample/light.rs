//! The sun, the light of the sky, shadows and haze: from a stored surface to the light it sends to the eye.

use super::math::{Vec3, blend, exp, mix, smoothstep, vec3};
use super::noise;
use super::sky::Sky;
use super::stage::{Kind, ShadowMap, Stage, Surface};
use super::terrain;

/// The direction to the sun (unit length): an afternoon sun, to the left and behind the eye.
pub(super) const SUN: Vec3 = vec3(-0.7205, 0.4832, -0.4975);
/// Light of the sun on a surface that faces it.
pub(super) const SUNLIGHT: Vec3 = vec3(2.75, 2.28, 1.62);
/// Light of the whole sky on a surface that faces up.
const SKYLIGHT: Vec3 = vec3(0.40, 0.52, 0.72);
/// Light from the sunlit ground on a surface that faces down.
const BOUNCE: Vec3 = vec3(0.20, 0.19, 0.11);
/// The distance in metres over which haze takes 63 % of the contrast.
const CLEAR_VIEW: f32 = 6400.0;
/// Beyond this many metres clouds may shade the land; the foreground stays in the sun.
const CLOUD_SHADOWS_FROM: f32 = 130.0;

/// The light that a surface at a point (seen directly or in the lake) sends towards the eye.
pub(super) fn radiance(stage: &Stage, sky: &Sky, surface: &Surface, point: Vec3) -> Vec3 {
    let surface = match surface.kind {
        Kind::Ground => terrain::dress(surface, point),
        Kind::Matte => roughened(surface, point),
        Kind::Bark => furrowed(surface, point),
        _ => *surface,
    };
    if surface.kind == Kind::Glass {
        return glass(sky, &surface, point);
    }
    let facing = surface.normal.dot(SUN);
    let direct = match surface.kind {
        // Light shines through a leaf, weaker and yellower.
        Kind::Leaf => SUNLIGHT * (facing.max(0.0) + 0.12) + vec3(1.1, 1.15, 0.35) * (-facing).max(0.0),
        _ => SUNLIGHT * facing.max(0.0),
    };
    let shade = sunlight(stage, point) * mix(0.5, 1.0, surface.openness);
    let up = 0.5 + 0.5 * surface.normal.y;
    let ambient = blend(BOUNCE, SKYLIGHT, up) * surface.openness;
    surface.albedo * (direct * shade + ambient)
}

/// The share of sunlight at a point, after shadows of things and of clouds.
fn sunlight(stage: &Stage, point: Vec3) -> f32 {
    let maps: [(&ShadowMap, f32); 2] = [(&stage.near_shadow, 1.3), (&stage.far_shadow, 1.0)];
    let cast = maps.into_iter().find_map(|(map, blur)| map.sunlight(point, blur)).unwrap_or(1.0);
    cast * cloud_shade(point)
}

/// The share of sunlight that the clouds let through to a place.
fn cloud_shade(point: Vec3) -> f32 {
    let patches = noise::fbm(point.x / 420.0 + 3.1, point.z / 520.0, 3, 71);
    let strength = smoothstep(CLOUD_SHADOWS_FROM, 3.0 * CLOUD_SHADOWS_FROM, point.z);
    mix(1.0, mix(0.22, 1.0, smoothstep(-0.20, 0.12, patches)), strength)
}

/// Stone, wood and plaster are never of one even colour.
fn roughened(surface: &Surface, point: Vec3) -> Surface {
    let along = point.x + point.z * 0.7;
    let coarse = noise::fbm(along * 2.1, point.y * 2.4 + point.z, 3, 201);
    let fine = noise::gradient(along * 16.0, point.y * 15.0, 202);
    let tint = 1.0 + 0.28 * coarse + 0.16 * fine;
    Surface { albedo: surface.albedo * tint.clamp(0.5, 1.5), ..*surface }
}

/// Bark has upright ridges.
fn furrowed(surface: &Surface, point: Vec3) -> Surface {
    let (x, y) = (point.x * 7.0 + point.z * 3.0, point.y * 1.9);
    let bend = 0.8 * noise::gradient(point.y * 1.7, point.x * 2.0, 204);
    let ridge = noise::fbm(x + bend, y, 3, 205);
    let lean = vec3(noise::fbm(x + bend + 0.35, y, 3, 205) - ridge, 0.0, 0.0);
    let moss = vec3(0.8, 1.15, 0.6) * smoothstep(0.0, 0.5, noise::fbm(point.x * 1.5, point.y * 0.9, 2, 206));
    let albedo = surface.albedo * (1.0 + 1.3 * ridge).max(0.25) + surface.albedo * moss * 0.5;
    Surface { albedo, normal: (surface.normal + lean * 2.0).unit(), ..*surface }
}

/// A pane: a dark room behind a reflection of the sky.
fn glass(sky: &Sky, surface: &Surface, point: Vec3) -> Vec3 {
    let streaks = smoothstep(-0.3, 0.5, noise::fbm(point.x * 1.6 + point.y, point.y * 0.7, 2, 203));
    let reflected = sky.toward(-0.05, 0.3 - 0.05 * point.y);
    surface.albedo + reflected * (0.03 + 0.30 * streaks)
}

/// The light of a surface after the air between it and the eye: blue air dims it, and warm haze gathers
/// towards the sun's side.
pub(super) fn hazed(light: Vec3, point: Vec3) -> Vec3 {
    let distance = point.length();
    let high = smoothstep(0.0, 900.0, point.y);
    let clear = exp(-distance / mix(CLEAR_VIEW, 1.35 * CLEAR_VIEW, high));
    let side = (point.x / point.z + 0.5).clamp(0.0, 1.0);
    let haze = blend(vec3(0.56, 0.64, 0.79), vec3(0.46, 0.60, 0.84), side);
    blend(haze, light, clear)
}
