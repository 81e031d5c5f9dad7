//! Brightness of a frame at one size, with room around it, and the pyramid of sizes.

use pixel::Picture;

/// Pixels around a level that repeat its border: patches may stand out by as much.
pub(super) const MARGIN: usize = 16;

/// Brightness at one size, 0..255, and its slopes.
#[derive(Debug, Default)]
pub(crate) struct Level {
    pub(super) width: usize,
    pub(super) height: usize,
    /// From one row to the next in the fields below, which have a margin around.
    pub(super) stride: usize,
    pub(crate) grey: Vec<f32>,
    /// How brightness rises to the right and downwards, for each pixel of way.
    pub(super) slope_x: Vec<f32>,
    pub(super) slope_y: Vec<f32>,
}

/// A frame at sizes that halve, the largest first.
#[derive(Debug, Default)]
pub(super) struct Pyramid {
    pub(super) levels: Vec<Level>,
    /// How often the frame was halved for the first level.
    pub(super) halvings: u32,
    scratch: Vec<f32>,
}

impl Pyramid {
    /// Takes another frame, from the size that so many `halvings` leave downwards, until a side is below `shortest`.
    pub(super) fn fill(&mut self, photo: &Picture, halvings: u32, shortest: usize) {
        let (mut width, mut height) = (photo.width() as usize, photo.height() as usize);
        self.halvings = halvings;
        if halvings == 0 {
            self.scratch.clear();
            self.scratch.extend(photo.rgb().as_chunks::<3>().0.iter().copied().map(luma));
        } else {
            halve_photo(photo, &mut self.scratch);
            (width, height) = (width.div_ceil(2), height.div_ceil(2));
        }
        for _ in 1..halvings {
            let halved = halve(&self.scratch, width, width, height);
            (width, height) = (width.div_ceil(2), height.div_ceil(2));
            self.scratch = halved;
        }
        let mut count = 1;
        while (width.min(height) >> count) >= shortest {
            count += 1;
        }
        self.levels.resize_with(count, Level::default);
        self.levels[0].fill(width, height, &self.scratch);
        for level in 1..count {
            let (larger, smaller) = self.levels.split_at_mut(level);
            let larger = &larger[level - 1];
            let halved =
                halve(&larger.grey[larger.place(0, 0)..], larger.stride, larger.width, larger.height);
            smaller[0].fill(larger.width.div_ceil(2), larger.height.div_ceil(2), &halved);
        }
    }
}

impl Level {
    /// Where a pixel lies in the fields with a margin.
    pub(crate) fn place(&self, x: usize, y: usize) -> usize {
        (y + MARGIN) * self.stride + x + MARGIN
    }

    /// Brightness between pixels, linear; 0, 0 is the centre of the first one. At most a pixel outside.
    pub(crate) fn between(&self, x: f32, y: f32) -> f32 {
        let (x, y) = (x + MARGIN as f32, y + MARGIN as f32);
        let (left, top) = (x as usize, y as usize);
        let (share_x, share_y) = (x - left as f32, y - top as f32);
        let first = top * self.stride + left;
        let lerp = |from: f32, to: f32, share: f32| from + (to - from) * share;
        let above = lerp(self.grey[first], self.grey[first + 1], share_x);
        let below = lerp(self.grey[first + self.stride], self.grey[first + self.stride + 1], share_x);
        lerp(above, below, share_y)
    }

    fn fill(&mut self, width: usize, height: usize, values: &[f32]) {
        (self.width, self.height, self.stride) = (width, height, width + 2 * MARGIN);
        let (stride, rows) = (self.stride, height + 2 * MARGIN);
        self.grey.resize(stride * rows, 0.0);
        for row in 0..rows {
            let from = row.saturating_sub(MARGIN).min(height - 1) * width;
            let source = &values[from..from + width];
            let target = &mut self.grey[row * stride..(row + 1) * stride];
            target[..MARGIN].fill(source[0]);
            target[MARGIN..MARGIN + width].copy_from_slice(source);
            target[MARGIN + width..].fill(source[width - 1]);
        }
        self.slope_x.resize(stride * rows, 0.0);
        self.slope_y.resize(stride * rows, 0.0);
        for row in 1..rows - 1 {
            let inner = row * stride + 1..(row + 1) * stride - 1;
            let length = inner.len();
            let [left, right, above, below] =
                [inner.start - 1, inner.start + 1, inner.start - stride, inner.start + stride]
                    .map(|start| &self.grey[start..start + length]);
            let (along, down) = (&mut self.slope_x[inner.clone()], &mut self.slope_y[inner]);
            for x in 0..length {
                along[x] = 0.5 * (right[x] - left[x]);
                down[x] = 0.5 * (below[x] - above[x]);
            }
        }
    }
}

/// Luma (BT.601, as films have it) of R, G and B.
fn luma([red, green, blue]: [u8; 3]) -> f32 {
    0.299 * f32::from(red) + 0.587 * f32::from(green) + 0.114 * f32::from(blue)
}

/// The luma of a photo at half its size: means of 2x2 pixels, at odd ends of those there are.
fn halve_photo(photo: &Picture, halved: &mut Vec<f32>) {
    let (width, height) = (photo.width() as usize, photo.height() as usize);
    let pixels = photo.rgb().as_chunks::<3>().0;
    halved.clear();
    for y in 0..height.div_ceil(2) {
        let above = &pixels[2 * y * width..(2 * y + 1) * width];
        let bottom = (2 * y + 1).min(height - 1);
        let below = &pixels[bottom * width..(bottom + 1) * width];
        let pairs = above.as_chunks::<2>().0.iter().zip(below.as_chunks::<2>().0);
        halved.extend(pairs.map(|([a, b], [c, d])| {
            let [red, green, blue] = std::array::from_fn(|channel| {
                u16::from(a[channel]) + u16::from(b[channel]) + u16::from(c[channel]) + u16::from(d[channel])
            });
            0.25 * (0.299 * f32::from(red) + 0.587 * f32::from(green) + 0.114 * f32::from(blue))
        }));
        if width % 2 == 1 {
            halved.push(0.5 * (luma(above[width - 1]) + luma(below[width - 1])));
        }
    }
}

/// A field at half its size, as [`halve_photo`].
fn halve(values: &[f32], stride: usize, width: usize, height: usize) -> Vec<f32> {
    let mut halved = Vec::with_capacity(width.div_ceil(2) * height.div_ceil(2));
    for y in 0..height.div_ceil(2) {
        let bottom = (2 * y + 1).min(height - 1);
        let above = &values[2 * y * stride..2 * y * stride + width];
        let below = &values[bottom * stride..bottom * stride + width];
        let pairs = above.as_chunks::<2>().0.iter().zip(below.as_chunks::<2>().0);
        halved.extend(pairs.map(|([a, b], [c, d])| 0.25 * (a + b + c + d)));
        if width % 2 == 1 {
            halved.push(0.5 * (above[width - 1] + below[width - 1]));
        }
    }
    halved
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_halve_upwards_and_means_stay() {
        let photo = Picture::from_rgb(75, 41, vec![90; 75 * 41 * 3]).unwrap();
        for (halvings, sizes) in [(0, &[(75, 41), (38, 21), (19, 11)][..]), (2, &[(19, 11)])] {
            let mut pyramid = Pyramid::default();
            pyramid.fill(&photo, halvings, 8);
            let found: Vec<_> = pyramid.levels.iter().map(|level| (level.width, level.height)).collect();
            assert_eq!(found, sizes);
            for level in &pyramid.levels {
                assert!(level.grey.iter().all(|&grey| (grey - 90.0).abs() < 1e-3));
            }
        }
    }

    #[test]
    fn halving_is_the_mean_and_the_margin_repeats_the_border() {
        let grey = |value: u8| [value; 3];
        let photo = Picture::from_rgb(3, 2, [0, 40, 80, 20, 60, 100].map(grey).concat()).unwrap();
        let mut pyramid = Pyramid::default();
        pyramid.fill(&photo, 1, 8);
        let level = &pyramid.levels[0];
        let row = &level.grey[level.place(0, 0)..][..2];
        assert!((row[0] - 30.0).abs() < 1e-3 && (row[1] - 90.0).abs() < 1e-3, "{row:?}");
        assert_eq!(level.grey[0], row[0]);
        assert_eq!(level.grey.last(), Some(&row[1]));
        assert!((level.slope_x[level.place(0, 0)] - 30.0).abs() < 1e-3, "towards the right, over two pixels");
    }
}
