//! Motion at one size of the pyramid: searched patch by patch, then blended for each pixel, as in Kroeger et al. (Fast Optical
//! Flow using Dense Inverse Search, ECCV 2016). Candidates from neighbouring patches are ours.

use super::Settings;
use super::level::Level;
use super::patch::{SIDE, Template};

/// The motion of each pixel of a level, in its pixels.
#[derive(Debug, Default)]
pub(crate) struct Field {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) u: Vec<f32>,
    pub(crate) v: Vec<f32>,
}

/// Where patches lie along one side of a level, and their buffers.
#[derive(Debug, Default)]
pub(super) struct Search {
    motions: Vec<[f32; 2]>,
    misfits: Vec<f32>,
    weights: Vec<f32>,
}

/// A step shorter than this, squared and in pixels, ends the search.
const SHORT_STEP_SQUARED: f32 = 0.03 * 0.03;

impl Search {
    /// The field from `from` to `to`, beginning with that of the next smaller level where there is one.
    pub(super) fn run(
        &mut self,
        from: &Level,
        to: &Level,
        coarser: Option<&Field>,
        settings: &Settings,
        field: &mut Field,
    ) {
        let grid = Grid::new(from, settings.patch_spacing);
        self.motions.clear();
        self.misfits.clear();
        for row in 0..grid.rows {
            for column in 0..grid.columns {
                self.search_patch(from, to, coarser, settings, &grid, (column, row));
            }
        }
        self.propagate_back(from, to, &grid);
        self.densify(from, to, &grid, field);
    }

    /// Starts from the best of what the coarser level says and what was found to the left and above.
    fn search_patch(
        &mut self,
        from: &Level,
        to: &Level,
        coarser: Option<&Field>,
        settings: &Settings,
        grid: &Grid,
        (column, row): (usize, usize),
    ) {
        let (x, y) = grid.corner(column, row);
        let template = Template::new(from, x, y);
        let at = |[u, v]: [f32; 2]| (x as f32 + u, y as f32 + v);
        let misfit = |motion| {
            let (x, y) = at(motion);
            template.misfit(to, x, y)
        };
        let mut start = coarser.map_or([0.0; 2], |field| field.doubled(x + SIDE / 2, y + SIDE / 2));
        let place = self.motions.len();
        let neighbours = [(column > 0).then_some(1), (row > 0).then_some(grid.columns)];
        if neighbours != [None; 2] {
            let mut least = misfit(start);
            for motion in neighbours.into_iter().flatten().map(|back| self.motions[place - back]) {
                let found = if motion == start { least } else { misfit(motion) };
                if found < least {
                    (start, least) = (motion, found);
                }
            }
        }
        let (mut motion, mut best) = (start, (start, f32::INFINITY));
        for _ in 0..settings.steps {
            let (x, y) = at(motion);
            let (step, misfit) = template.step(to, x, y);
            if misfit < best.1 {
                best = (motion, misfit);
            }
            motion = [motion[0] + step[0], motion[1] + step[1]];
            if square(motion[0] - start[0], motion[1] - start[1]) > (SIDE * SIDE) as f32 {
                motion = best.0;
                break;
            }
            if square(step[0], step[1]) < SHORT_STEP_SQUARED {
                break;
            }
        }
        let (x, y) = at(motion);
        let misfit = template.misfit(to, x, y);
        let found = if misfit <= best.1 { (motion, misfit) } else { best };
        self.motions.push(found.0);
        self.misfits.push(found.1);
    }

    /// Offers each patch what was found to the right and below.
    fn propagate_back(&mut self, from: &Level, to: &Level, grid: &Grid) {
        for row in (0..grid.rows).rev() {
            for column in (0..grid.columns).rev() {
                let place = row * grid.columns + column;
                let own = self.motions[place];
                let neighbours = [
                    (column + 1 < grid.columns).then_some(place + 1),
                    (row + 1 < grid.rows).then_some(place + grid.columns),
                ];
                let others = neighbours.map(|place| place.map(|place| self.motions[place]));
                // What nearly is the same gains nothing.
                let differs = |motion: &[f32; 2]| square(motion[0] - own[0], motion[1] - own[1]) > 0.25;
                if !others.iter().flatten().any(differs) {
                    continue;
                }
                let (x, y) = grid.corner(column, row);
                let template = Template::new(from, x, y);
                for motion in others.into_iter().flatten().filter(differs) {
                    let misfit = template.misfit(to, x as f32 + motion[0], y as f32 + motion[1]);
                    if misfit < self.misfits[place] {
                        (self.motions[place], self.misfits[place]) = (motion, misfit);
                    }
                }
            }
        }
    }

    /// Each pixel gets the mean of the patches over it, weighed by how well each fits there.
    fn densify(&mut self, from: &Level, to: &Level, grid: &Grid, field: &mut Field) {
        let (width, height) = (from.width, from.height);
        field.clear(width, height);
        self.weights.clear();
        self.weights.resize(width * height, 0.0);
        for row in 0..grid.rows {
            for column in 0..grid.columns {
                let (x, y) = grid.corner(column, row);
                let [u, v] = self.motions[row * grid.columns + column];
                let template = Template::new(from, x, y);
                let columns = SIDE.min(width - x);
                template.for_each_row(to, x as f32 + u, y as f32 + v, |line, difference| {
                    if y + line >= height {
                        return;
                    }
                    let first = (y + line) * width + x;
                    let shares = difference.map(|difference| 1.0 / difference.abs().max(1.0));
                    let fields = [&mut field.u, &mut field.v, &mut self.weights];
                    for (target, factor) in fields.into_iter().zip([u, v, 1.0]) {
                        for (value, share) in target[first..first + columns].iter_mut().zip(shares) {
                            *value += share * factor;
                        }
                    }
                });
            }
        }
        for ((u, v), weight) in field.u.iter_mut().zip(&mut field.v).zip(&self.weights) {
            let share = 1.0 / weight;
            *u *= share;
            *v *= share;
        }
    }
}

impl Field {
    fn clear(&mut self, width: usize, height: usize) {
        (self.width, self.height) = (width, height);
        for values in [&mut self.u, &mut self.v] {
            values.clear();
            values.resize(width * height, 0.0);
        }
    }

    /// The motion at a pixel of the next larger level, in its pixels.
    fn doubled(&self, x: usize, y: usize) -> [f32; 2] {
        let place = (y / 2).min(self.height - 1) * self.width + (x / 2).min(self.width - 1);
        [2.0 * self.u[place], 2.0 * self.v[place]]
    }
}

/// Where the patches lie: evenly spaced, the last ones at the right and lower border.
struct Grid {
    columns: usize,
    rows: usize,
    spacing: usize,
    last_x: usize,
    last_y: usize,
}

impl Grid {
    fn new(level: &Level, spacing: usize) -> Self {
        let last = |length: usize| length.saturating_sub(SIDE);
        let count = |length: usize| last(length).div_ceil(spacing) + 1;
        Self {
            columns: count(level.width),
            rows: count(level.height),
            spacing,
            last_x: last(level.width),
            last_y: last(level.height),
        }
    }

    fn corner(&self, column: usize, row: usize) -> (usize, usize) {
        ((column * self.spacing).min(self.last_x), (row * self.spacing).min(self.last_y))
    }
}

fn square(u: f32, v: f32) -> f32 {
    u * u + v * v
}
