//! The sky: a gradient with a glow towards the sun, wisps of cirrus, and cumulus clouds as volumes of eroded
//! puffs, lit by marching through them.

use super::math::{Vec3, blend, direction, exp, mix, smoothstep, vec3};
use super::noise::{self, Billows, Rng};
use super::stage::Camera;

/// Sunlight as the clouds scatter it.
const CLOUD_SUN: Vec3 = vec3(1.42, 1.27, 1.05);
/// The direction that light comes from in the clouds: farther to the side than the sun, which shows their
/// form.
const CLOUD_LIGHT: Vec3 = vec3(-0.8321, 0.5260, 0.1762);
/// Skylight at the top and at the base of a cloud.
const CLOUD_SKY: [Vec3; 2] = [vec3(0.34, 0.41, 0.54), vec3(0.21, 0.26, 0.35)];
/// Light lost in a kilometre of the densest cloud, as an exponent.
const EXTINCTION: f32 = 26.0;
/// Steps through the middle of a cloud's bounding ball.
const STEPS: usize = 36;
/// Lengths in kilometres of the steps from a point in a cloud towards the sun.
const SUN_STEPS: [f32; 5] = [0.03, 0.05, 0.09, 0.16, 0.28];
/// How far the panorama reaches sideways and up: slopes x/z and y/z.
const REACH: (f32, f32) = (0.56, 0.40);

/// A cloud as composed: where, how large.
struct Plan {
    /// Centre of the base: slope across, distance and height in kilometres.
    across: f32,
    distance: f32,
    base: f32,
    /// Half the width and the full height in kilometres.
    half_width: f32,
    height: f32,
}

const fn plan(across: f32, distance: f32, base: f32, half_width: f32, height: f32) -> Plan {
    Plan { across, distance, base, half_width, height }
}

/// From the nearest to the farthest.
const PLANS: [Plan; 12] = [
    plan(-0.30, 3.6, 1.00, 0.62, 0.42),
    plan(0.50, 4.2, 0.98, 0.50, 0.40),
    plan(0.13, 5.6, 0.98, 0.80, 0.85),
    plan(0.36, 7.0, 1.00, 0.85, 0.75),
    plan(-0.12, 8.0, 1.02, 0.75, 0.55),
    plan(-0.46, 8.5, 1.02, 1.10, 0.95),
    plan(0.22, 11.5, 1.05, 1.10, 0.62),
    plan(-0.27, 13.0, 1.08, 1.50, 0.80),
    plan(0.50, 13.5, 1.08, 1.40, 0.90),
    plan(0.02, 16.0, 1.10, 1.70, 0.65),
    plan(-0.45, 20.0, 1.12, 2.20, 0.75),
    plan(0.33, 21.0, 1.12, 2.60, 0.75),
];

/// A ball of cloud; distances in kilometres.
struct Puff {
    centre: Vec3,
    inverse_square: f32,
}

/// A cumulus cloud: puffs on a flat base.
struct Cloud {
    puffs: Vec<Puff>,
    centre: Vec3,
    radius: f32,
    base: f32,
    height: f32,
}

impl Cloud {
    fn new(plan: &Plan, rng: &mut Rng) -> Self {
        let foot = vec3(plan.across * plan.distance, plan.base, plan.distance);
        let mut puffs = Vec::new();
        for _ in 0..22 {
            let (cos, sin) = direction(rng.unit());
            let out = rng.unit().sqrt();
            let lift = (1.0 - out * out) * rng.range(0.15, 0.82) + 0.10;
            let radius = mix(0.42, 0.24, out) * rng.range(0.8, 1.25) * plan.height.min(plan.half_width);
            let offset = vec3(
                cos * out * (plan.half_width - radius),
                lift * plan.height,
                sin * out * (plan.half_width - radius) * 0.6,
            );
            puffs.push(Puff { centre: foot + offset, inverse_square: 1.0 / (radius * radius * 1.9) });
        }
        let centre = foot + vec3(0.0, plan.height * 0.4, 0.0);
        let radius = plan.half_width.max(plan.height) * 1.2;
        Self { puffs, centre, radius, base: plan.base, height: plan.height }
    }

    /// How deep inside the smooth outline a point is: 0 outside, 1 at most.
    fn depth(&self, point: Vec3) -> f32 {
        let mut depth = 0.0_f32;
        for puff in &self.puffs {
            let offset = point - puff.centre;
            depth = depth.max(1.0 - offset.dot(offset) * puff.inverse_square);
        }
        depth.min((point.y - self.base) * 9.0)
    }

    fn density(&self, point: Vec3, billows: &Billows) -> f32 {
        let depth = self.depth(point);
        if depth <= 0.0 {
            return 0.0;
        }
        let coarse = billows.at(point * 1.05);
        let fine = billows.at(point * 4.3);
        let bulges = coarse * 0.62 + fine * 0.38;
        ((depth - (0.92 - bulges) * 1.3) * 9.0).clamp(0.0, 1.0)
    }

    /// The density without the finest detail, for shadows.
    fn outline(&self, point: Vec3, billows: &Billows) -> f32 {
        let depth = self.depth(point);
        if depth <= 0.0 {
            return 0.0;
        }
        ((depth - (0.92 - billows.at(point * 1.05)) * 1.3) * 9.0).clamp(0.0, 1.0)
    }

    /// The stretch of the ray (slopes `ray`, length along z) inside the bounding ball and above the base.
    fn span(&self, ray: Vec3) -> Option<(f32, f32)> {
        let square = ray.dot(ray);
        let middle = ray.dot(self.centre) / square;
        let miss = self.centre - ray * middle;
        let rest = self.radius * self.radius - miss.dot(miss);
        let half = (rest.max(0.0) / square).sqrt();
        let from = (middle - half).max(self.base / ray.y.max(1e-3));
        (from < middle + half).then_some((from, middle + half))
    }

    /// Light scattered at a point: the sun's after its way through the cloud, and the sky's.
    fn scattered(&self, point: Vec3, billows: &Billows) -> Vec3 {
        let (mut place, mut depth) = (point, 0.0);
        for step in SUN_STEPS {
            place += CLOUD_LIGHT * step;
            depth += self.outline(place, billows) * step;
        }
        let through = 0.78 * exp(-depth * EXTINCTION * 0.50) + 0.22 * exp(-depth * EXTINCTION * 0.08);
        let level = ((point.y - self.base) / self.height).clamp(0.0, 1.0);
        CLOUD_SUN * through + blend(CLOUD_SKY[1], CLOUD_SKY[0], level)
    }
}

/// Light of the clouds along a ray and the share of what is behind that still shows.
#[derive(Clone, Copy)]
struct Veil {
    light: Vec3,
    clear: f32,
}

/// The finished sky.
pub(super) struct Sky {
    veils: Vec<Veil>,
    columns: usize,
    rows: usize,
}

impl Sky {
    /// Computes the clouds over the part of the sky that the camera and the lake can see.
    pub(super) fn new(camera: &Camera) -> Self {
        let billows = Billows::new();
        let mut rng = Rng::new(0xc10d);
        let clouds: Vec<Cloud> = PLANS.iter().map(|plan| Cloud::new(plan, &mut rng.fork())).collect();
        let columns = (camera.focal * REACH.0) as usize + 2;
        let rows = (camera.focal * REACH.1 * 0.5) as usize + 2;
        let mut veils = vec![Veil { light: Vec3::default(), clear: 1.0 }; columns * rows];
        super::rows::for_each(&mut veils, columns, |row, line| {
            for (column, veil) in line.iter_mut().enumerate() {
                let across = (column as f32 / (columns - 1) as f32 * 2.0 - 1.0) * REACH.0;
                let up = row as f32 / (rows - 1) as f32 * REACH.1;
                let jitter = noise::cell_value(column as i32, row as i32, 5);
                *veil = march(&clouds, &billows, vec3(across, up, 1.0), jitter);
            }
        });
        Self { veils, columns, rows }
    }

    /// The light from the direction with these slopes x/z and y/z, the latter not negative.
    pub(super) fn toward(&self, across: f32, up: f32) -> Vec3 {
        let up = up.max(0.0);
        let veil = self.veil(across, up);
        clear_sky(across, up) * veil.clear + veil.light
    }

    /// The clouds in a direction, between the four nearest computed ones.
    fn veil(&self, across: f32, up: f32) -> Veil {
        let limit = |cells: usize| (cells - 1) as f32 - 0.01;
        let x = ((across / REACH.0 * 0.5 + 0.5) * (self.columns - 1) as f32).clamp(0.0, limit(self.columns));
        let y = (up / REACH.1 * (self.rows - 1) as f32).clamp(0.0, limit(self.rows));
        let (s, t) = (x - x.floor(), y - y.floor());
        let corner = y as usize * self.columns + x as usize;
        let between = |a: Veil, b: Veil, t: f32| Veil {
            light: blend(a.light, b.light, t),
            clear: mix(a.clear, b.clear, t),
        };
        let line = |start: usize| between(self.veils[start], self.veils[start + 1], s);
        between(line(corner), line(corner + self.columns), t)
    }
}

/// Gathers the clouds' light along a ray, front to back.
fn march(clouds: &[Cloud], billows: &Billows, ray: Vec3, jitter: f32) -> Veil {
    let mut veil = Veil { light: Vec3::default(), clear: 1.0 };
    for cloud in clouds {
        let Some((from, to)) = cloud.span(ray) else { continue };
        let step = 2.0 * cloud.radius / STEPS as f32;
        let haze = 1.0 - exp(-cloud.centre.z / 26.0);
        let air = horizon_colour(ray.x);
        for index in 0..((to - from) / step) as usize {
            let point = ray * (from + (index as f32 + jitter) * step);
            let density = cloud.density(point, billows);
            if density > 0.0 {
                let absorbed = 1.0 - exp(-density * step * EXTINCTION);
                let light = blend(cloud.scattered(point, billows), air, haze);
                veil.light += light * (veil.clear * absorbed);
                veil.clear *= 1.0 - absorbed;
            }
            if veil.clear < 0.01 {
                return veil;
            }
        }
    }
    veil
}

/// The bright band above the horizon, warmer towards the sun.
fn horizon_colour(across: f32) -> Vec3 {
    blend(vec3(1.02, 0.93, 0.80), vec3(0.72, 0.82, 0.95), smoothstep(-0.7, 0.35, across))
}

/// The sky without cumulus: blue above, pale below, glowing towards the sun, streaked with cirrus.
fn clear_sky(across: f32, up: f32) -> Vec3 {
    let zenith = blend(vec3(0.17, 0.36, 0.74), vec3(0.075, 0.21, 0.54), smoothstep(-0.5, 0.6, across));
    let blue = 1.0 - exp(-up * 6.5);
    let glow = exp(-(across + 0.75) * (across + 0.75) * 5.0 - up * 2.5) * 0.30;
    let sky = blend(horizon_colour(across), zenith, blue) + vec3(1.0, 0.82, 0.58) * glow;
    blend(sky, vec3(1.05, 1.05, 1.06), cirrus(across, up))
}

/// How much cirrus covers a direction: streaks on a high plane, drawn out and bent by the wind.
fn cirrus(across: f32, up: f32) -> f32 {
    let (x, z) = (across / (up + 0.12), 1.0 / (up + 0.12));
    let bend = noise::fbm(x * 0.8, z * 0.8, 2, 31);
    let streaks = noise::fbm(x * 1.3 + z * 0.5 + bend, z * 2.1 - x * 0.9 + 1.6 * bend, 5, 33);
    let patches = smoothstep(-0.35, 0.45, noise::fbm(x * 0.5, z * 0.45, 2, 37));
    smoothstep(-0.05, 0.75, streaks) * patches * 0.85 * smoothstep(0.02, 0.12, up)
}
