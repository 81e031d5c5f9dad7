//! The blend itself: the last result is fetched from where each point was, and mixed into the new painting.

use super::guide::{Cell, Guide};

/// A pixel as four numbers, of which the last is not used: one vector register.
pub(super) type Pixel = [f32; 4];

/// Blends rows of `painted` (`[height, width, 3]` bytes) with `before` into `result`, and writes what is shown back to
/// `painted`. `scale` is the pixels for each cell of the guide.
pub(super) fn blend(
    (width, height): (usize, usize),
    guide: &Guide,
    scale: usize,
    before: &[Pixel],
    painted: &mut [u8],
    result: &mut Vec<Pixel>,
) {
    result.clear();
    let mut cells: Vec<Cell> = Vec::with_capacity(guide.width);
    let step = 1.0 / scale as f32;
    for (y, row) in painted.chunks_exact_mut(3 * width).enumerate() {
        cells.clear();
        let (above, below, share) = neighbours(y, step, guide.height);
        let above = &guide.cells[above * guide.width..][..guide.width];
        let below = &guide.cells[below * guide.width..][..guide.width];
        cells.extend(above.iter().zip(below).map(|(above, below)| mix(above, below, share)));
        for (x, bytes) in row.as_chunks_mut::<3>().0.iter_mut().enumerate() {
            let (left, right, share) = neighbours(x, step, guide.width);
            let [u, v, kept, _] = mix(&cells[left], &cells[right], share);
            let new = [f32::from(bytes[0]), f32::from(bytes[1]), f32::from(bytes[2]), 0.0];
            let pixel = if kept < 0.01 {
                new
            } else {
                let old = if u == 0.0 && v == 0.0 {
                    before[y * width + x]
                } else {
                    fetch(before, (width, height), x as f32 + u, y as f32 + v)
                };
                mix(&new, &old, kept)
            };
            // Sharper fetching may leave 0..255 a little; the cast saturates.
            *bytes = [pixel[0], pixel[1], pixel[2]].map(|value| (value + 0.5) as u8);
            result.push(pixel);
        }
    }
}

/// The cells on both sides of a pixel, and the share of the second one.
fn neighbours(pixel: usize, step: f32, cells: usize) -> (usize, usize, f32) {
    let place = ((pixel as f32 + 0.5) * step - 0.5).max(0.0);
    let first = (place as usize).min(cells - 1);
    (first, (first + 1).min(cells - 1), place - first as f32)
}

fn mix(from: &Pixel, to: &Pixel, share: f32) -> Pixel {
    std::array::from_fn(|i| from[i] + (to[i] - from[i]) * share)
}

/// A pixel between others, by a cubic (a = -0.5), which blurs less than a straight line where it is done over and over. Held
/// inside the frame.
fn fetch(pixels: &[Pixel], (width, height): (usize, usize), x: f32, y: f32) -> Pixel {
    let x = x.clamp(0.0, (width - 1) as f32);
    let y = y.clamp(0.0, (height - 1) as f32);
    let (left, top) = (x as usize, y as usize);
    let (across, down) = (cubic(x - left as f32), cubic(y - top as f32));
    let is_inside = left >= 1 && top >= 1 && left + 2 < width && top + 2 < height;
    let mut sum = [0.0; 4];
    for (row, share) in down.into_iter().enumerate() {
        let line: [Pixel; 4] = if is_inside {
            let first = (top + row - 1) * width + left - 1;
            *pixels[first..].first_chunk().expect("two more columns")
        } else {
            let y = (top + row).saturating_sub(1).min(height - 1);
            std::array::from_fn(|i| pixels[y * width + (left + i).saturating_sub(1).min(width - 1)])
        };
        for channel in 0..4 {
            let mixed = line[0][channel] * across[0]
                + line[1][channel] * across[1]
                + line[2][channel] * across[2]
                + line[3][channel] * across[3];
            sum[channel] += mixed * share;
        }
    }
    sum
}

/// The shares of the pixels at -1, 0, 1 and 2 for a place between 0 and 1.
fn cubic(t: f32) -> [f32; 4] {
    let (t2, t3) = (t * t, t * t * t);
    [-0.5 * t + t2 - 0.5 * t3, 1.0 - 2.5 * t2 + 1.5 * t3, 0.5 * t + 2.0 * t2 - 1.5 * t3, -0.5 * t2 + 0.5 * t3]
}
