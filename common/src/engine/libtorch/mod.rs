//! Painting by libtorch, on a GPU: in half precision, and in bands where the whole picture does not fit.
//!
//! Networks of other families than the default one are painted by the plain pass, whole.

mod layers;

#[cfg(test)]
mod tests;

use std::ops::Range;

use pixel::Picture;
use tch::{Device, Kind, Tensor};

use self::layers::{Conv, DoublingConv, Moments, Norm, Part};
use super::{Band, PaintError};
use crate::channels_last::channels_last;
use crate::memory;
use crate::net::{InputSpace, OutputRange, Padding, StyleNet, Upsample, inner_side, reflect_to};
use crate::space::byte_rgb_from_picture;

/// A style network on a GPU.
pub(super) struct LibtorchEngine {
    net: StyleNet,
    kind: Kind,
    layers: Option<Layers>,
}

/// Those of the default family.
struct Layers {
    conv1: (Conv, Norm),
    conv2: (Conv, Norm),
    conv3: (Conv, Norm),
    blocks: Vec<[(Conv, Norm); 2]>,
    up1: (DoublingConv, Norm),
    up2: (DoublingConv, Norm),
    last: Conv,
    bias: Tensor,
}

/// The fewest rows of a band, at quarter resolution: below that the picture is too large.
const SMALLEST_BAND: i64 = 8;

impl LibtorchEngine {
    /// Computes in `kind`, with the statistics of norms in f32 or better.
    pub(super) fn new(net: StyleNet, kind: Kind) -> Self {
        let config = net.config();
        let is_default_family = (config.upsample, config.padding) == (Upsample::Nearest, Padding::Reflect);
        let layers = is_default_family.then(|| Layers::prepare(&net, kind));
        Self { net, kind, layers }
    }

    pub(super) fn paint(&self, photo: &Picture, receive: &mut dyn FnMut(Band<'_>)) -> Result<(), PaintError> {
        let _guard = tch::no_grad_guard();
        let Some(layers) = &self.layers else {
            let byte_rgb = byte_rgb_from_picture(photo, self.net.device());
            let painted = self.net.forward(&byte_rgb);
            hand_over(&painted, 0, photo, receive);
            return Ok(());
        };
        let mut band = (inner_side(i64::from(photo.height())) / 4).max(SMALLEST_BAND);
        loop {
            let mut rows_done = 0;
            let mut counted = |band: Band<'_>| {
                rows_done += band.rows;
                receive(band);
            };
            match memory::catching(|| self.paint_in_bands(layers, photo, band, &mut counted)) {
                Ok(()) => return Ok(()),
                // Once rows have been handed over, memory was enough for the largest band.
                Err(_) if band > SMALLEST_BAND && rows_done == 0 => {
                    band = (band / 2).max(SMALLEST_BAND);
                }
                Err(words) => {
                    return Err(PaintError::Device {
                        width: photo.width(),
                        height: photo.height(),
                        reason: words.lines().next().unwrap_or_default().to_owned(),
                    });
                }
            }
        }
    }

    /// With bands of `band` rows at quarter resolution: what is larger is made again for each norm that needs it, if there
    /// are several.
    fn paint_in_bands(&self, layers: &Layers, photo: &Picture, band: i64, receive: &mut dyn FnMut(Band<'_>)) {
        let config = self.net.config();
        let (height, width) = (i64::from(photo.height()), i64::from(photo.width()));
        let byte_rgb = byte_rgb_from_picture(photo, self.net.device());
        let inner = reflect_to(&reflect_to(&byte_rgb, 2, inner_side(height)), 3, inner_side(width));
        let inner = match config.input {
            InputSpace::ByteRgb => inner,
            InputSpace::ByteBgr => inner.flip([1]),
            InputSpace::UnitRgb => inner / 255.0,
        };
        let height = inner.size()[2];
        let input = Part { values: channels_last(&inner, self.kind), rows: 0..height, height };
        let pass = Pass { layers, kind: self.kind, quarter_height: height / 4, band };
        let quarter = pass.blocks(pass.shrink(&input));
        let mut paint = |rows: Range<i64>, full: &Part| {
            let y = layers.last.forward(full, rows.clone()).values.to_kind(Kind::Float) + &layers.bias;
            let painted = match config.output {
                OutputRange::Linear => y,
                OutputRange::Tanh150 => y.tanh() * 150.0 + 127.5,
            };
            let painted = if config.input == InputSpace::ByteBgr { painted.flip([1]) } else { painted };
            hand_over(&painted, rows.start, photo, receive);
        };
        pass.enlarge(&quarter, i64::from(photo.height()), &mut paint);
    }
}

impl Layers {
    fn prepare(net: &StyleNet, kind: Kind) -> Self {
        let (parameters, eps) = (net.parameters(), net.config().norm_eps);
        let normed = |conv: &str, norm: &str, stride| {
            (Conv::new(parameters, conv, stride, kind), Norm::new(parameters, norm, eps))
        };
        let blocks = (1..=net.config().residual_blocks).map(|block| {
            [1, 2].map(|half| normed(&format!("res{block}.conv{half}"), &format!("res{block}.in{half}"), 1))
        });
        let doubling = |conv: &str, norm: &str| {
            (DoublingConv::new(parameters, conv, kind), Norm::new(parameters, norm, eps))
        };
        Self {
            conv1: normed("conv1", "in1", 1),
            conv2: normed("conv2", "in2", 2),
            conv3: normed("conv3", "in3", 2),
            blocks: blocks.collect(),
            up1: doubling("deconv1", "in4"),
            up2: doubling("deconv2", "in5"),
            last: Conv::new(parameters, "deconv3", 1, kind),
            bias: parameters.get("deconv3.conv2d.bias").view([1, 3, 1, 1]),
        }
    }
}

/// One picture's way through the layers.
struct Pass<'a> {
    layers: &'a Layers,
    kind: Kind,
    quarter_height: i64,
    band: i64,
}

impl Pass<'_> {
    fn bands(&self) -> impl Iterator<Item = Range<i64>> + use<> {
        let (height, band) = (self.quarter_height, self.band);
        (0..height).step_by(band as usize).map(move |start| start..height.min(start + band))
    }

    /// Makes all rows band by band, and norms them when their statistics are known: those of a single band at once, those of
    /// several made once more by whoever needs them.
    fn norm_over(&self, norm: &Norm, mut rows_of: impl FnMut(Range<i64>) -> Part) -> layers::Folded {
        let moments = self.bands().map(|band| Moments::of(&rows_of(band))).reduce(Moments::merge);
        norm.fold(&moments.expect("a picture has rows"), self.kind)
    }

    fn shrink(&self, input: &Part) -> Part {
        let Layers { conv1, conv2, conv3, .. } = self.layers;
        let height = input.height;
        if self.band >= self.quarter_height {
            let mut part = None;
            for (conv, norm) in [conv1, conv2, conv3] {
                let from = part.as_ref().unwrap_or(input);
                let made = conv.forward(from, 0..from.height / conv.stride());
                let folded = norm.fold(&Moments::of(&made), self.kind);
                part = Some(folded.apply_with_relu(made));
            }
            return part.expect("three layers");
        }
        let in1 = self.norm_over(&conv1.1, |band| conv1.0.forward(input, scaled(&band, 4)));
        let first = |rows: &Range<i64>| {
            let needed = conv2.0.needed_rows(rows, height);
            in1.apply_with_relu(conv1.0.forward(input, needed))
        };
        let in2 = self.norm_over(&conv2.1, |band| {
            let rows = scaled(&band, 2);
            conv2.0.forward(&first(&rows), rows)
        });
        let parts: Vec<Part> = self
            .bands()
            .map(|band| {
                let needed = conv3.0.needed_rows(&band, height / 2);
                let second = in2.apply_with_relu(conv2.0.forward(&first(&needed), needed));
                conv3.0.forward(&second, band)
            })
            .collect();
        let made = together(parts);
        conv3.1.fold(&Moments::of(&made), self.kind).apply_with_relu(made)
    }

    /// At quarter resolution pictures are kept whole.
    fn blocks(&self, mut x: Part) -> Part {
        for block in &self.layers.blocks {
            let mut made = None;
            for (index, (conv, norm)) in block.iter().enumerate() {
                let from = made.as_ref().unwrap_or(&x);
                let next = self.conv_in_bands(conv, from);
                let folded = norm.fold(&Moments::of(&next), self.kind);
                made = Some(if index == 0 { folded.apply_with_relu(next) } else { folded.apply(next) });
            }
            x.values += made.expect("two convolutions").values;
        }
        x
    }

    fn conv_in_bands(&self, conv: &Conv, from: &Part) -> Part {
        if self.band >= self.quarter_height {
            return conv.forward(from, 0..from.height);
        }
        together(self.bands().map(|band| conv.forward(from, band)).collect())
    }

    fn enlarge(&self, quarter: &Part, photo_height: i64, paint: &mut dyn FnMut(Range<i64>, &Part)) {
        let Layers { up1, up2, last, .. } = self.layers;
        let height = 4 * self.quarter_height;
        if self.band >= self.quarter_height {
            let mut part = None;
            for (conv, norm) in [up1, up2] {
                let from = part.as_ref().unwrap_or(quarter);
                let made = conv.forward(from, &(0..from.height));
                let folded = norm.fold(&Moments::of(&made), self.kind);
                part = Some(folded.apply_with_relu(made));
            }
            paint(0..photo_height, &part.expect("two layers"));
            return;
        }
        let in4 = self.norm_over(&up1.1, |band| up1.0.forward(quarter, &band));
        // Of rows at half resolution, what becomes of them.
        let full = |rows: &Range<i64>| {
            let needed = (rows.start - 1).max(0)..(rows.end + 1).min(height / 2);
            let from = needed.start / 2..(needed.end + 1) / 2;
            up2.0.forward(&in4.apply_with_relu(up1.0.forward(quarter, &from)), rows)
        };
        let in5 = self.norm_over(&up2.1, |band| full(&scaled(&band, 2)));
        for band in self.bands() {
            let rows = scaled(&band, 4);
            let rows = rows.start..rows.end.min(photo_height);
            if rows.is_empty() {
                break;
            }
            let needed = last.needed_rows(&rows, height);
            let part = full(&(needed.start / 2..(needed.end + 1) / 2));
            paint(rows, &in5.apply_with_relu(part));
        }
    }
}

/// Parts that follow each other, as one.
fn together(parts: Vec<Part>) -> Part {
    let rows = parts[0].rows.start..parts[parts.len() - 1].rows.end;
    let height = parts[0].height;
    let values: Vec<Tensor> = parts.into_iter().map(|part| part.values).collect();
    Part { values: Tensor::cat(&values, 2), rows, height }
}

fn scaled(rows: &Range<i64>, factor: i64) -> Range<i64> {
    rows.start * factor..rows.end * factor
}

/// Hands rows `[1, 3, rows, inner width]` over, cut to the photo's size.
fn hand_over(painted: &Tensor, first_row: i64, photo: &Picture, receive: &mut dyn FnMut(Band<'_>)) {
    let rows = painted.size()[2].min(i64::from(photo.height()) - first_row);
    let planes = painted.narrow(2, 0, rows).narrow(3, 0, i64::from(photo.width()));
    let planes = planes.to_kind(Kind::Float).to_device(Device::Cpu).contiguous();
    let mut values = vec![0.0f32; planes.numel()];
    let count = values.len();
    planes.copy_data(&mut values, count);
    receive(Band { first_row: first_row as u32, rows: rows as u32, width: photo.width(), planes: &values });
}
