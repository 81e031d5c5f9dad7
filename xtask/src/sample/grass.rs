//! The meadow: blades, seed heads and flowers, reeds in the shallows, and stones on the beach.

use super::math::{UP, Vec3, blend, direction, mix, smoothstep, vec3};
use super::noise::{Rng, fbm};
use super::stage::{Camera, Stage, Surface};
use super::terrain::{self, ground};

/// Tufts in a full-sized picture, with the blades of each.
const TUFTS: usize = 62_000;
const BLADES_PER_TUFT: usize = 5;
/// Flowers in a full-sized picture.
const FLOWERS: usize = 5200;
/// The wind, as the lean of a metre-high blade.
const WIND: Vec3 = vec3(0.22, 0.0, 0.05);

/// Draws everything that grows or lies on the near ground.
pub(super) fn draw(stage: &mut Stage) {
    tufts(stage);
    flowers(stage);
    reeds(stage);
    stones(stage);
}

/// A place on the near ground, chosen evenly over the picture rather than over the land.
fn place_in_view(rng: &mut Rng) -> (f32, f32) {
    let below = rng.range(0.035, 0.62);
    let z = (Camera::EYE - 2.0) / below;
    (rng.range(-0.57, 0.57) * z, z)
}

/// Whether grass grows at a place, thinner near the path and the water.
fn is_meadow(rng: &mut Rng, x: f32, z: f32) -> bool {
    let (dx, dz) = (x - terrain::YARD.x, z - terrain::YARD.z);
    let indoors = dx.abs() < 4.0 && dz.abs() < 2.5;
    let off_path = smoothstep(-0.12, 0.45, terrain::beside_path(x, z));
    let off_beach = smoothstep(0.8, 2.6, terrain::inland(x, z));
    !indoors && rng.chance(off_path * off_beach)
}

fn tufts(stage: &mut Stage) {
    let mut rng = Rng::new(81);
    for _ in 0..stage.amount(TUFTS) {
        let (x, z) = place_in_view(&mut rng);
        let mut own = rng.fork();
        if is_meadow(&mut own, x, z) {
            tuft(stage, &mut own, x, z);
        }
    }
}

/// Draws a tuft of grass; tall and ripe in some patches, short and green in others and beside the path.
fn tuft(stage: &mut Stage, rng: &mut Rng, x: f32, z: f32) {
    let patch = fbm(x / 5.0, z / 6.0, 3, 82);
    let ripe = smoothstep(-0.05, 0.5, patch + 0.3 * fbm(x / 1.3, z / 1.3, 2, 83));
    let beside = smoothstep(0.0, 1.2, terrain::beside_path(x, z));
    let kept = smoothstep(5.0, 10.0, (x - terrain::YARD.x).abs() + (z - 32.0).abs());
    let tall = mix(0.16, 0.34 + 0.24 * ripe, beside * mix(0.4, 1.0, kept))
        * mix(1.0, 0.75, smoothstep(10.0, 25.0, z));
    let tint = vec3(rng.range(0.8, 1.2), rng.range(0.88, 1.12), rng.range(0.7, 1.3));
    let green = blend(vec3(0.052, 0.095, 0.020), vec3(0.125, 0.165, 0.038), rng.unit());
    let clump = fbm(x / 0.75, z / 1.1, 3, 84);
    let tall = tall * (1.0 + 0.75 * clump).max(0.4);
    let colour =
        blend(green, vec3(0.33, 0.28, 0.115), ripe * rng.range(0.25, 0.95)) * tint * (1.0 + 0.7 * clump);
    let foot = ground(x, z);
    for _ in 0..BLADES_PER_TUFT {
        let root = foot + vec3(rng.spread(0.11), -0.02, rng.spread(0.11)) * (1.0 + z * 0.05);
        let length = tall * rng.range(0.5, 1.25);
        let lean = WIND + rng.in_ball() * 0.42;
        let shaded = colour * rng.range(0.72, 1.25);
        blade(stage, root, vec3(lean.x, 1.0, lean.z) * length, shaded);
        if ripe > 0.45 && rng.chance(0.10) {
            seed_head(stage, rng, root, vec3(lean.x, 1.3, lean.z) * length);
        }
    }
}

/// Draws a bent blade of grass, dark at the root.
fn blade(stage: &mut Stage, root: Vec3, reach: Vec3, colour: Vec3) {
    let half_width = stage.enlarged((0.0042_f32).max(root.z * 0.000_42));
    let across = vec3(half_width, 0.0, half_width * 0.3);
    let droop = vec3(reach.x, -0.25 * reach.y, reach.z) * 0.55;
    let at = |t: f32| root + reach * t + droop * (t * t);
    let normal = (vec3(-reach.x, 0.35 * reach.y, -reach.z - 0.35 * reach.y)).unit();
    let surface = |t: f32| Surface::leaf(colour * mix(0.55, 1.15, t), normal, mix(0.16, 1.0, t));
    let [low, middle, high, tip] = [at(0.0), at(0.38), at(0.72), at(1.0)];
    stage.quad([low - across, middle - across, middle + across, low + across], &surface(0.2));
    let thin = across * 0.7;
    stage.quad([middle - across, high - thin, high + thin, middle + across], &surface(0.6));
    stage.triangle([high - thin, tip, high + thin], &surface(1.0));
}

/// Draws a stalk with a feathery seed head.
fn seed_head(stage: &mut Stage, rng: &mut Rng, root: Vec3, reach: Vec3) {
    let straw = vec3(0.42, 0.34, 0.17) * rng.range(0.7, 1.15);
    blade(stage, root, reach, straw * 0.8);
    let top = root + reach * 1.02 + vec3(reach.x, -0.25 * reach.y, reach.z) * 0.45;
    let size = stage.enlarged(0.030 + 0.0006 * root.z);
    for _ in 0..5 {
        let aim = (UP + WIND + rng.in_ball() * 0.8).unit() * (size * rng.range(0.8, 1.5));
        let across = aim.cross(vec3(0.0, 0.0, 1.0)).unit() * (size * 0.22);
        let place = top + vec3(rng.spread(0.01), rng.spread(0.05), 0.0);
        stage.blade(place, aim, across, &Surface::leaf(straw, vec3(-0.4, 0.6, -0.6), 1.0));
    }
}

/// A flower of the meadow.
#[derive(Clone, Copy)]
struct Flower {
    petals: Vec3,
    heart: Vec3,
    /// Radius of the bloom in metres.
    radius: f32,
    petal_count: usize,
    /// Length of the stalk in metres.
    stalk: f32,
    /// How much the petals rise around the heart.
    cup: f32,
}

const POPPY: Flower = Flower {
    petals: vec3(0.62, 0.045, 0.022),
    heart: vec3(0.03, 0.02, 0.02),
    radius: 0.050,
    petal_count: 5,
    stalk: 0.46,
    cup: 0.75,
};
const DAISY: Flower = Flower {
    petals: vec3(0.80, 0.79, 0.74),
    heart: vec3(0.70, 0.46, 0.03),
    radius: 0.036,
    petal_count: 9,
    stalk: 0.36,
    cup: 0.15,
};
const BUTTERCUP: Flower = Flower {
    petals: vec3(0.78, 0.56, 0.03),
    heart: vec3(0.60, 0.38, 0.02),
    radius: 0.024,
    petal_count: 5,
    stalk: 0.40,
    cup: 0.5,
};
const CORNFLOWER: Flower = Flower {
    petals: vec3(0.10, 0.15, 0.60),
    heart: vec3(0.12, 0.05, 0.25),
    radius: 0.034,
    petal_count: 8,
    stalk: 0.42,
    cup: 0.45,
};

/// Draws flowers, each kind in drifts of its own.
fn flowers(stage: &mut Stage) {
    let kinds = [(POPPY, 0.05), (DAISY, -0.02), (BUTTERCUP, 0.02), (CORNFLOWER, 0.16)];
    let mut rng = Rng::new(91);
    for _ in 0..stage.amount(FLOWERS) {
        let (x, z) = place_in_view(&mut rng);
        let mut own = rng.fork();
        let index = (own.unit() * 4.0) as usize;
        let (flower, scarcity) = kinds[index.min(3)];
        let drift = fbm(x / 3.2, z / 4.5, 2, 92 + index as u32);
        if z < 34.0 && drift > scarcity + own.spread(0.18) && is_meadow(&mut own, x, z) {
            bloom(stage, &mut own, ground(x, z), &flower);
        }
    }
}

fn bloom(stage: &mut Stage, rng: &mut Rng, foot: Vec3, flower: &Flower) {
    let lean = WIND * 0.6 + rng.in_ball() * 0.18;
    let reach = vec3(lean.x, 1.0, lean.z) * (flower.stalk * rng.range(0.7, 1.2));
    let top = foot + reach;
    let stalk = Surface::leaf(vec3(0.09, 0.14, 0.035), vec3(-0.5, 0.3, -0.8), 0.6);
    let thin = stage.enlarged((0.003_f32).max(foot.z * 0.000_3));
    stage.blade(foot, reach, vec3(thin, 0.0, 0.0), &stalk);
    let radius = stage.enlarged(flower.radius * rng.range(0.75, 1.2) + 0.0011 * foot.z);
    let facing = (UP * 0.75 + vec3(-0.35, 0.0, -0.55) + rng.in_ball() * 0.45).unit();
    let (u, v) = (facing.cross(vec3(1.0, 0.0, 0.2)).unit(), facing.cross(vec3(0.0, 0.1, 1.0)).unit());
    let turn = rng.unit();
    for petal in 0..flower.petal_count {
        let (cos, sin) = direction(turn + petal as f32 / flower.petal_count as f32);
        let out = (u * cos + v * sin).unit();
        let reach = (out + facing * flower.cup).unit() * radius;
        let breadth = facing.cross(out) * (radius * 2.7 / flower.petal_count as f32);
        let normal = (facing - out * (flower.cup * 0.8) + vec3(0.0, 0.15, 0.0)).unit();
        let petals = Surface::leaf(flower.petals * rng.range(0.72, 1.12), normal, 1.0);
        stage.kite(top, (reach, 0.72), breadth, &petals);
    }
    let size = radius * 0.26;
    let heart = Surface { openness: 1.0, normal: facing, ..Surface::matte(flower.heart) };
    let centre = top + facing * (size * 0.8);
    stage.quad([centre - u * size, centre + v * size, centre + u * size, centre - v * size], &heart);
}

/// Draws reeds along the near shore.
fn reeds(stage: &mut Stage) {
    let mut rng = Rng::new(101);
    for _ in 0..stage.amount(26_000) {
        let z = rng.range(22.0, 62.0);
        let x = rng.range(-0.57, 0.35) * z;
        let mut own = rng.fork();
        let inland = terrain::inland(x, z);
        let clump = fbm(x / 3.0, z / 3.0, 2, 102) > 0.02 + own.spread(0.15);
        if !(-1.6..0.9).contains(&inland) || !clump {
            continue;
        }
        let lean = WIND * 0.7 + own.in_ball() * 0.16;
        let root = ground(x, z);
        let length = own.range(0.7, 1.5) - root.y.min(0.0);
        let colour = blend(vec3(0.10, 0.15, 0.035), vec3(0.34, 0.29, 0.12), own.unit()) * own.range(0.7, 1.2);
        blade(stage, root, vec3(lean.x, 1.0, lean.z) * length, colour);
    }
}

/// Draws stones along the near shore and beside the path.
fn stones(stage: &mut Stage) {
    let mut rng = Rng::new(111);
    for _ in 0..520 {
        let z = rng.range(5.0, 46.0);
        let x = rng.range(-0.56, 0.3) * z;
        let mut own = rng.fork();
        let at_shore = (-0.9..1.5).contains(&terrain::inland(x, z));
        let at_path = (0.0..0.25).contains(&terrain::beside_path(x, z)) && own.chance(0.8);
        if at_shore || at_path {
            let size =
                own.range(0.06, 0.15) + if at_shore && own.chance(0.25) { own.range(0.1, 0.35) } else { 0.0 };
            boulder(stage, &mut own, ground(x, z), size);
        }
    }
}

/// Draws a rounded, uneven stone.
fn boulder(stage: &mut Stage, rng: &mut Rng, centre: Vec3, size: f32) {
    const RINGS: usize = 7;
    const SIDES: usize = 11;
    let (shift, squash) = (rng.range(0.0, 90.0), rng.range(0.45, 0.8));
    let albedo = blend(vec3(0.19, 0.18, 0.165), vec3(0.38, 0.35, 0.30), rng.unit());
    let vertex = |ring: usize, side: usize| {
        let (level, radius) = direction(ring as f32 / RINGS as f32 * 0.5);
        let (cos, sin) = direction((side % SIDES) as f32 / SIDES as f32);
        let way = vec3(cos * radius, level, sin * radius);
        let bulge = 1.0 + 0.38 * fbm(way.x * 1.4 + shift, way.y * 1.4 + way.z, 3, 112);
        centre + vec3(way.x, way.y * squash, way.z) * (size * bulge)
    };
    for ring in 0..RINGS {
        for side in 0..SIDES {
            let corners = [
                vertex(ring, side),
                vertex(ring, side + 1),
                vertex(ring + 1, side + 1),
                vertex(ring + 1, side),
            ];
            let open = mix(1.0, 0.45, ring as f32 / RINGS as f32);
            let surface = Surface { openness: open, ..Surface::matte(albedo * rng.range(0.92, 1.08)) };
            let across = corners[2] - corners[0];
            let normal = across.cross(corners[3] - corners[1]).unit();
            let outward = if normal.dot(corners[0] - centre) < 0.0 { -normal } else { normal };
            stage.quad(corners, &Surface { normal: outward, ..surface });
        }
    }
}
