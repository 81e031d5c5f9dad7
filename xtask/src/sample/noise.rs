//! Everything random: one integer hash, and on top of it a generator, gradient noise, cell noise and a tiling
//! volume of billows for the clouds. The same code gives the same numbers everywhere.

use super::math::{Vec3, mix, vec3};

/// Mixes the bits of `x` until they look random (the "lowbias32" construction).
fn scramble(mut x: u32) -> u32 {
    x ^= x >> 16;
    x = x.wrapping_mul(0x21f0_aaad);
    x ^= x >> 15;
    x = x.wrapping_mul(0xd35a_2d97);
    x ^ (x >> 15)
}

/// 24 random bits as a number in `0..1`.
fn to_unit(bits: u32) -> f32 {
    (bits >> 8) as f32 * (1.0 / 16_777_216.0)
}

/// The hash of a lattice point.
fn lattice(x: i32, y: i32, seed: u32) -> u32 {
    let row = (y as u32).wrapping_mul(0x9e37_79b1);
    scramble((x as u32).wrapping_mul(0x85eb_ca77) ^ row ^ seed.wrapping_mul(0xc2b2_ae3d))
}

/// A random number in `0..1` for a lattice point.
pub(super) fn cell_value(x: i32, y: i32, seed: u32) -> f32 {
    to_unit(lattice(x, y, seed))
}

/// A sequence of random numbers.
pub(super) struct Rng(u32);

impl Rng {
    pub(super) fn new(seed: u32) -> Self {
        Self(scramble(seed ^ 0x5bd1_e995))
    }

    /// A number in `0..1`.
    pub(super) fn unit(&mut self) -> f32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9);
        to_unit(scramble(self.0))
    }

    /// A number in `low..high`.
    pub(super) fn range(&mut self, low: f32, high: f32) -> f32 {
        mix(low, high, self.unit())
    }

    /// A number in `-size..size`, small ones likelier.
    pub(super) fn spread(&mut self, size: f32) -> f32 {
        (self.unit() - self.unit()) * size
    }

    /// Whether an event of this probability happens.
    pub(super) fn chance(&mut self, probability: f32) -> bool {
        self.unit() < probability
    }

    /// A point inside the unit ball.
    pub(super) fn in_ball(&mut self) -> Vec3 {
        for _ in 0..8 {
            let point = vec3(self.range(-1.0, 1.0), self.range(-1.0, 1.0), self.range(-1.0, 1.0));
            if point.dot(point) <= 1.0 {
                return point;
            }
        }
        Vec3::default()
    }

    /// A child generator, for a part whose number of draws must not shift its neighbours.
    pub(super) fn fork(&mut self) -> Self {
        self.0 = self.0.wrapping_add(0x9e37_79b9);
        Self::new(self.0)
    }
}

/// The whole number below `x` and the rest, without a call into the platform's library.
fn split(x: f32) -> (i32, f32) {
    let whole = x as i32;
    let whole = if (whole as f32) > x { whole - 1 } else { whole };
    (whole, x - whole as f32)
}

/// Smooth noise with unit lattice spacing, in about `-1..1`, mean 0.
pub(super) fn gradient(x: f32, y: f32, seed: u32) -> f32 {
    let ((left, dx), (top, dy)) = (split(x), split(y));
    let corner = |right: i32, down: i32| {
        let bits = lattice(left + right, top + down, seed);
        let slope_x = (bits & 0xffff) as f32 * (2.0 / 65_535.0) - 1.0;
        let slope_y = (bits >> 16) as f32 * (2.0 / 65_535.0) - 1.0;
        slope_x * (dx - right as f32) + slope_y * (dy - down as f32)
    };
    let fade = |t: f32| t * t * t * (t * (t * 6.0 - 15.0) + 10.0);
    let above = mix(corner(0, 0), corner(1, 0), fade(dx));
    let below = mix(corner(0, 1), corner(1, 1), fade(dx));
    mix(above, below, fade(dy)) * 1.5
}

/// Gradient noise summed over octaves, each half as large and half as strong; in about `-1..1`.
pub(super) fn fbm(x: f32, y: f32, octaves: u32, seed: u32) -> f32 {
    let (mut sum, mut weight, mut scale) = (0.0, 0.55, 1.0);
    for octave in 0..octaves {
        sum += weight * gradient(x * scale + 17.3 * octave as f32, y * scale, seed.wrapping_add(octave));
        weight *= 0.5;
        scale *= 2.03;
    }
    sum
}

/// Gradient noise folded at zero, which makes sharp crests; in `0..1`, summed over octaves.
pub(super) fn ridged(x: f32, y: f32, octaves: u32, seed: u32) -> f32 {
    let (mut sum, mut weight, mut scale) = (0.0, 0.5, 1.0);
    for octave in 0..octaves {
        let crest = 1.0 - gradient(x * scale, y * scale, seed.wrapping_add(octave)).abs();
        sum += weight * crest * crest;
        weight *= 0.5;
        scale *= 2.1;
    }
    sum
}

/// The cell of a jittered grid that a point falls into.
pub(super) struct Cell {
    /// A random number in `0..1` that belongs to the cell.
    pub(super) value: f32,
    /// The distance to the border with the next cell, in lattice units (approximate).
    pub(super) border: f32,
}

/// Irregular cells, one for each unit square (a Voronoi diagram).
pub(super) fn cells(x: f32, y: f32, seed: u32) -> Cell {
    let ((ix, _), (iy, _)) = (split(x), split(y));
    let (mut first, mut second, mut value) = (9.0_f32, 9.0_f32, 0.0);
    for cy in iy - 1..=iy + 1 {
        for cx in ix - 1..=ix + 1 {
            let px = cx as f32 + 0.1 + 0.8 * cell_value(cx, cy, seed);
            let py = cy as f32 + 0.1 + 0.8 * cell_value(cx, cy, seed ^ 0x55);
            let distance = ((px - x) * (px - x) + (py - y) * (py - y)).sqrt();
            if distance < first {
                second = first;
                first = distance;
                value = cell_value(cx, cy, seed ^ 0xaa);
            } else if distance < second {
                second = distance;
            }
        }
    }
    Cell { value, border: (second - first) * 0.5 }
}

/// A cube of billowing noise that tiles in every direction.
pub(super) struct Billows {
    voxels: Vec<f32>,
}

impl Billows {
    /// Voxels along an edge; a power of two.
    const SIZE: i32 = 64;

    pub(super) fn new() -> Self {
        let size = Self::SIZE;
        let mut voxels = Vec::with_capacity((size * size * size) as usize);
        for z in 0..size {
            for y in 0..size {
                for x in 0..size {
                    let place = vec3(x as f32, y as f32, z as f32) * (1.0 / size as f32);
                    let octave = |cells| 1.0 - nearest_dot(place, cells);
                    voxels.push(octave(4) * 0.56 + octave(8) * 0.29 + octave(16) * 0.15);
                }
            }
        }
        Self { voxels }
    }

    /// The noise at a point, the cube being one unit long; in about `0..1`, with round bulges.
    pub(super) fn at(&self, place: Vec3) -> f32 {
        let p = place * Self::SIZE as f32;
        let mask = Self::SIZE - 1;
        let ((x, tx), (y, ty), (z, tz)) = (split(p.x), split(p.y), split(p.z));
        let columns = [x & mask, (x + 1) & mask];
        let line = |y: i32, z: i32| {
            let row = ((z & mask) * Self::SIZE + (y & mask)) * Self::SIZE;
            mix(self.voxels[(row + columns[0]) as usize], self.voxels[(row + columns[1]) as usize], tx)
        };
        mix(mix(line(y, z), line(y + 1, z), ty), mix(line(y, z + 1), line(y + 1, z + 1), ty), tz)
    }
}

/// The distance from a point of the unit cube to the nearest of one random dot in each of `cells`^3 cells,
/// in cell lengths, at most 1; tiles.
fn nearest_dot(place: Vec3, cells: i32) -> f32 {
    let p = place * cells as f32;
    let ((ix, _), (iy, _), (iz, _)) = (split(p.x), split(p.y), split(p.z));
    let mut best = 1.0_f32;
    for z in iz - 1..=iz + 1 {
        for y in iy - 1..=iy + 1 {
            for x in ix - 1..=ix + 1 {
                let slab = (z & (cells - 1)) * 64 + (y & (cells - 1));
                let bits = lattice(x & (cells - 1), slab, cells as u32);
                let jitter = |shift: u32| ((bits >> shift) & 1023) as f32 * (1.0 / 1023.0);
                let dot = vec3(x as f32 + jitter(0), y as f32 + jitter(10), z as f32 + jitter(20));
                let gap = dot - p;
                best = best.min(gap.dot(gap));
            }
        }
    }
    best.sqrt()
}
