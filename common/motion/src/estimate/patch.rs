//! One patch of a frame, and how well it fits another frame somewhere.

use super::level::{Level, MARGIN};

/// Pixels a side of a patch.
pub(super) const SIDE: usize = 8;
const PIXELS: f32 = (SIDE * SIDE) as f32;

/// Added to the squares of slopes, so that a patch without structure stays where it is: the sum over a patch of squared slopes that
/// noise alone may have.
const NOISE: f32 = 0.5 * PIXELS;

/// A patch and its slopes.
pub(super) struct Template<'a> {
    level: &'a Level,
    first: usize,
    slope_sums: [f32; 2],
    /// The inverse of the 2x2 sums of products of slopes: xx, xy, yy.
    inverse: [f32; 3],
}

/// Sums over a patch of `difference` = the other frame less the template.
#[derive(Default)]
struct Sums {
    difference: f32,
    difference_squared: f32,
    by_slope_x: f32,
    by_slope_y: f32,
}

impl<'a> Template<'a> {
    /// The patch whose top left pixel is `x`, `y`.
    pub(super) fn new(level: &'a Level, x: usize, y: usize) -> Self {
        let first = level.place(x, y);
        let (mut sum_x, mut sum_y) = ([0.0; SIDE], [0.0; SIDE]);
        let (mut xx, mut xy, mut yy) = ([0.0; SIDE], [0.0; SIDE], [0.0; SIDE]);
        for row in 0..SIDE {
            let from = first + row * level.stride;
            let slope_x = eight(&level.slope_x, from);
            let slope_y = eight(&level.slope_y, from);
            for i in 0..SIDE {
                sum_x[i] += slope_x[i];
                sum_y[i] += slope_y[i];
                xx[i] += slope_x[i] * slope_x[i];
                xy[i] += slope_x[i] * slope_y[i];
                yy[i] += slope_y[i] * slope_y[i];
            }
        }
        let [sum_x, sum_y, xx, xy, yy] = [sum_x, sum_y, xx, xy, yy].map(|lanes| lanes.iter().sum::<f32>());
        // Brightness that changes as a whole is no motion: means are taken out.
        let xx = xx - sum_x * sum_x / PIXELS + NOISE;
        let xy = xy - sum_x * sum_y / PIXELS;
        let yy = yy - sum_y * sum_y / PIXELS + NOISE;
        let determinant = xx * yy - xy * xy;
        let inverse = [yy / determinant, -xy / determinant, xx / determinant];
        Self { level, first, slope_sums: [sum_x, sum_y], inverse }
    }

    /// The sum of squared differences from the patch of `other` whose top left corner lies at `x`, `y`, where means do not
    /// count.
    pub(super) fn misfit(&self, other: &Level, x: f32, y: f32) -> f32 {
        let mut sums = ([0.0; SIDE], [0.0; SIDE]);
        self.for_each_row(other, x, y, |_, difference| {
            for (i, difference) in difference.into_iter().enumerate() {
                sums.0[i] += difference;
                sums.1[i] += difference * difference;
            }
        });
        let (sum, squared): (f32, f32) = (sums.0.iter().sum(), sums.1.iter().sum());
        squared - sum * sum / PIXELS
    }

    /// The step from `x`, `y` towards where the patch fits better, and the misfit before it (Gauss and Newton's step of Baker
    /// and Matthews' inverse compositional search).
    pub(super) fn step(&self, other: &Level, x: f32, y: f32) -> ([f32; 2], f32) {
        let Sums { difference, difference_squared, by_slope_x, by_slope_y } = self.sums(other, x, y);
        let mean = difference / PIXELS;
        let along = by_slope_x - mean * self.slope_sums[0];
        let down = by_slope_y - mean * self.slope_sums[1];
        let [xx, xy, yy] = self.inverse;
        let step = [-(xx * along + xy * down), -(xy * along + yy * down)];
        (step, difference_squared - difference * mean)
    }

    /// Calls `row` with the row's number and the differences of its pixels.
    pub(super) fn for_each_row(
        &self,
        other: &Level,
        x: f32,
        y: f32,
        mut row: impl FnMut(usize, [f32; SIDE]),
    ) {
        let (first, shares) = corner(other, x, y);
        for number in 0..SIDE {
            let from = first + number * other.stride;
            let above = nine(&other.grey, from);
            let below = nine(&other.grey, from + other.stride);
            let own = eight(&self.level.grey, self.first + number * self.level.stride);
            row(
                number,
                std::array::from_fn(|i| {
                    shares[0] * above[i]
                        + shares[1] * above[i + 1]
                        + shares[2] * below[i]
                        + shares[3] * below[i + 1]
                        - own[i]
                }),
            );
        }
    }

    fn sums(&self, other: &Level, x: f32, y: f32) -> Sums {
        let mut lanes = [[0.0; SIDE]; 4];
        self.for_each_row(other, x, y, |row, difference| {
            let from = self.first + row * self.level.stride;
            let slope_x = eight(&self.level.slope_x, from);
            let slope_y = eight(&self.level.slope_y, from);
            for i in 0..SIDE {
                lanes[0][i] += difference[i];
                lanes[1][i] += difference[i] * difference[i];
                lanes[2][i] += difference[i] * slope_x[i];
                lanes[3][i] += difference[i] * slope_y[i];
            }
        });
        let [difference, difference_squared, by_slope_x, by_slope_y] =
            lanes.map(|lanes| lanes.iter().sum::<f32>());
        Sums { difference, difference_squared, by_slope_x, by_slope_y }
    }
}

/// Where the patch at `x`, `y` begins, and the shares of the four pixels around each of its points.
fn corner(level: &Level, x: f32, y: f32) -> (usize, [f32; 4]) {
    let margin = MARGIN as f32;
    // A patch needs one pixel more than its side.
    let last = |length: usize| (length + 2 * MARGIN - SIDE - 2) as f32;
    let x = (x + margin).clamp(0.0, last(level.width));
    let y = (y + margin).clamp(0.0, last(level.height));
    let (left, top) = (x as usize, y as usize);
    let (share_x, share_y) = (x - left as f32, y - top as f32);
    let shares = [
        (1.0 - share_x) * (1.0 - share_y),
        share_x * (1.0 - share_y),
        (1.0 - share_x) * share_y,
        share_x * share_y,
    ];
    (top * level.stride + left, shares)
}

fn eight(values: &[f32], from: usize) -> &[f32; SIDE] {
    values[from..].first_chunk().expect("the margin is wide enough")
}

fn nine(values: &[f32], from: usize) -> &[f32; SIDE + 1] {
    values[from..].first_chunk().expect("the margin is wide enough")
}
