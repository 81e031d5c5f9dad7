//! The land: its height, what grows where, and the colour of the ground. Metres; the lake's surface is at
//! height 0.

use super::math::{Vec3, blend, exp, mix, smoothstep, vec3, wave};
use super::noise::{self, cells, fbm};
use super::stage::{Kind, Stage, Surface};

/// Where the house stands, and the ground's height there.
pub(super) const YARD: Vec3 = vec3(10.2, 1.75, 34.5);
/// Half the width of the path.
const PATH_HALF_WIDTH: f32 = 0.55;
/// The distances at which the mesh begins and ends.
const MESH_DEPTH: (f32, f32) = (3.2, 9500.0);
/// The mesh reaches this far sideways, as a slope x/z.
const MESH_REACH: f32 = 0.60;

/// The distance at which the near bank meets the lake.
fn near_shore(x: f32) -> f32 {
    let bays = 1.3 * fbm(x / 7.0, 0.5, 3, 11);
    27.0 + 2.2 * (x + 4.0).max(0.0) + 0.12 * (x + 10.0).min(0.0) + bays
}

/// The distance at which the far bank rises from the lake.
fn far_shore(x: f32) -> f32 {
    172.0 + 22.0 * fbm(x / 60.0, 3.5, 4, 12) - 0.10 * x
}

/// How far a place is from the lake; negative in it.
pub(super) fn inland(x: f32, z: f32) -> f32 {
    (near_shore(x) - z).max(z - far_shore(x))
}

/// A range of hills: a wall with a wavy crest, open in the middle of the valley.
struct Range {
    distance: f32,
    depth: f32,
    height: f32,
    /// The length of the crest's waves.
    wave: f32,
    /// The height left in the middle of the valley, as a share.
    opening: f32,
    seed: u32,
}

const RANGES: [Range; 3] = [
    Range { distance: 520.0, depth: 210.0, height: 56.0, wave: 210.0, opening: 0.52, seed: 41 },
    Range { distance: 1650.0, depth: 520.0, height: 260.0, wave: 620.0, opening: 0.55, seed: 42 },
    Range { distance: 5600.0, depth: 1600.0, height: 1150.0, wave: 1500.0, opening: 0.85, seed: 43 },
];

impl Range {
    fn height_at(&self, x: f32, z: f32) -> f32 {
        let off = (z - self.distance) / self.depth;
        if off.abs() > 2.6 {
            return 0.0;
        }
        let slope = x / z;
        let valley = mix(self.opening, 1.0, smoothstep(0.06, 0.42, (slope + 0.10).abs()));
        let crest = 0.62 + 0.55 * fbm(x / self.wave, z / (self.wave * 2.0), 4, self.seed);
        let spurs = noise::ridged(x / (self.wave * 0.7), z / (self.wave * 0.9), 4, self.seed + 5) - 0.5;
        self.height * valley * exp(-off * off) * (crest + 0.35 * spurs)
    }
}

/// The height of the ground; negative under the lake.
pub(super) fn height(x: f32, z: f32) -> f32 {
    let inland = inland(x, z);
    if inland < 0.0 {
        return (inland * 0.16).max(-4.0);
    }
    let meadow =
        1.15 * smoothstep(-2.0, 9.0, inland) * (inland / 2.5).min(1.0) + 2.1 * smoothstep(0.0, 48.0, inland);
    let bumps = 0.16 * fbm(x / 3.3, z / 3.3, 3, 13) * (inland / 4.0).min(1.0) * smoothstep(110.0, 40.0, z);
    let hills: f32 = RANGES.iter().map(|range| range.height_at(x, z)).sum();
    let natural = meadow + bumps + hills * smoothstep(0.0, 120.0, z - far_shore(x));
    let (dx, dz) = (x - YARD.x, z - YARD.z);
    mix(YARD.y, natural, smoothstep(7.0, 15.0, (dx * dx + dz * dz).sqrt()))
}

/// The point of the ground at a place.
pub(super) fn ground(x: f32, z: f32) -> Vec3 {
    vec3(x, height(x, z), z)
}

/// The middle of the path from the eye to the door.
pub(super) fn path_centre(z: f32) -> f32 {
    0.1 + 0.0098 * z * z + 0.35 * wave(z / 13.0) * smoothstep(30.0, 20.0, z)
}

/// How far a place is from the path's edge; negative on it.
pub(super) fn beside_path(x: f32, z: f32) -> f32 {
    if z > 31.5 {
        return 9.0;
    }
    // The path runs aslant farther off, where it is wider across.
    let slant = 1.0 + 0.0006 * z * z;
    (x - path_centre(z)).abs() / slant - PATH_HALF_WIDTH + 0.16 * fbm(x * 1.7, z * 1.7, 2, 14)
}

/// What a piece of the far land is used for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    Wood,
    Hedge,
    Meadow,
    Corn,
    Ploughed,
}

/// The use of the land beyond the lake.
pub(super) fn land_use(x: f32, z: f32) -> Use {
    let (bend_x, bend_z) = (fbm(x / 90.0, z / 90.0, 2, 15) * 30.0, fbm(x / 90.0, z / 90.0, 2, 16) * 30.0);
    let size = if z < 800.0 { 62.0 } else { 210.0 };
    let cell = cells((x + bend_x) / size, (z + bend_z) / (size * 1.25), 17);
    let high = smoothstep(450.0, 1500.0, z);
    if cell.value < mix(0.26, 0.66, high) {
        Use::Wood
    } else if cell.border < mix(0.055, 0.04, high) {
        Use::Hedge
    } else if cell.value < 0.78 {
        Use::Meadow
    } else if cell.value < 0.97 {
        Use::Corn
    } else {
        Use::Ploughed
    }
}

/// Draws the land as a mesh whose squares look equally large from the eye.
pub(super) fn draw(stage: &mut Stage) {
    let columns = ((680.0 * stage.detail) as usize).max(120);
    let rows = ((760.0 * stage.detail) as usize).max(140);
    let growth = exp(ln_ratio() / rows as f32);
    let line = |z: f32| -> Vec<Vec3> {
        let slope = |column: usize| (column as f32 / columns as f32 * 2.0 - 1.0) * MESH_REACH;
        (0..=columns).map(|column| ground(slope(column) * z, z)).collect()
    };
    let mut z = MESH_DEPTH.0;
    let mut front = line(z);
    for _ in 0..rows {
        z *= growth;
        let back = line(z);
        for (near, far) in front.windows(2).zip(back.windows(2)) {
            square(stage, near, far);
        }
        front = back;
    }
}

/// The natural logarithm of the mesh's end over its beginning.
fn ln_ratio() -> f32 {
    let (mut ratio, mut ln) = (MESH_DEPTH.1 / MESH_DEPTH.0, 0.0);
    while ratio > 1.001 {
        ratio /= 1.001;
        ln += 0.000_999_5;
    }
    ln
}

/// Draws one square of the mesh, unless it lies deep in the lake.
fn square(stage: &mut Stage, near: &[Vec3], far: &[Vec3]) {
    if near[0].y.max(far[1].y) < -2.0 {
        return;
    }
    let normal = (far[0] - near[0]).cross(near[1] - near[0]).unit();
    let surface = Surface { albedo: Vec3::default(), normal, openness: 1.0, kind: Kind::Ground };
    stage.quad([near[0], far[0], far[1], near[1]], &surface);
}

/// Gives the ground at a point its colour and roughness.
pub(super) fn dress(surface: &Surface, point: Vec3) -> Surface {
    let (albedo, roughness, scale) = if point.z < 110.0 {
        near_ground(point)
    } else if point.z < 3000.0 {
        far_fields(point, surface.normal.y)
    } else {
        mountains(point, surface.normal.y)
    };
    let lean = |seed| roughness * fbm(point.x / scale, point.z / scale, 3, seed);
    let normal = (surface.normal + vec3(lean(21), 0.0, lean(22))).unit();
    Surface { albedo, normal, ..*surface }
}

/// Grass, the path and the beach: colour, roughness and its scale.
fn near_ground(point: Vec3) -> (Vec3, f32, f32) {
    let (x, z) = (point.x, point.z);
    let patches = fbm(x / 4.0, z / 4.0, 4, 23);
    let grain = noise::gradient(x * 9.0, z * 7.0, 24) + noise::gradient(x * 23.0, z * 17.0, 25);
    let grass = blend(vec3(0.055, 0.085, 0.018), vec3(0.13, 0.145, 0.035), 0.5 + 0.7 * patches);
    let stones = cells(x * 7.0, z * 7.0, 26);
    let gravel = blend(vec3(0.24, 0.19, 0.13), vec3(0.44, 0.38, 0.29), stones.value)
        * mix(0.55, 1.0, smoothstep(0.02, 0.16, stones.border));
    let earth = blend(vec3(0.22, 0.155, 0.09), gravel, smoothstep(-0.1, 0.3, patches + 0.35 * grain));
    let sand = blend(vec3(0.26, 0.22, 0.15), gravel, 0.5);
    let on_path = smoothstep(0.12, -0.10, beside_path(x, z));
    let on_beach = smoothstep(0.42, 0.12, point.y + 0.12 * patches);
    let wet = mix(0.45, 1.0, smoothstep(-0.02, 0.12, point.y));
    let dry = blend(blend(grass * (1.0 + 0.25 * grain), earth, on_path), sand, on_beach);
    (dry * wet, mix(0.25, 0.55, on_path.max(on_beach)), 0.22)
}

/// Meadows, corn and ploughed land with the marks of the plough: colour, roughness and its scale.
fn far_fields(point: Vec3, upright: f32) -> (Vec3, f32, f32) {
    let (x, z) = (point.x, point.z);
    let far = smoothstep(300.0, 1500.0, z);
    let scale = mix(5.0, 26.0, far);
    let patches = fbm(x / (scale * 4.0), z / (scale * 7.0), 4, 27);
    let tufts = fbm(x / scale, z / (scale * 2.0), 3, 28);
    let furrows = wave((x * 0.8 + z * 0.35 + 3.0 * patches) / mix(5.0, 22.0, far));
    let colour = match land_use(x, z) {
        Use::Wood | Use::Hedge => vec3(0.028, 0.045, 0.014) * (1.0 + 0.6 * tufts),
        Use::Meadow => blend(vec3(0.10, 0.155, 0.035), vec3(0.20, 0.22, 0.06), 0.5 + 0.9 * patches),
        Use::Corn => {
            blend(vec3(0.36, 0.27, 0.09), vec3(0.24, 0.24, 0.07), 0.5 + patches) * (1.0 + 0.2 * furrows)
        }
        Use::Ploughed => vec3(0.20, 0.14, 0.085) * (1.0 + 0.22 * furrows),
    };
    let beach = smoothstep(0.32, 0.10, point.y);
    let rock = smoothstep(0.90, 0.78, upright) * far;
    let ground = blend(colour * (1.0 + 0.5 * tufts), vec3(0.25, 0.23, 0.17), beach);
    (blend(ground, vec3(0.22, 0.21, 0.19), rock), 0.22, scale)
}

/// Woods below, rock above, the last snow in the gullies: colour, roughness and its scale.
fn mountains(point: Vec3, upright: f32) -> (Vec3, f32, f32) {
    let (x, y, z) = (point.x, point.y, point.z);
    let patches = fbm(x / 260.0, z / 420.0, 5, 29);
    let woods = blend(vec3(0.030, 0.050, 0.020), vec3(0.12, 0.15, 0.05), smoothstep(0.0, 0.25, patches));
    let rock = vec3(0.15, 0.145, 0.14) * (1.0 + 0.9 * fbm(x / 70.0, y / 40.0, 4, 30));
    let bare = smoothstep(330.0, 520.0, y + 260.0 * patches + 300.0 * (0.9 - upright));
    let snow = smoothstep(600.0, 720.0, y + 380.0 * fbm(x / 130.0, z / 300.0, 4, 32));
    (blend(blend(woods, rock, bare), vec3(0.80, 0.83, 0.88), snow), 0.75, 150.0)
}
