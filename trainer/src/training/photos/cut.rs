//! Cutting and resizing on the device, as `pixel`'s bilinear filter does on the host: a triangle as wide as one pixel of
//! the result, at least as one of the photo, that looks beyond the crop where the photo goes on.
//!
//! The filter is separable, so that a crop is `rows * photo * columns^T` with one banded matrix for each direction. The
//! matrices are made on the device from three numbers each, and crops of photos of all sizes are cut together.

use common::space::upload;
use datasets::CropPlan;
use tch::{Device, Kind, Tensor};

/// Cuts `side` x `side` crops, as planned, out of photos `[3, height, width]` whose short side has `side * zoom` pixels,
/// bytes on the device. They come as `byte_rgb` `[n, 3, side, side]`, not rounded. Nothing waits for the device.
pub(super) fn cut_crops(photos: &[(Tensor, CropPlan)], side: u32, zoom: f64, device: Device) -> Tensor {
    let count = photos.len() as i64;
    let reach = reach_px(zoom);
    // All of the short side at the most, and one pixel for a start between two.
    let window = (f64::from(side) * zoom) as i64 + 1 + 2 * reach;
    let windows = Tensor::zeros([count, 3, window, window], (Kind::Float, device));
    let mut samplings = Vec::with_capacity(photos.len() * 2 * Sampling::NUMBERS);
    for (place, (photo, plan)) in photos.iter().enumerate() {
        let (_, height, width) = photo.size3().expect("a photo has three dimensions");
        let region = plan.region(width as u32, height as u32);
        let (top, rows) = taps_around(region.y, height, reach, window);
        let (left, columns) = taps_around(region.x, width, reach, window);
        let needed = photo.narrow(1, top, rows).narrow(2, left, columns);
        windows.get(place as i64).narrow(1, 0, rows).narrow(2, 0, columns).copy_(&needed);

        let step = region.width / f64::from(side);
        let down = Sampling { start: region.y - top as f64, step, taps: rows };
        let across = Sampling { start: region.x - left as f64, step, taps: columns };
        samplings.extend(down.numbers());
        samplings.extend(if plan.is_mirrored() { across.mirrored(side) } else { across }.numbers());
    }
    let samplings = Tensor::from_slice(&samplings).view([count, 2, Sampling::NUMBERS as i64]);
    let weights = triangle_weights(&upload(&samplings, device), side, window);
    let (rows, columns) = (weights.narrow(1, 0, 1), weights.narrow(1, 1, 1));
    rows.matmul(&windows).matmul(&columns.transpose(-1, -2))
}

/// How many pixels of a photo the filter may look beyond either end of a crop: half of what a pixel of the crop covers,
/// which is `zoom` of the photo's at the most.
fn reach_px(zoom: f64) -> i64 {
    (zoom / 2.0).ceil() as i64
}

/// The first pixel that the filter may look at and how many there are, at most `window`, of a crop that starts at `start`
/// in a photo of `length` pixels; `reach` as [`reach_px`] says.
fn taps_around(start: f64, length: i64, reach: i64, window: i64) -> (i64, i64) {
    let first = (start.floor() as i64 - reach).max(0);
    (first, window.min(length - first))
}

/// Where the pixels of a crop lie among its taps, in one direction.
#[derive(Clone, Copy)]
struct Sampling {
    /// The edge where the crop begins.
    start: f64,
    /// From one pixel to the next; negative for a mirrored crop.
    step: f64,
    /// How many taps there are.
    taps: i64,
}

impl Sampling {
    const NUMBERS: usize = 3;

    fn mirrored(self, side: u32) -> Self {
        Self { start: self.start + self.step * f64::from(side), step: -self.step, ..self }
    }

    fn numbers(self) -> [f32; Self::NUMBERS] {
        [self.start as f32, self.step as f32, self.taps as f32]
    }
}

/// What each of `window` taps counts in each of `side` pixels, `[n, 2, side, window]`, for `[n, 2, 3]` samplings.
fn triangle_weights(samplings: &Tensor, side: u32, window: i64) -> Tensor {
    let number = |which| samplings.narrow(2, which, 1).unsqueeze(-1);
    let (start, step, taps) = (number(0), number(1), number(2));
    let centres = |count: i64| Tensor::arange(count, (Kind::Float, samplings.device())) + 0.5;
    let tap = centres(window);
    let pixel = centres(i64::from(side)).unsqueeze(-1) * &step + start;
    let distance = (&tap - pixel).abs() / step.abs().clamp_min(1.0);
    let triangle: Tensor = 1.0 - distance;
    let weights = triangle.clamp_min(0.0) * tap.lt_tensor(&taps);
    let sum = weights.sum_dim_intlist([-1i64].as_slice(), /* keepdim = */ true, Kind::Float);
    weights / sum
}
