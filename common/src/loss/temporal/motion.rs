//! Random motions of photos, as between two frames of a film.

use std::f64::consts::TAU;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use tch::{Device, Kind, Tensor};

use crate::space::upload;

/// Sides are measured by this one: what is said in pixels holds for crops of it, and grows with larger ones.
const REFERENCE_PX: f64 = 256.0;
/// Up to so many pixels to each side: the camera turns.
const SHIFT_PX: f64 = 10.0;
/// Up to such a part larger or smaller: the camera comes closer or goes away.
const ZOOM: f64 = 0.05;
/// Up to such an angle, in radians: a hand is not steady.
const TURN: f64 = 0.03;
/// Deviation of what the corners of a coarse grid are moved by, in pixels: things move each in their own way. ReReVST has 8 on
/// a grid three times as fine, which it blurs.
const BEND_PX: f64 = 4.0;
/// Corners of the coarse grid a side. The farthest that two neighbours drift apart stays well below the width of a mesh, 85
/// pixels, so that nothing folds.
const BEND_CORNERS: i64 = 4;

/// `grid_sampler`'s codes.
const BILINEAR: i64 = 0;
const REFLECT: i64 = 2;

/// What a motion is drawn for: the same key gives the same motion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MotionKey {
    /// The training's seed.
    pub seed: u64,
    /// The step, from 1.
    pub step: u64,
    /// The batch in the step.
    pub batch: u64,
}

/// A motion of each picture of a batch, and noise for the moved ones.
///
/// The moved picture shows at `(x, y)` what the picture has at `(x, y) + displacement(x, y)`, in between pixels bilinearly,
/// beyond the frame mirrored, as the network continues its input.
pub struct Motion {
    /// `[n, 2, h, w]`, x before y, in pixels.
    displacement: Tensor,
    /// Where to look, as `grid_sampler` counts: -1..1 from the first pixel's centre to the last one's. `[n, h, w, 2]`.
    places: Tensor,
    /// 1 where the place lies in the frame, else 0. `[n, 1, h, w]`.
    visible: Tensor,
    /// `[n, 3, h, w]`, `byte_rgb`.
    noise: Option<Tensor>,
}

impl Motion {
    /// Draws a motion for each of `count` pictures of `height` x `width` pixels: a third of them are shifted by whole pixels,
    /// which leaves them as sharp as they are, a third is zoomed, turned and shifted, a third bends smoothly and is shifted.
    /// Each goes at a speed of its own, from none to the full. Moved photos get noise of a deviation of its own for each,
    /// from none to `noise` (in `byte_rgb`).
    pub fn draw(key: MotionKey, [count, height, width]: [i64; 3], noise: f64, device: Device) -> Self {
        let mut draw = Draw::new(key);
        let scale = height.min(width) as f64 / REFERENCE_PX;
        let (mut affine, mut bends) = (Vec::new(), Vec::new());
        let mut deviations = Vec::new();
        for _ in 0..count {
            let kind = draw.below(3);
            let speed = draw.unit();
            let mut shift = [0; 2].map(|_| draw.symmetric() * SHIFT_PX * scale * speed);
            let mut turn = [[0.0, 0.0], [0.0, 0.0]];
            let mut corners = [0.0f32; (2 * BEND_CORNERS * BEND_CORNERS) as usize];
            match kind {
                0 => shift = shift.map(f64::round),
                1 => {
                    let zoom = 1.0 + draw.symmetric() * ZOOM * speed;
                    let (sin, cos) = (draw.symmetric() * TURN * speed).sin_cos();
                    turn = [[zoom * cos - 1.0, -zoom * sin], [zoom * sin, zoom * cos - 1.0]];
                    // About a point of the middle half.
                    let about =
                        [width, height].map(|side| (0.5 + 0.25 * draw.symmetric()) * (side - 1) as f64);
                    for (shift, row) in shift.iter_mut().zip(turn) {
                        *shift -= row[0] * about[0] + row[1] * about[1];
                    }
                }
                _ => corners = corners.map(|_| (draw.normal() * BEND_PX * scale * speed) as f32),
            }
            for (row, shift) in turn.into_iter().zip(shift) {
                affine.extend([row[0], row[1], shift].map(|value| value as f32));
            }
            bends.extend(corners);
            deviations.push((draw.unit() * noise) as f32);
        }
        let noise = (noise > 0.0).then(|| {
            let values = draw.even_bytes((count * 3 * height * width) as usize);
            let values = upload(&Tensor::from_slice(&values), device).view([count, 3, height, width]);
            // Evenly in 0..=255, whose deviation is sqrt((256^2 - 1) / 12), to a mean of 0 and a deviation of 1.
            let even = (values.to_kind(Kind::Float) - 127.5) / (65_535.0f64 / 12.0).sqrt();
            even * upload(&Tensor::from_slice(&deviations), device).view([count, 1, 1, 1])
        });
        let affine = upload(&Tensor::from_slice(&affine), device).view([count, 2, 3]);
        let bends = upload(&Tensor::from_slice(&bends), device).view([count, 2, BEND_CORNERS, BEND_CORNERS]);

        let pixels = pixel_places(height, width, device); // [2, h, w]
        let with_one = Tensor::cat(&[&pixels, &pixels.ones_like().narrow(0, 0, 1)], 0); // [3, h, w]
        let straight = affine.matmul(&with_one.flatten(1, 2)).view([count, 2, height, width]);
        let bent = bends.upsample_bicubic2d([height, width], /* align_corners = */ true, None, None);
        Self::new(straight + bent, noise)
    }

    /// A motion by its displacement `[n, 2, h, w]`, x before y, in pixels, and what is added to moved photos, `byte_rgb`
    /// `[n, 3, h, w]`.
    pub fn new(displacement: Tensor, noise: Option<Tensor>) -> Self {
        let (_, _, height, width) = displacement.size4().expect("displacement has four dimensions");
        let places = pixel_places(height, width, displacement.device()) + &displacement;
        let [x, y] = [0, 1].map(|axis| places.select(1, axis)); // each [n, h, w]
        // A hair of room for rounding.
        let inside =
            |place: &Tensor, side: i64| place.ge(-1e-4).logical_and(&place.le((side - 1) as f64 + 1e-4));
        let visible = inside(&x, width).logical_and(&inside(&y, height)).to_kind(Kind::Float).unsqueeze(1);
        let counted = |place: &Tensor, side: i64| place * (2.0 / (side - 1).max(1) as f64) - 1.0;
        let places = Tensor::stack(&[counted(&x, width), counted(&y, height)], -1);
        Self { displacement, places, visible, noise }
    }

    /// The photos, `byte_rgb` `[n, 3, h, w]`, moved and with noise, in 0..255.
    pub fn move_photos(&self, photos: &Tensor) -> Tensor {
        let moved = self.warp(photos);
        match &self.noise {
            Some(noise) => (moved + noise).clamp(0.0, 255.0),
            None => moved,
        }
    }

    /// Pictures `[n, c, h, w]`, moved; differentiable.
    pub fn warp(&self, pictures: &Tensor) -> Tensor {
        pictures.grid_sampler(&self.places, BILINEAR, REFLECT, /* align_corners = */ true)
    }

    /// The motion of features at half the resolution, of which those are visible that have seen nothing but the frame, before
    /// the motion and after it: the network continues its input by zeros. `margin` is how many of them at an edge have not.
    pub(super) fn at_half(&self, margin: i64) -> Self {
        // A place's displacement is the mean of those of the four pixels that it lies between. Where the last row or column has no
        // partner, pooling leaves it out here as there.
        let half = Self::new(self.displacement.avg_pool2d(2, 2, 0, false, true, None) * 0.5, None);
        let (_, _, height, width) = half.displacement.size4().expect("displacement has four dimensions");
        let from_edge = |place: &Tensor, side: i64| {
            place.ge(margin as f64 - 1e-4).logical_and(&place.le((side - 1 - margin) as f64 + 1e-4))
        };
        let places = pixel_places(height, width, half.displacement.device()).unsqueeze(0);
        let looked_at = &places + &half.displacement;
        let visible = [places, looked_at].map(|places| {
            let [x, y] = [0, 1].map(|axis| places.narrow(1, axis, 1));
            from_edge(&x, width).logical_and(&from_edge(&y, height))
        });
        let visible = visible[0].logical_and(&visible[1]).to_kind(Kind::Float);
        Self { visible, ..half }
    }

    /// Where moved pictures look, relative to where they stand: `[n, 2, h, w]`, x before y, in pixels.
    pub fn displacement(&self) -> &Tensor {
        &self.displacement
    }

    /// 1 where a moved picture shows what is in the picture's frame, 0 where it looks beyond: `[n, 1, h, w]`.
    pub fn visible(&self) -> &Tensor {
        &self.visible
    }

    /// How many pixels of the batch are visible, at least 1, a scalar.
    pub(super) fn visible_pixels(&self) -> Tensor {
        self.visible.sum(Kind::Float).clamp_min(1.0)
    }
}

/// The place of each pixel, `[2, h, w]`, x before y.
fn pixel_places(height: i64, width: i64, device: Device) -> Tensor {
    let line = |side| Tensor::arange(side, (Kind::Float, device));
    let across = line(width).view([1, width]).expand([height, width], false);
    let down = line(height).view([height, 1]).expand([height, width], false);
    Tensor::stack(&[across, down], 0)
}

/// Drawing that does not change with a library's taste in sampling.
struct Draw(ChaCha8Rng);

impl Draw {
    /// ChaCha8 by name, with a key spelled out; the last word tells it apart from the stream of photos, whose is below 2.
    fn new(MotionKey { seed, step, batch }: MotionKey) -> Self {
        let mut bytes = [0; 32];
        for (bytes, word) in bytes.as_chunks_mut::<8>().0.iter_mut().zip([seed, step, batch, 2]) {
            *bytes = word.to_le_bytes();
        }
        Self(ChaCha8Rng::from_seed(bytes))
    }

    /// Uniform in `0.0..1.0`.
    fn unit(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Uniform in `-1.0..1.0`.
    fn symmetric(&mut self) -> f64 {
        self.unit() * 2.0 - 1.0
    }

    /// Uniform in `0..end`.
    fn below(&mut self, end: u64) -> u64 {
        (self.unit() * end as f64) as u64
    }

    /// Of the normal distribution with mean 0 and deviation 1 (Box and Muller 1958).
    fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        radius * (TAU * self.unit()).cos()
    }

    fn even_bytes(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        self.0.fill_bytes(&mut bytes);
        bytes
    }
}
