//! The fastest way: each layer's result whole, in memory.

use kernel::interleaved::{Rows, add_normalised, normalise};

use super::planes::PlaneStatistics;
use super::size::InnerSize;
use super::{Buffers, CpuEngine, CpuNorms, Photo, threads};
use crate::engine::{Band, LayerClock};

/// Values of the painting that are handed over at once.
const BAND_VALUES: usize = 12 << 20;

pub(super) fn paint(
    engine: &CpuEngine,
    photo: &Photo<'_>,
    buffers: &mut Buffers,
    mut norms: CpuNorms<'_>,
    clock: &mut LayerClock,
    receive: &mut dyn FnMut(Band<'_>),
) {
    let (layers, threads) = (&engine.layers, threads());
    let size @ InnerSize { height, width, .. } = photo.inner;
    let [full_values, half_values, quarter_values] = size.values();
    let Buffers { full, half, quarter } = buffers;
    let full = at_least(full, full_values);
    let half = at_least(half, half_values);
    let quarter = at_least(quarter, quarter_values);

    // The photo stands where the half resolution will be.
    let colours = &mut half[..3 * height * width];
    clock.skip();
    photo.fill_rows(&(0..height), colours, threads);
    let mut statistics = layers.conv1.statistics(height);
    let input = size.colours(colours, 0);
    layers.conv1.convolve(input, None, 0..height, full, Some(&mut statistics), threads);
    let norm = layers.conv1.norm(&statistics, &mut norms);
    clock.lap("conv1");

    let mut statistics = layers.conv2.statistics(height);
    let input = size.full(full, 0);
    layers.conv2.convolve(input, Some(&norm), 0..height / 2, half, Some(&mut statistics), threads);
    let norm = layers.conv2.norm(&statistics, &mut norms);
    clock.lap("conv2");

    let (height, width) = (height / 2, width / 2);
    let mut statistics = layers.conv3.statistics(height);
    let input = size.half(half, 0);
    layers.conv3.convolve(input, Some(&norm), 0..height / 2, quarter, Some(&mut statistics), threads);
    let (height, width) = (height / 2, width / 2);
    normalise(quarter, &layers.conv3.norm(&statistics, &mut norms), threads);
    clock.lap("conv3");

    // What the blocks' convolutions make stands where the half resolution will be, too.
    let (first, second) = half[..2 * quarter_values].split_at_mut(quarter_values);
    for block in &layers.blocks {
        let (mut made, mut next) = (&mut *first, &mut *second);
        let mut channels = size.quarter_channels;
        let mut norm = None;
        for (index, layer) in block.iter().enumerate() {
            let mut statistics = layer.statistics(height, width);
            let values = if index == 0 { &*quarter } else { &*made };
            let input = Rows { values, first: 0, height, width, channels };
            channels = layer.outputs();
            let output = &mut next[..height * width * channels];
            layer.convolve(input, norm.as_ref(), &(0..height), output, Some(&mut statistics), threads);
            norm = Some(layer.norm(&statistics, &mut norms));
            std::mem::swap(&mut made, &mut next);
        }
        add_normalised(quarter, made, &norm.expect("a block has layers"), threads);
    }
    clock.lap("residual blocks");

    let mut statistics = layers.up1.statistics(height, width);
    let input = size.quarter(quarter, 0);
    layers.up1.convolve(input, None, &(0..height), half, Some(&mut statistics), threads);
    let norm = layers.up1.norm(&statistics, &mut norms);
    clock.lap("deconv1");

    let (height, width) = (2 * height, 2 * width);
    let mut statistics = layers.up2.statistics(height, width);
    let input = size.half(half, 0);
    layers.up2.convolve(input, Some(&norm), &(0..height), full, Some(&mut statistics), threads);
    let norm = layers.up2.norm(&statistics, &mut norms);
    clock.lap("deconv2");

    let (height, width) = (2 * height, 2 * width);
    let input = size.full(full, 0);
    let last_norm = if layers.last.has_norm() {
        // There is room for the whole picture where the half resolution was.
        let planes = &mut half[..3 * height * width];
        layers.last.convolve(input, &norm, &(0..height), planes, threads);
        let mut statistics = PlaneStatistics::default();
        statistics.add(planes, width);
        layers.last.norm(&statistics, &mut norms)
    } else {
        None
    };
    let band_rows = (BAND_VALUES / (3 * width)).clamp(64, height.max(64));
    for start in (0..photo.height()).step_by(band_rows) {
        let rows = start..photo.height().min(start + band_rows);
        let planes = &mut half[..3 * rows.len() * width];
        layers.last.paint(input, &norm, last_norm.as_ref(), &rows, planes, threads);
        clock.lap("deconv3");
        photo.hand_over(&rows, planes, receive);
        clock.skip();
    }
    norms.keep();
}

/// At least `length` values; memory is kept from picture to picture.
fn at_least(buffer: &mut Vec<f32>, length: usize) -> &mut [f32] {
    if buffer.len() < length {
        // Zeroed by the system, where growing would copy.
        *buffer = Vec::new();
        *buffer = vec![0.0; length];
    }
    &mut buffer[..length]
}
