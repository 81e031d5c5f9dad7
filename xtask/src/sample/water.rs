//! The lake: wind ripples bend the mirrored scene, and the bed shines through near the shore.

use super::light;
use super::math::{Vec3, blend, exp, mix, smoothstep, vec3};
use super::noise::{fbm, gradient};
use super::sky::Sky;
use super::stage::{Camera, Stage};

/// Light that comes back out of deep water.
const DEEP: Vec3 = vec3(0.022, 0.060, 0.062);
/// Ripples are averaged over this many places within a sample.
const GLINTS: usize = 2;

/// The light of the lake at a point of its surface seen along the slopes `(across, up)`, `up` being negative.
/// `bed` is the ground below, if it is in sight: its light and its depth in metres.
pub(super) fn radiance(stage: &Stage, sky: &Sky, slopes: (f32, f32), bed: Option<(Vec3, f32)>) -> Vec3 {
    let (across, up) = slopes;
    let distance = Camera::EYE / -up;
    let point = vec3(across * distance, 0.0, distance);
    let mut reflected = Vec3::default();
    for glint in 0..GLINTS {
        let jitter = (glint as f32 - 0.5) * 0.35 * distance * distance / 900.0;
        reflected += mirrored(stage, sky, slopes, ripples(point + vec3(0.0, 0.0, jitter)));
    }
    let reflected = reflected * (1.0 / GLINTS as f32);
    let grazing = 1.0 + up / (1.0 + across * across + up * up).sqrt();
    let fresnel = 0.10 + 0.90 * grazing * grazing * grazing * grazing;
    let below =
        bed.map_or(DEEP, |(light, depth)| blend(DEEP, light * vec3(0.5, 0.62, 0.5), exp(-depth * 2.2)));
    light::hazed(blend(below, reflected, fresnel), point)
}

/// The slopes of the surface at a point, across and along the view.
fn ripples(point: Vec3) -> (f32, f32) {
    let (x, z) = (point.x, point.z);
    let wind = smoothstep(-0.25, 0.40, fbm(x / 26.0 + 5.0, z / 17.0, 3, 51));
    let shelter = smoothstep(25.0, 60.0, z);
    let strength = mix(0.45, 1.0, wind) * mix(0.8, 1.15, shelter);
    let long = fbm(x * 0.55 + z * 0.15, z * 1.25, 2, 52);
    let short = fbm(x * 1.9 - z * 0.4, z * 3.6, 2, 53);
    let cross = gradient(x * 1.4 + z * 0.8, z * 1.7, 54);
    (strength * 0.016 * (cross + 0.5 * short), strength * (0.022 * long + 0.022 * wind * short))
}

/// What the surface with these slopes mirrors.
fn mirrored(stage: &Stage, sky: &Sky, (across, up): (f32, f32), (tilt_x, tilt_z): (f32, f32)) -> Vec3 {
    let ray = vec3(across, up, 1.0);
    let normal = vec3(-tilt_x, 1.0, -tilt_z).unit();
    let bounced = ray - normal * (2.0 * ray.dot(normal));
    let (across, rise) = (bounced.x / bounced.z, (bounced.y / bounced.z).max(0.002));
    let camera = &stage.camera;
    let column = camera.middle + across * camera.focal;
    let row = camera.horizon + rise * camera.focal;
    let texel = stage.mirror.at(column, row);
    if texel.is_sky() {
        return sky.toward(across, rise);
    }
    let distance = 1.0 / texel.nearness;
    let height = (rise * distance - Camera::EYE).max(0.0);
    let point = vec3(across * distance, height, distance);
    light::hazed(light::radiance(stage, sky, &texel.surface(), point), point)
}
