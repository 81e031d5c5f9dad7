//! [`SceneCuts`]: where one shot ends and the next begins.

use std::collections::VecDeque;

use pixel::{Filter, Picture};

/// Size of the small pictures that frames are compared by.
const WIDTH: usize = 48;
const HEIGHT: usize = 27;
/// How far a frame may have moved as a whole from the one before, in pixels of the small picture.
const FARTHEST_X: usize = 12;
const FARTHEST_Y: usize = 6;
/// Steps of each colour in the histogram.
const STEPS: usize = 5;
/// Below both of these it is a cut. Within four test sequences the greater of the two was at least 0.95 from frame to frame, and
/// 0.85 over six frames at once; of 99 pairs of unrelated photos two had one above.
const LEAST_LIKENESS: f32 = 0.75;
const LEAST_SHARED_COLOURS: f32 = 0.75;
/// Variance of brightness that noise alone may have; below, there is nothing to compare.
const NOISE_VARIANCE: f32 = 4.0;
/// A frame is compared with this many before it: after a flash, things look as before it.
const REMEMBERED: usize = 2;

/// Finds the cuts of a film, frame by frame, by small pictures.
///
/// It is a cut where a frame neither shows what one of the last two frames did, moved as a whole by up to a quarter of the frame
/// and lightened or darkened, nor has their colours.
#[derive(Debug, Default)]
pub struct SceneCuts {
    last: VecDeque<Thumbnail>,
}

impl SceneCuts {
    /// At the start of a film.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether the next frame is the first one of a new shot. A film's first frame is none.
    pub fn is_cut(&mut self, frame: &Picture) -> bool {
        let now = Thumbnail::new(frame);
        let is_cut = !self.last.is_empty() && !self.last.iter().any(|before| before.is_like(&now));
        self.last.truncate(REMEMBERED - 1);
        self.last.push_front(now);
        is_cut
    }
}

/// What a frame looks like from afar.
#[derive(Debug)]
struct Thumbnail {
    /// `[HEIGHT, WIDTH]`
    grey: Vec<f32>,
    /// Shares of the colours.
    histogram: [f32; STEPS * STEPS * STEPS],
}

impl Thumbnail {
    fn new(frame: &Picture) -> Self {
        let small =
            frame.resize(WIDTH as u32, HEIGHT as u32, Filter::Box).expect("sides of more than nothing");
        let mut histogram = [0.0; STEPS * STEPS * STEPS];
        let share = 1.0 / (WIDTH * HEIGHT) as f32;
        let mut grey = Vec::with_capacity(WIDTH * HEIGHT);
        for &[red, green, blue] in small.rgb().as_chunks::<3>().0 {
            let [red, green, blue] = [red, green, blue].map(f32::from);
            grey.push(0.299 * red + 0.587 * green + 0.114 * blue);
            // A colour counts for the steps around it, so that a small change of light changes little.
            let [red, green, blue] = [red, green, blue].map(|value| value / 255.001 * (STEPS - 1) as f32);
            for corner in 0..8_usize {
                let mut place = 0;
                let mut weight = share;
                for (bit, value) in [red, green, blue].into_iter().enumerate() {
                    let (below, above) = (value as usize, (corner >> bit) & 1);
                    let rest = value - below as f32;
                    weight *= if above == 1 { rest } else { 1.0 - rest };
                    place = place * STEPS + below + above;
                }
                histogram[place] += weight;
            }
        }
        Self { grey, histogram }
    }

    fn is_like(&self, other: &Self) -> bool {
        self.shared_colours(other) > LEAST_SHARED_COLOURS || self.likeness(other) > LEAST_LIKENESS
    }

    /// The share of pixels that have the same colours, wherever they are.
    fn shared_colours(&self, other: &Self) -> f32 {
        self.histogram.iter().zip(&other.histogram).map(|(own, other)| own.min(*other)).sum()
    }

    /// The correlation of brightness, -1..1, at the shift where it is highest.
    fn likeness(&self, other: &Self) -> f32 {
        let ways = |farthest: usize| -(farthest as isize)..=farthest as isize;
        ways(FARTHEST_Y)
            .flat_map(|y| ways(FARTHEST_X).map(move |x| (x, y)))
            .map(|(x, y)| self.correlation(other, x, y))
            .fold(-1.0, f32::max)
    }

    fn correlation(&self, other: &Self, x: isize, y: isize) -> f32 {
        let overlap = |length: usize, way: isize| (length - way.unsigned_abs(), way.max(0), (-way).max(0));
        let (width, own_x, other_x) = overlap(WIDTH, x);
        let (height, own_y, other_y) = overlap(HEIGHT, y);
        let (mut a, mut b, mut aa, mut ab, mut bb) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for row in 0..height {
            let own = &self.grey[(own_y as usize + row) * WIDTH + own_x as usize..][..width];
            let other = &other.grey[(other_y as usize + row) * WIDTH + other_x as usize..][..width];
            for (&own, &other) in own.iter().zip(other) {
                a += own;
                b += other;
                aa += own * own;
                ab += own * other;
                bb += other * other;
            }
        }
        let count = (width * height) as f32;
        let (a, b) = (a / count, b / count);
        let noise = NOISE_VARIANCE;
        (ab / count - a * b) / ((aa / count - a * a + noise) * (bb / count - b * b + noise)).sqrt()
    }
}

#[cfg(test)]
mod tests;
