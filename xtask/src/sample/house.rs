//! The cottage: walls of single stones, a roof of single tiles, windows, a door, a chimney and ivy; and the
//! wooden things around it, a fence and a landing stage.

use super::math::{UP, Vec3, blend, direction, mix, vec3};
use super::noise::Rng;
use super::stage::{Kind, Stage, Surface};
use super::terrain::{self, YARD, ground};

/// Length along the ridge, depth, height of the walls and of the ridge, in metres.
const LENGTH: f32 = 9.4;
const DEPTH: f32 = 6.4;
const EAVES: f32 = 3.0;
const RIDGE: f32 = 6.3;
/// How far the roof stands out over the walls.
const OVERHANG: f32 = 0.42;
/// The front's left lower corner, and the direction of the ridge (cosine and sine from the x axis).
const CORNER: Vec3 = vec3(6.3, YARD.y, 31.6);
const TURN: (f32, f32) = (0.9781, 0.2079);

const MORTAR: Vec3 = vec3(0.27, 0.235, 0.185);
const STONES: [Vec3; 2] = [vec3(0.235, 0.185, 0.130), vec3(0.52, 0.435, 0.315)];
const TILES: [Vec3; 2] = [vec3(0.23, 0.075, 0.040), vec3(0.44, 0.180, 0.090)];
const BRICKS: [Vec3; 2] = [vec3(0.26, 0.095, 0.055), vec3(0.40, 0.170, 0.100)];
const WHITE_PAINT: Vec3 = vec3(0.72, 0.70, 0.65);
const BLUE_PAINT: Vec3 = vec3(0.070, 0.155, 0.215);
const OLD_WOOD: Vec3 = vec3(0.245, 0.205, 0.165);

/// A wall seen from outside: its left lower corner and the directions along it and out of it.
#[derive(Clone, Copy)]
struct Wall {
    corner: Vec3,
    along: Vec3,
    out: Vec3,
}

impl Wall {
    /// The point `along` metres to the right, `up` above the ground and `out` in front of the wall.
    fn at(&self, along: f32, up: f32, out: f32) -> Vec3 {
        self.corner + self.along * along + UP * up + self.out * out
    }

    /// A board on the wall: a box around a point, with full width, height and thickness.
    fn board(&self, stage: &mut Stage, centre: (f32, f32), size: (f32, f32, f32), colour: Vec3) {
        let half = [self.along * (size.0 * 0.5), UP * (size.1 * 0.5), self.out * (size.2 * 0.5)];
        stage.block(self.at(centre.0, centre.1, size.2 * 0.5), half, &Surface::matte(colour));
    }
}

/// Draws the house and what is made of wood near it.
pub(super) fn draw(stage: &mut Stage) {
    let (along, back) = (vec3(TURN.0, 0.0, TURN.1), vec3(-TURN.1, 0.0, TURN.0));
    let front = Wall { corner: CORNER, along, out: -back };
    let gable = Wall { corner: CORNER + back * DEPTH, along: -back, out: -along };
    let mut rng = Rng::new(121);
    masonry(stage, &mut rng, &front, LENGTH, |_| EAVES);
    let slant = (RIDGE - EAVES) / (DEPTH * 0.5);
    masonry(stage, &mut rng, &gable, DEPTH, |x| EAVES + slant * (DEPTH * 0.5 - (x - DEPTH * 0.5).abs()));
    shell(stage, &front, back);
    roof(stage, &mut rng, &front, back);
    chimney(stage, &mut rng, front.at(LENGTH * 0.76, 0.0, -DEPTH * 0.5), along, back);
    openings(stage, &mut rng, &front, &gable);
    ivy(stage, &mut rng, &front, &gable);
    fence(stage);
    landing(stage);
}

/// Draws courses of rough stones on a bed of mortar, up to the `top` at each place.
fn masonry(stage: &mut Stage, rng: &mut Rng, wall: &Wall, length: f32, top: impl Fn(f32) -> f32) {
    let bed = Surface { openness: 0.8, normal: wall.out, ..Surface::matte(MORTAR) };
    let peak = length * 0.5;
    let outline = [(0.0, -0.4), (length, -0.4), (length, top(length)), (peak, top(peak)), (0.0, top(0.0))];
    let corners = outline.map(|(x, y)| wall.at(x, y, 0.0));
    for pair in corners[1..].windows(2) {
        stage.triangle([corners[0], pair[0], pair[1]], &bed);
    }
    let mut up = -0.2;
    while up < RIDGE {
        let course = rng.range(0.17, 0.30);
        let mut x = 0.0;
        while x < length {
            let width = rng.range(0.22, 0.62).min(length - x);
            if up + course * 0.6 < top(x + width * 0.5) && width > 0.06 {
                stone(stage, rng, wall, (x, up), (width, course));
            }
            x += width;
        }
        up += course;
    }
}

/// Draws one stone of a wall, a little askew.
fn stone(stage: &mut Stage, rng: &mut Rng, wall: &Wall, (x, up): (f32, f32), (width, course): (f32, f32)) {
    let mut inset = || rng.range(0.012, 0.04);
    let corners = [
        wall.at(x + inset(), up + inset(), 0.02),
        wall.at(x + inset(), up + course - inset(), 0.02),
        wall.at(x + width - inset(), up + course - inset(), 0.02),
        wall.at(x + width - inset(), up + inset(), 0.02),
    ];
    let hue = vec3(rng.range(0.92, 1.08), 1.0, rng.range(0.85, 1.1));
    let albedo = blend(STONES[0], STONES[1], rng.unit()) * hue;
    let under_eaves = mix(1.0, 0.6, ((up - EAVES + 0.8) / 0.8).clamp(0.0, 1.0));
    let normal = (wall.out + rng.in_ball() * 0.22).unit();
    stage.quad(corners, &Surface { normal, openness: under_eaves, ..Surface::matte(albedo) });
}

/// Draws the two walls that face away, for their shadows.
fn shell(stage: &mut Stage, front: &Wall, back: Vec3) {
    let plain = Surface::matte(MORTAR);
    let behind = back * DEPTH;
    let low = [front.at(0.0, -0.4, 0.0), front.at(LENGTH, -0.4, 0.0)];
    let high = [front.at(0.0, EAVES, 0.0), front.at(LENGTH, EAVES, 0.0)];
    stage.face([low[1] + behind, high[1] + behind, high[0] + behind, low[0] + behind], &plain);
    stage.face([low[1], high[1], high[1] + behind, low[1] + behind], &plain);
    let peak = front.at(LENGTH, RIDGE, -DEPTH * 0.5);
    stage.triangle([high[1], peak, high[1] + behind], &Surface { normal: front.along, ..plain });
}

/// Draws both slopes of the roof, tile by tile, the ridge, and the boards along the gable.
fn roof(stage: &mut Stage, rng: &mut Rng, front: &Wall, back: Vec3) {
    const ROWS: usize = 19;
    const COLUMNS: usize = 46;
    let ridge = front.at(-OVERHANG, RIDGE + 0.06, -DEPTH * 0.5);
    let along = front.along * (LENGTH + 2.0 * OVERHANG);
    for side in [-1.0, 1.0] {
        let sink = (RIDGE - EAVES) * (1.0 + OVERHANG / (DEPTH * 0.5));
        let down = back * (side * (DEPTH * 0.5 + OVERHANG)) - UP * sink;
        let normal = if side < 0.0 { down.cross(along).unit() } else { along.cross(down).unit() };
        let normal = if normal.y < 0.0 { -normal } else { normal };
        let deck = Surface { normal, ..Surface::matte(TILES[0] * 0.5) };
        stage.quad([ridge, ridge + along, ridge + along + down, ridge + down], &deck);
        for row in 0..ROWS {
            for column in 0..COLUMNS {
                let (u, v) = (column as f32 / COLUMNS as f32, row as f32 / ROWS as f32);
                let corner = ridge + along * u + down * v;
                let size = (along * (1.0 / COLUMNS as f32), down * (1.0 / ROWS as f32));
                tile(stage, rng, corner, size, normal);
            }
        }
        let edge = Surface::matte(OLD_WOOD * 0.8);
        for end in [ridge, ridge + along] {
            stage.block(end + down * 0.5 - UP * 0.06, [down * 0.5, UP * 0.10, front.along * 0.03], &edge);
        }
        stage.block(ridge + along * 0.5 + down - UP * 0.07, [along * 0.5, UP * 0.06, back * 0.04], &edge);
    }
    let caps = 26;
    for cap in 0..caps {
        let centre = ridge + along * ((cap as f32 + 0.5) / caps as f32) + UP * 0.04;
        let clay = blend(TILES[0], TILES[1], rng.range(0.2, 1.0));
        let half = along * (0.46 / caps as f32);
        stage.rod(centre - half, centre + half, (0.13, 0.11), &Surface::matte(clay));
    }
}

/// Draws a roof tile: curved across, its lower edge raised over the next row.
fn tile(stage: &mut Stage, rng: &mut Rng, corner: Vec3, (along, down): (Vec3, Vec3), normal: Vec3) {
    let moss = if rng.chance(0.12) { vec3(0.55, 1.15, 0.8) } else { vec3(1.0, 1.0, 1.0) };
    let clay = blend(TILES[0], TILES[1], rng.unit()) * moss;
    let skew = normal * rng.range(0.0, 0.012);
    let lip = normal * 0.055 + skew + down * 0.12;
    let side = along.unit();
    let strips = [(0.04, 0.3, -0.55), (0.3, 0.7, 0.0), (0.7, 0.96, 0.55)];
    for (from, to, lean) in strips {
        let surface =
            Surface { normal: (normal + side * lean + rng.in_ball() * 0.08).unit(), ..Surface::matte(clay) };
        let (left, right) = (corner + along * from + normal * 0.012, corner + along * to + normal * 0.012);
        stage.quad([left, right, right + down + lip, left + down + lip], &surface);
        let shadowed = Surface { normal: down.unit(), openness: 0.35, ..Surface::matte(clay * 0.5) };
        let (low_left, low_right) = (left + down + lip, right + down + lip);
        stage.quad([low_left, low_right, low_right - normal * 0.06, low_left - normal * 0.06], &shadowed);
    }
}

/// Draws the brick chimney with two pots.
fn chimney(stage: &mut Stage, rng: &mut Rng, foot: Vec3, along: Vec3, back: Vec3) {
    let (half_along, half_back) = (0.48, 0.36);
    let (base, top) = (RIDGE - 0.9, RIDGE + 1.25);
    let core = [along * half_along, UP * ((top - base) * 0.5), back * half_back];
    stage.block(foot + UP * ((top + base) * 0.5), core, &Surface::matte(MORTAR * 0.8));
    let mut up = base;
    let mut course = 0;
    while up < top - 0.1 {
        for (out, run, half_out, half_run) in
            [(-back, along, half_back, half_along), (-along, back, half_along, half_back)]
        {
            let shift = if course % 2 == 0 { 0.0 } else { 0.12 };
            let mut x = -half_run - shift;
            while x < half_run {
                let (from, to) = (x.max(-half_run) + 0.01, (x + 0.24).min(half_run) - 0.01);
                let centre = foot + UP * (up + 0.04) + run * ((from + to) * 0.5) + out * (half_out + 0.005);
                let clay = blend(BRICKS[0], BRICKS[1], rng.unit());
                stage.block(
                    centre,
                    [run * ((to - from) * 0.5), UP * 0.036, out * 0.008],
                    &Surface::matte(clay),
                );
                x += 0.24;
            }
        }
        up += 0.088;
        course += 1;
    }
    let cap = [along * (half_along + 0.08), UP * 0.06, back * (half_back + 0.08)];
    stage.block(foot + UP * top, cap, &Surface::matte(vec3(0.36, 0.33, 0.29)));
    for side in [-0.22, 0.22] {
        let pot = foot + along * side + UP * top;
        stage.rod(pot, pot + UP * 0.42, (0.13, 0.10), &Surface::matte(TILES[1]));
    }
}

/// Draws the windows and the door.
fn openings(stage: &mut Stage, rng: &mut Rng, front: &Wall, gable: &Wall) {
    for x in [1.45, 7.75] {
        window(stage, rng, front, (x, 1.62), (1.05, 1.25));
        flower_box(stage, rng, front, (x, 0.93), 1.2);
    }
    window(stage, rng, gable, (DEPTH * 0.5 - 1.35, 1.62), (1.0, 1.25));
    window(stage, rng, gable, (DEPTH * 0.5 + 1.35, 1.62), (1.0, 1.25));
    window(stage, rng, gable, (DEPTH * 0.5, 4.15), (0.8, 0.95));
    door(stage, rng, front, 4.6);
}

/// Draws a window with a stone surround, glazing bars and open shutters.
fn window(stage: &mut Stage, rng: &mut Rng, wall: &Wall, (x, y): (f32, f32), (width, height): (f32, f32)) {
    let (left, low) = (x - width * 0.5, y - height * 0.5);
    let dressed = STONES[1] * 1.08;
    wall.board(stage, (x, low - 0.09), (width + 0.4, 0.14, 0.14), dressed);
    wall.board(stage, (x, low + height + 0.11), (width + 0.4, 0.22, 0.07), dressed * 0.95);
    wall.board(stage, (x, y), (width + 0.12, height + 0.10, 0.035), WHITE_PAINT * 0.8);
    let (columns, rows) = (2, 3);
    for column in 0..columns {
        for row in 0..rows {
            let (w, h) = (width / columns as f32, height / rows as f32);
            let (from, up) = (left + w * column as f32 + 0.035, low + h * row as f32 + 0.03);
            let corners = [
                wall.at(from, up, 0.04),
                wall.at(from, up + h - 0.06, 0.04),
                wall.at(from + w - 0.07, up + h - 0.06, 0.04),
                wall.at(from + w - 0.07, up, 0.04),
            ];
            let room = vec3(0.022, 0.022, 0.024) * rng.range(0.6, 2.2);
            stage.face(corners, &Surface { kind: Kind::Glass, ..Surface::matte(room) });
        }
    }
    for side in [-1.0, 1.0] {
        let centre = x + side * (width * 0.5 + 0.10 + width * 0.24);
        wall.board(stage, (centre, y), (width * 0.46, height + 0.06, 0.05), BLUE_PAINT);
        for slat in 0..11 {
            let up = low + height * (slat as f32 + 0.5) / 11.0;
            let paint = BLUE_PAINT * rng.range(1.05, 1.6);
            wall.board(stage, (centre, up), (width * 0.36, height / 17.0, 0.065), paint);
        }
    }
}

/// Draws a box of geraniums.
fn flower_box(stage: &mut Stage, rng: &mut Rng, wall: &Wall, (x, y): (f32, f32), width: f32) {
    wall.board(stage, (x, y - 0.02), (width, 0.20, 0.26), OLD_WOOD * 0.8);
    let size = stage.enlarged(0.075);
    for _ in 0..stage.amount(260) {
        let place =
            wall.at(x + rng.spread(width * 0.58), y + 0.14 + rng.spread(0.2), 0.15 + rng.spread(0.17));
        let green = vec3(0.075, 0.125, 0.035);
        let red = if rng.chance(0.5) { vec3(0.60, 0.06, 0.05) } else { vec3(0.64, 0.22, 0.28) };
        let albedo = if rng.chance(0.42) { red } else { green } * rng.range(0.7, 1.2);
        let normal = (wall.out + UP * 0.6 + rng.in_ball() * 0.7).unit();
        let reach = rng.in_ball().unit() * size;
        stage.blade(
            place,
            reach,
            reach.cross(normal).unit() * (size * 0.42),
            &Surface::leaf(albedo, normal, 0.9),
        );
    }
}

/// Draws the plank door with its stone surround, a fanlight and a step.
fn door(stage: &mut Stage, rng: &mut Rng, wall: &Wall, x: f32) {
    let (width, height) = (1.05, 2.05);
    let dressed = STONES[1] * 1.05;
    wall.board(stage, (x, height + 0.2), (width + 0.5, 0.26, 0.09), dressed);
    for side in [-1.0, 1.0] {
        for quoin in 0..7 {
            let long = if quoin % 2 == 0 { 0.30 } else { 0.20 };
            let centre = (x + side * (width * 0.5 + long * 0.5), 0.16 + 0.3 * quoin as f32);
            wall.board(stage, centre, (long, 0.275, 0.06), dressed * rng.range(0.85, 1.08));
        }
    }
    let planks = 6;
    for plank in 0..planks {
        let w = width / planks as f32;
        let centre = x - width * 0.5 + w * (plank as f32 + 0.5);
        let paint = vec3(0.10, 0.20, 0.16) * rng.range(0.8, 1.25);
        wall.board(stage, (centre, height * 0.5), (w - 0.018, height, 0.05), paint);
    }
    wall.board(stage, (x, height * 0.5), (width, height, 0.03), vec3(0.02, 0.02, 0.02));
    wall.board(stage, (x + width * 0.36, 1.02), (0.05, 0.14, 0.10), vec3(0.35, 0.27, 0.10));
    wall.board(stage, (x, 0.02), (width + 0.7, 0.16, 0.75), vec3(0.42, 0.39, 0.33));
    // The small roof over the door casts the shadow that tells its depth.
    let hood = [wall.along * 0.95, wall.out * 0.42 - UP * 0.20, UP * 0.045];
    stage.block(wall.at(x, height + 0.62, 0.36), hood, &Surface::matte(TILES[1] * 0.8));
    for side in [-0.8, 0.8] {
        let strut = (wall.at(x + side, height + 0.05, 0.03), wall.at(x + side, height + 0.42, 0.62));
        stage.rod(strut.0, strut.1, (0.045, 0.045), &Surface::matte(OLD_WOOD * 0.7));
    }
}

/// Draws ivy that climbs around the corner between front and gable, and roses beside the door.
fn ivy(stage: &mut Stage, rng: &mut Rng, front: &Wall, gable: &Wall) {
    let leaf = stage.enlarged(0.13);
    for index in 0..stage.amount(3400) {
        let climb = rng.unit() * rng.unit();
        let up = climb * 3.6;
        let reach = (1.0 - climb) * 1.0 * rng.unit() + 0.15 * rng.unit();
        let rose = index % 4 == 0;
        let (wall, x) = match (rose, rng.chance(0.55)) {
            (true, _) => (front, 5.75 + rng.spread(0.35) + 0.2 * climb),
            (false, true) => (front, LENGTH - reach),
            (false, false) => (gable, reach * 1.3),
        };
        let out = wall.out;
        let place = wall.at(x, up, 0.06 + 0.12 * rng.unit());
        let normal = (out + UP * 0.5 + rng.in_ball() * 0.7).unit();
        let green = blend(vec3(0.035, 0.065, 0.018), vec3(0.115, 0.165, 0.040), rng.unit());
        let pink = vec3(0.66, 0.26, 0.28) * rng.range(0.7, 1.15);
        let albedo = if rose && rng.chance(0.16) { pink } else { green };
        let tip = (rng.in_ball() - UP * 0.5).unit() * (leaf * rng.range(0.7, 1.2));
        let across = tip.cross(normal).unit() * (leaf * 0.40);
        stage.blade(place, tip, across, &Surface::leaf(albedo, normal, rng.range(0.4, 1.0)));
    }
}

/// Draws the fence that follows the right side of the path.
fn fence(stage: &mut Stage) {
    let mut rng = Rng::new(131);
    let post = |z: f32| ground(terrain::path_centre(z) + 1.35 + 0.045 * z, z);
    let mut z = 5.4;
    while z < 26.5 {
        let next = z + 1.75;
        let (from, to) = (post(z), post(next));
        let lean = vec3(rng.spread(0.05), 0.0, rng.spread(0.05));
        let wood = Surface { kind: Kind::Bark, ..Surface::matte(OLD_WOOD * rng.range(0.7, 1.0)) };
        let top = from + UP * rng.range(1.0, 1.12) + lean;
        stage.rod(from - UP * 0.2, top, (0.066, 0.056), &wood);
        let cap = Surface { normal: UP, ..wood };
        let rim = |turn: f32| top + vec3(direction(turn).0, 0.0, direction(turn).1) * 0.056;
        stage.quad([rim(0.0), rim(0.25), rim(0.5), rim(0.75)], &cap);
        for height in [0.38, 0.66, 0.92] {
            let sag = rng.spread(0.07);
            let rail = Surface::matte(OLD_WOOD * rng.range(0.75, 1.25));
            let radius = rng.range(0.028, 0.038);
            stage.rod(from + UP * height + lean, to + UP * (height + sag), (radius, radius * 0.9), &rail);
        }
        z = next;
    }
}

/// Draws the landing stage in the lake, with a rowing boat beside it.
fn landing(stage: &mut Stage) {
    let mut rng = Rng::new(141);
    let (shore, toward) = (vec3(-4.6, 0.55, 26.4), vec3(-0.14, 0.0, 0.99));
    let across = vec3(0.99, 0.0, 0.14);
    for plank in 0..44 {
        let centre = shore + toward * (plank as f32 * 0.22) + UP * rng.spread(0.015);
        let wood = Surface::matte(OLD_WOOD * rng.range(0.75, 1.45));
        let half = across * (0.72 + rng.spread(0.05));
        stage.block(centre, [half, UP * 0.025, toward * 0.098], &wood);
    }
    for pile in 0..5 {
        for side in [-0.66, 0.66] {
            let foot = shore + toward * (0.8 + 2.15 * pile as f32) + across * side;
            let top = foot + UP * if pile % 2 == 0 { 0.55 } else { 0.0 };
            let wood = Surface::matte(OLD_WOOD * rng.range(0.6, 0.9));
            stage.rod(foot - UP * 2.0, top, (0.085, 0.08), &wood);
        }
    }
    boat(stage, shore + toward * 4.6 - across * 2.6);
}

/// Draws a rowing boat, bow to the right, afloat around a point.
fn boat(stage: &mut Stage, centre: Vec3) {
    const RIBS: usize = 18;
    let keel = vec3(0.93, 0.0, 0.37);
    let beam = vec3(-0.37, 0.0, 0.93);
    let afloat = vec3(centre.x, 0.0, centre.z);
    // Rim, waterline and floor at each rib: how far out and how high.
    let rib = |index: usize, side: f32, level: usize| {
        let t = index as f32 / RIBS as f32 * 2.0 - 1.0;
        let fullness = (1.0 - t * t * if t > 0.0 { 1.0 } else { 0.55 }).max(0.0).sqrt();
        let (out, up) = [(0.68, 0.50 + 0.16 * t * t), (0.60, 0.26), (0.44, -0.06)][level];
        afloat + keel * (t * 1.9) + beam * (side * out * fullness) + UP * up
    };
    let paints = [vec3(0.52, 0.50, 0.45), vec3(0.30, 0.065, 0.045)];
    for index in 0..RIBS {
        for side in [-1.0, 1.0] {
            for (level, paint) in paints.into_iter().enumerate() {
                let corners = [
                    rib(index, side, level),
                    rib(index + 1, side, level),
                    rib(index + 1, side, level + 1),
                    rib(index, side, level + 1),
                ];
                let seen = if side < 0.0 { paint } else { OLD_WOOD };
                stage.quad(corners, &Surface { normal: (-beam + UP * 0.2).unit(), ..Surface::matte(seen) });
            }
        }
        let floor =
            [rib(index, -1.0, 2), rib(index + 1, -1.0, 2), rib(index + 1, 1.0, 2), rib(index, 1.0, 2)];
        let boards = Surface { openness: 0.4, ..Surface::matte(OLD_WOOD * 0.6) };
        stage.quad(floor.map(|corner| corner + UP * 0.16), &boards);
    }
    for seat in [-0.9, 0.1, 0.95] {
        let middle = afloat + keel * seat + UP * 0.40;
        stage.block(middle, [keel * 0.14, UP * 0.02, beam * 0.52], &Surface::matte(OLD_WOOD * 1.25));
    }
}
