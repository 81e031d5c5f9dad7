//! What the blend goes by: where each point was in the last frame, and how far that can be trusted.

use super::SteadyOptions;
use crate::estimate::{Field, Level};

/// Steps of what is known at the size that flow is looked at: u and v in the pixels of the frame, then how much is kept.
pub(super) type Cell = [f32; 4];

/// A grid of cells over a frame.
#[derive(Debug, Default)]
pub(super) struct Guide {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) cells: Vec<Cell>,
    kept: Vec<f32>,
}

/// The most that going there and back may miss the start by, squared and in pixels of the level, beside a hundredth of the way
/// squared (Sundaram's test).
const MOST_GAP_SQUARED: f32 = 0.5;

impl Guide {
    /// Judges the motion `there` from `now` to `before` by the motion `back` and by brightness. `scale` is the pixels of the
    /// frame for each of the level.
    pub(super) fn fill(
        &mut self,
        (now, before): (&Level, &Level),
        (there, back): (&Field, &Field),
        scale: f32,
        options: &SteadyOptions,
    ) {
        (self.width, self.height) = (there.width, there.height);
        self.cells.clear();
        self.kept.clear();
        let still = options.still_below_px / scale;
        let per_difference = 1.0 / options.photo_tolerance.powi(2);
        for y in 0..self.height {
            let own = &now.grey[now.place(0, y)..][..self.width];
            for (x, &brightness) in own.iter().enumerate() {
                let place = y * self.width + x;
                let (mut u, mut v) = (there.u[place], there.v[place]);
                let way = u * u + v * v;
                if way < still * still {
                    (u, v) = (0.0, 0.0);
                }
                let (at_x, at_y) = (x as f32 + u, y as f32 + v);
                let mut kept = 0.0;
                if at_x > -0.5
                    && at_y > -0.5
                    && at_x < self.width as f32 - 0.5
                    && at_y < self.height as f32 - 0.5
                {
                    let landed = (at_y + 0.5) as usize * self.width + (at_x + 0.5) as usize;
                    let (back_u, back_v) = (back.u[landed], back.v[landed]);
                    let gap = (u + back_u).powi(2) + (v + back_v).powi(2);
                    let allowed = 0.01 * (way + back_u * back_u + back_v * back_v) + MOST_GAP_SQUARED;
                    let difference = before.between(at_x, at_y) - brightness;
                    let alike = 1.0 / (1.0 + (difference * difference * per_difference).powi(2));
                    let strength = if way < still * still { options.still } else { options.moving };
                    if gap < allowed {
                        kept = strength * alike;
                    }
                }
                self.cells.push([u * scale, v * scale, 0.0, 0.0]);
                self.kept.push(kept);
            }
        }
        self.erode();
    }

    /// A cell keeps no more than those around it: what is beside a border of motion is not trusted.
    fn erode(&mut self) {
        let width = self.width;
        for y in 0..self.height {
            let rows = [y.saturating_sub(1), y, (y + 1).min(self.height - 1)]
                .map(|row| &self.kept[row * width..(row + 1) * width]);
            let column = |x: usize| rows[0][x].min(rows[1][x]).min(rows[2][x]);
            let cells = &mut self.cells[y * width..(y + 1) * width];
            let (mut left, mut own) = (column(0), column(0));
            for (x, cell) in cells.iter_mut().enumerate() {
                let right = column((x + 1).min(width - 1));
                cell[2] = left.min(own).min(right);
                (left, own) = (own, right);
            }
        }
    }
}
