//! Trees: grown branch by branch near the eye, crowns of leaf clumps farther off, and where they stand.

use super::math::{UP, Vec3, blend, direction, mix, smoothstep, vec3};
use super::noise::{Rng, fbm};
use super::stage::{Kind, Stage, Surface};
use super::terrain::{self, Use, ground};

/// How a kind of tree grows.
#[derive(Clone, Copy)]
struct Species {
    bark: Vec3,
    /// Leaf colour in the shade of the crown and at its sunny rim.
    leaves: [Vec3; 2],
    /// Length of a leaf spray in metres, and how many sit on a twig.
    leaf_length: f32,
    leaves_per_twig: usize,
    /// Radius of the cloud of leaves around a twig's end, in metres.
    twig_cloud: f32,
    /// Times that the trunk forks.
    forks: u32,
    /// Branches at each fork, besides the leader.
    branches: usize,
    /// How far branches turn away from their parent: 0 straight on, 1 about 45 degrees.
    spread: f32,
    /// How much each branch bends up (or, negative, droops).
    lift: f32,
    /// Length of a branch over its parent's.
    shrink: f32,
    /// Length of the trunk below the crown over the tree's height.
    trunk: f32,
    /// Radius of the trunk over the tree's height.
    girth: f32,
    /// White bark with dark bands.
    birch: bool,
}

const OAK: Species = Species {
    bark: vec3(0.105, 0.080, 0.058),
    leaves: [vec3(0.055, 0.090, 0.020), vec3(0.185, 0.220, 0.045)],
    leaf_length: 0.19,
    leaves_per_twig: 34,
    twig_cloud: 0.62,
    forks: 4,
    branches: 3,
    spread: 0.86,
    lift: 0.14,
    shrink: 0.70,
    trunk: 0.27,
    girth: 0.036,
    birch: false,
};

const BIRCH: Species = Species {
    bark: vec3(0.55, 0.53, 0.48),
    leaves: [vec3(0.070, 0.105, 0.022), vec3(0.250, 0.270, 0.055)],
    leaf_length: 0.13,
    leaves_per_twig: 26,
    twig_cloud: 0.50,
    forks: 4,
    branches: 2,
    spread: 0.62,
    lift: -0.02,
    shrink: 0.66,
    trunk: 0.34,
    girth: 0.013,
    birch: true,
};

const APPLE: Species = Species {
    bark: vec3(0.10, 0.08, 0.065),
    leaves: [vec3(0.055, 0.090, 0.028), vec3(0.190, 0.235, 0.080)],
    leaf_length: 0.14,
    leaves_per_twig: 30,
    twig_cloud: 0.42,
    forks: 4,
    branches: 2,
    spread: 1.05,
    lift: 0.02,
    shrink: 0.70,
    trunk: 0.26,
    girth: 0.032,
    birch: false,
};

/// Each side branch of a tree points this far round from the one before, in turns, as in nature.
const GOLDEN_TURN: f32 = 0.381_97;

/// A tree that is being grown.
struct Growth<'a> {
    stage: &'a mut Stage,
    rng: Rng,
    species: Species,
    /// Centre and radius of the crown, for the light inside it.
    crown: (Vec3, f32),
    /// The direction of the last side branch, in turns about the vertical.
    turn: f32,
}

/// A branch to be grown.
#[derive(Clone, Copy)]
struct Branch {
    from: Vec3,
    toward: Vec3,
    length: f32,
    radius: f32,
    forks: u32,
}

/// Grows a tree of this height.
fn grow(stage: &mut Stage, species: Species, foot: Vec3, height: f32, seed: u32) {
    let crown = (foot + UP * (height * 0.64), height * 0.42);
    let trunk = Branch {
        from: foot - UP * 0.2,
        toward: UP,
        length: height * species.trunk + 0.2,
        radius: height * species.girth,
        forks: species.forks,
    };
    Growth { stage, rng: Rng::new(seed), species, crown, turn: 0.0 }.branch(trunk);
}

impl Growth<'_> {
    /// Grows a branch with all that it bears.
    fn branch(&mut self, branch: Branch) {
        const SEGMENTS: usize = 4;
        let (mut place, mut toward) = (branch.from, branch.toward);
        for segment in 0..SEGMENTS {
            let thickness = |joint: usize| branch.radius * mix(1.0, 0.66, joint as f32 / SEGMENTS as f32);
            let next = place + toward * (branch.length / SEGMENTS as f32);
            self.wood(place, next, (thickness(segment), thickness(segment + 1)));
            place = next;
            toward = (toward + self.rng.in_ball() * 0.16 + UP * (self.species.lift * 0.5)).unit();
            if segment >= 1 && branch.forks < self.species.forks && branch.forks > 0 {
                let side = self.side_branch(&branch, place, toward, 0.75);
                self.branch(side);
            }
        }
        if branch.forks == 0 {
            self.twig(place);
            return;
        }
        for _ in 0..self.species.branches {
            let side = self.side_branch(&branch, place, toward, 1.0);
            self.branch(side);
        }
        let leader = Branch {
            from: place,
            toward,
            length: branch.length * self.species.shrink.max(0.72),
            radius: branch.radius * 0.64,
            forks: branch.forks - 1,
        };
        self.branch(leader);
    }

    fn side_branch(&mut self, parent: &Branch, from: Vec3, toward: Vec3, vigour: f32) -> Branch {
        self.turn += GOLDEN_TURN + self.rng.spread(0.08);
        let (cos, sin) = direction(self.turn);
        let sideways = vec3(cos, 0.25, sin) + self.rng.in_ball() * 0.5;
        let sideways = (sideways - toward * sideways.dot(toward)).unit();
        let spread = self.species.spread * self.rng.range(0.7, 1.35);
        let forks = parent.forks - 1;
        let longer = if parent.forks == self.species.forks { 1.05 } else { self.species.shrink };
        Branch {
            from,
            toward: (toward + sideways * spread + UP * self.species.lift).unit(),
            length: parent.length * longer * vigour * self.rng.range(0.75, 1.15),
            radius: parent.radius * 0.5 * vigour,
            forks,
        }
    }

    /// Draws a piece of a branch, darker inside the crown.
    fn wood(&mut self, from: Vec3, to: Vec3, radii: (f32, f32)) {
        let band = if self.species.birch && self.rng.chance(0.35) { 0.25 } else { 1.0 };
        let albedo = self.species.bark * (self.rng.range(0.8, 1.2) * band);
        let kind = if self.species.birch { Kind::Matte } else { Kind::Bark };
        let openness = mix(0.45, 1.0, self.openness(to));
        let surface = Surface { openness, kind, ..Surface::matte(albedo) };
        self.stage.rod(from, to, radii, &surface);
    }

    /// How much of the sky a place in the crown sees.
    fn openness(&self, place: Vec3) -> f32 {
        let out = place - self.crown.0;
        let rim = out.length() / self.crown.1;
        (smoothstep(0.05, 0.85, rim) + 0.22 * out.y / self.crown.1).clamp(0.06, 1.0)
    }

    /// Draws the leaves at the end of a twig.
    fn twig(&mut self, end: Vec3) {
        let count = self.stage.amount(self.species.leaves_per_twig);
        let length = self.stage.enlarged(self.species.leaf_length).min(self.species.twig_cloud);
        let tint = vec3(self.rng.range(0.75, 1.25), self.rng.range(0.85, 1.15), self.rng.range(0.7, 1.2));
        let sway = self.rng.in_ball() * 0.5;
        for _ in 0..count {
            let offset = self.rng.in_ball();
            let place = end + vec3(offset.x, offset.y * 0.75, offset.z) * self.species.twig_cloud;
            let open = self.openness(place) * mix(0.55, 1.0, smoothstep(-0.9, 0.5, offset.y));
            let outward = (place - self.crown.0).unit();
            let normal =
                (outward * 0.55 + offset * 0.5 + self.rng.in_ball() * 0.55 + sway + UP * 0.25).unit();
            let [inner, outer] = self.species.leaves;
            let albedo = blend(inner, outer, open * self.rng.range(0.5, 1.1)) * tint;
            let reach = (self.rng.in_ball() - UP * 0.25).unit() * (length * self.rng.range(0.7, 1.3));
            let across = reach.cross(normal).unit() * (length * 0.30);
            self.stage.blade(place, reach, across, &Surface::leaf(albedo, normal, open));
        }
    }
}

/// Draws a spruce: tiers of drooping boughs around a straight trunk.
fn spruce(stage: &mut Stage, foot: Vec3, height: f32, seed: u32) {
    let mut rng = Rng::new(seed);
    let bark = Surface::matte(vec3(0.09, 0.065, 0.05));
    stage.rod(foot - UP * 0.2, foot + UP * (height * 0.96), (height * 0.016, 0.02), &bark);
    let tint = vec3(rng.range(0.85, 1.2), rng.range(0.9, 1.1), rng.range(0.8, 1.3));
    let tiers = (height * 3.6) as usize;
    for tier in 0..tiers {
        let level = (tier as f32 + rng.unit()) / tiers as f32;
        let level = mix(0.07, 0.995, level);
        let reach = height * 0.21 * (1.0 - level) * rng.range(0.75, 1.15) + 0.08;
        let boughs = 7 + (8.0 * (1.0 - level)) as usize;
        for _ in 0..boughs {
            let (cos, sin) = direction(rng.unit());
            let out = vec3(cos, 0.0, sin);
            let reach = out * (reach * rng.range(0.7, 1.1));
            bough(stage, &mut rng, foot + UP * (height * level), reach, tint);
        }
    }
}

/// Draws one bough of a spruce: sprays of needles along a curve that sinks and rises again at the tip.
fn bough(stage: &mut Stage, rng: &mut Rng, root: Vec3, reach: Vec3, tint: Vec3) {
    let length = reach.length();
    let out = reach.unit();
    let spray = stage.enlarged(0.24).min(0.4 * length + 0.1);
    let side = out.cross(UP);
    let count = stage.amount((9.0 + 20.0 * length) as usize).max(3);
    for index in 0..count {
        let t = (index as f32 + rng.unit()) / count as f32;
        let sink = -0.42 * t + 0.16 * t * t;
        let flat = side * (rng.spread(0.32) * length * (1.1 - t));
        let place = root + reach * t + UP * (sink * length) + flat;
        let open = (0.12 + 0.88 * t * t).min(1.0) * rng.range(0.75, 1.0);
        let albedo =
            blend(vec3(0.016, 0.032, 0.016), vec3(0.060, 0.092, 0.036), t * rng.range(0.5, 1.2)) * tint;
        let normal = (out * 0.55 + UP * 0.55 + rng.in_ball() * 0.6).unit();
        let aim = (out + rng.in_ball() * 0.7 - UP * 0.45).unit() * (spray * rng.range(0.7, 1.2));
        let across = (aim.cross(UP) + rng.in_ball() * 0.1).unit() * (spray * 0.17);
        stage.blade(place, aim, across, &Surface::leaf(albedo, normal, open));
    }
}

/// The outline of a tree in the distance.
#[derive(Clone, Copy)]
enum Outline {
    Round,
    Pointed,
    Column,
}

/// Draws a crown of leaf clumps for a tree seen from afar.
fn distant(stage: &mut Stage, rng: &mut Rng, foot: Vec3, height: f32, outline: Outline, clumps: usize) {
    let (width, [inner, outer]) = match outline {
        Outline::Round => (0.42, [vec3(0.024, 0.045, 0.012), vec3(0.125, 0.160, 0.034)]),
        Outline::Pointed => (0.21, [vec3(0.012, 0.026, 0.014), vec3(0.055, 0.085, 0.034)]),
        Outline::Column => (0.13, [vec3(0.030, 0.052, 0.014), vec3(0.140, 0.170, 0.040)]),
    };
    let tint = vec3(rng.range(0.7, 1.35), rng.range(0.85, 1.15), rng.range(0.7, 1.2));
    let size = height * 0.95 / (clumps as f32).sqrt() + 0.06 * height * width;
    if clumps > 100 {
        let bark = Surface::matte(vec3(0.08, 0.065, 0.05));
        stage.rod(foot - UP * 0.3, foot + UP * (height * 0.6), (height * 0.022, height * 0.01), &bark);
    }
    let lumps: [Vec3; 6] = std::array::from_fn(|_| rng.in_ball().unit());
    for _ in 0..clumps {
        let shell = rng.in_ball().unit();
        let lump = lumps.iter().map(|lump| lump.dot(shell)).fold(0.0_f32, f32::max);
        let girth = match outline {
            Outline::Pointed => 1.0 - (shell.y * 0.5 + 0.5),
            _ => mix(0.72, 1.08, smoothstep(0.45, 1.0, lump)),
        };
        let level = match outline {
            Outline::Pointed => 0.53 + 0.45 * shell.y,
            _ => 0.36 + girth * shell.y * if shell.y > 0.0 { 0.60 } else { 0.32 },
        };
        let broad_skirt = 1.0 + 0.7 * (-shell.y).max(0.0);
        let across = girth * broad_skirt * width * height * rng.range(0.75, 1.0);
        let place = foot + vec3(shell.x * across, level * height, shell.z * across);
        let open = mix(0.22, 1.0, smoothstep(0.05, 0.85, level)) * mix(0.5, 1.0, smoothstep(0.4, 0.95, lump));
        let normal = (shell + rng.in_ball() * 0.45 + UP * 0.2).unit();
        let albedo = blend(inner, outer, open * rng.range(0.4, 1.2)) * tint;
        let reach = (rng.in_ball() + UP * 0.3).unit() * size;
        let breadth = reach.cross(normal).unit() * (size * 0.42);
        stage.blade(place - reach * 0.5, reach, breadth, &Surface::leaf(albedo, normal, open));
    }
}

/// Draws a bush.
fn bush(stage: &mut Stage, foot: Vec3, size: f32, leaves: [Vec3; 2], seed: u32) {
    let species = Species {
        leaves,
        leaf_length: 0.12,
        leaves_per_twig: 24,
        branches: 2,
        twig_cloud: 0.30 * size.sqrt(),
        forks: 3,
        trunk: 0.16,
        girth: 0.02,
        spread: 1.2,
        shrink: 0.85,
        ..OAK
    };
    for stem in 0..3 {
        let (cos, sin) = direction(stem as f32 / 3.0 + 0.1);
        grow(stage, species, foot + vec3(cos, -0.1, sin) * (0.22 * size), size, seed * 7 + stem);
    }
}

/// Draws every tree of the scene.
pub(super) fn draw(stage: &mut Stage) {
    near_trees(stage);
    far_bank(stage);
    hill_trees(stage, (215.0, 420.0), 7.5, 90);
    hill_trees(stage, (420.0, 800.0), 11.0, 42);
    hill_trees(stage, (800.0, 2300.0), 19.0, 16);
}

/// The trees around the meadow and the house.
fn near_trees(stage: &mut Stage) {
    grow(stage, OAK, ground(-7.6, 20.5), 10.6, 5);
    // Out of sight, for its shadow on the foreground.
    grow(stage, OAK, ground(-17.5, 0.5), 10.0, 6);
    for (x, z, height, seed) in [(-15.2, 24.5, 9.5, 11), (-16.6, 25.4, 8.2, 12), (2.0, 40.5, 7.6, 13)] {
        grow(stage, BIRCH, ground(x, z), height, seed);
    }
    grow(stage, APPLE, ground(17.6, 30.5), 5.2, 21);
    let spruces =
        [(19.5, 45.0, 12.5), (22.5, 49.0, 14.5), (25.5, 46.5, 11.0), (14.5, 52.0, 13.0), (29.0, 54.0, 13.5)];
    for (seed, (x, z, height)) in (31..).zip(spruces) {
        spruce(stage, ground(x, z), height, seed);
    }
    let hedge = [vec3(0.035, 0.060, 0.018), vec3(0.120, 0.165, 0.045)];
    let lilac = [vec3(0.060, 0.080, 0.035), vec3(0.170, 0.200, 0.090)];
    for (x, z, size, leaves) in
        [(4.5, 32.4, 1.5, lilac), (14.8, 31.6, 1.2, hedge), (16.2, 32.6, 1.7, lilac), (6.9, 29.9, 0.8, hedge)]
    {
        bush(stage, ground(x, z), size, leaves, (x * 10.0) as u32);
    }
}

/// The row of trees along the far bank, with a few poplars.
fn far_bank(stage: &mut Stage) {
    let mut rng = Rng::new(61);
    for _ in 0..150 {
        let z = rng.range(150.0, 222.0);
        let x = rng.range(-0.58, 0.58) * z;
        let inland = terrain::inland(x, z);
        let wooded = fbm(x / 28.0, z / 40.0, 2, 62) > rng.range(-0.35, 0.35);
        if !(2.0..40.0).contains(&inland) || !wooded {
            continue;
        }
        let (outline, height) = match rng.unit() {
            pick if pick < 0.10 => (Outline::Column, rng.range(12.0, 17.0)),
            pick if pick < 0.30 => (Outline::Pointed, rng.range(9.0, 14.0)),
            _ => (Outline::Round, rng.range(4.5, 9.5)),
        };
        let clumps = stage.amount(420).max(24);
        let mut own = rng.fork();
        distant(stage, &mut own, ground(x, z), height, outline, clumps);
    }
}

/// Woods, hedges and single trees on the hills, over a range of distances, about `spacing` metres apart.
fn hill_trees(stage: &mut Stage, depth: (f32, f32), spacing: f32, clumps: usize) {
    let clumps = stage.amount(clumps).max(8);
    let mut z = depth.0;
    while z < depth.1 {
        let row = (z / spacing) as u32;
        let mut rng = Rng::new(row ^ 0x7eee);
        let mut x = -0.58 * z;
        while x < 0.58 * z {
            let foot = (x + rng.spread(0.45) * spacing, z + rng.spread(0.45) * spacing);
            let mut own = rng.fork();
            hill_tree(stage, &mut own, foot, clumps);
            x += spacing;
        }
        z += spacing;
    }
}

/// Draws a tree at a place on the hills if one grows there.
fn hill_tree(stage: &mut Stage, rng: &mut Rng, (x, z): (f32, f32), clumps: usize) {
    let probability = match terrain::land_use(x, z) {
        Use::Wood => 0.95,
        Use::Hedge => 0.55,
        Use::Meadow => 0.02,
        Use::Corn | Use::Ploughed => 0.003,
    };
    if !rng.chance(probability) || terrain::inland(x, z) < 12.0 {
        return;
    }
    let conifers = fbm(x / 120.0, z / 160.0, 2, 63) + 0.15;
    let pointed = rng.chance(smoothstep(-0.1, 0.5, conifers));
    let outline = if pointed { Outline::Pointed } else { Outline::Round };
    let height = if pointed { rng.range(9.0, 17.0) } else { rng.range(5.5, 11.0) };
    let taller = mix(1.0, 1.6, smoothstep(600.0, 1800.0, z));
    distant(stage, rng, ground(x, z), height * taller, outline, clumps);
}
