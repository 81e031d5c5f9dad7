//! From layer to layer, whole or in bands of rows.

use std::ops::Range;

use tch::{Kind, Tensor};

use super::Layers;
use super::layers::{Conv, Folded, Moments, Norm, Part};
use super::norms::BatchNorms;

/// The way of one picture, or of several of one size, through the layers.
pub(super) struct Pass<'a> {
    pub(super) layers: &'a Layers,
    pub(super) kind: Kind,
    pub(super) quarter_height: i64,
    /// Rows of a band at quarter resolution.
    pub(super) band: i64,
}

impl Pass<'_> {
    fn bands(&self) -> impl Iterator<Item = Range<i64>> + use<> {
        let (height, band) = (self.quarter_height, self.band);
        (0..height).step_by(band as usize).map(move |start| start..height.min(start + band))
    }

    /// Makes all rows band by band, and norms them when their statistics are known: those of a single band at once, those of
    /// several made once more by whoever needs them.
    fn norm_over(
        &self,
        norm: &Norm,
        norms: &mut BatchNorms<'_>,
        mut rows_of: impl FnMut(Range<i64>) -> Part,
    ) -> Folded {
        let moments = self.bands().map(|band| Moments::of(&rows_of(band))).reduce(Moments::merge);
        let statistics = moments.expect("a picture has rows").statistics();
        norm.fold(&norms.settle(statistics), self.kind)
    }

    fn norm_of(&self, norm: &Norm, norms: &mut BatchNorms<'_>, made: &Part) -> Folded {
        norm.fold(&norms.settle(Moments::of(made).statistics()), self.kind)
    }

    pub(super) fn shrink(&self, input: &Part, norms: &mut BatchNorms<'_>) -> Part {
        let Layers { conv1, conv2, conv3, .. } = self.layers;
        let height = input.height;
        if self.band >= self.quarter_height {
            let mut part = None;
            for (conv, norm) in [conv1, conv2, conv3] {
                let from = part.as_ref().unwrap_or(input);
                let made = conv.forward(from, 0..from.height / conv.stride());
                let folded = self.norm_of(norm, norms, &made);
                part = Some(folded.apply_with_relu(made));
            }
            return part.expect("three layers");
        }
        let in1 = self.norm_over(&conv1.1, norms, |band| conv1.0.forward(input, scaled(&band, 4)));
        let first = |rows: &Range<i64>| {
            let needed = conv2.0.needed_rows(rows, height);
            in1.apply_with_relu(conv1.0.forward(input, needed))
        };
        let in2 = self.norm_over(&conv2.1, norms, |band| {
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
        self.norm_of(&conv3.1, norms, &made).apply_with_relu(made)
    }

    /// At quarter resolution pictures are kept whole.
    pub(super) fn blocks(&self, mut x: Part, norms: &mut BatchNorms<'_>) -> Part {
        for block in &self.layers.blocks {
            let mut made = None;
            for (index, (conv, norm)) in block.iter().enumerate() {
                let from = made.as_ref().unwrap_or(&x);
                let next = self.conv_in_bands(conv, from);
                let folded = self.norm_of(norm, norms, &next);
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

    /// From quarter resolution to what the last convolution sees; `paint` makes the painting's rows of it.
    pub(super) fn enlarge(
        &self,
        quarter: &Part,
        norms: &mut BatchNorms<'_>,
        photo_height: i64,
        paint: &mut dyn FnMut(Range<i64>, &Part),
    ) {
        let Layers { up1, up2, last, .. } = self.layers;
        let height = 4 * self.quarter_height;
        if self.band >= self.quarter_height {
            let mut part = None;
            for (conv, norm) in [up1, up2] {
                let from = part.as_ref().unwrap_or(quarter);
                let made = conv.forward(from, &(0..from.height));
                let folded = self.norm_of(norm, norms, &made);
                part = Some(folded.apply_with_relu(made));
            }
            paint(0..photo_height, &part.expect("two layers"));
            return;
        }
        let in4 = self.norm_over(&up1.1, norms, |band| up1.0.forward(quarter, &band));
        // Of rows at half resolution, what becomes of them.
        let full = |rows: &Range<i64>| {
            let needed = (rows.start - 1).max(0)..(rows.end + 1).min(height / 2);
            let from = needed.start / 2..(needed.end + 1) / 2;
            up2.0.forward(&in4.apply_with_relu(up1.0.forward(quarter, &from)), rows)
        };
        let in5 = self.norm_over(&up2.1, norms, |band| full(&scaled(&band, 2)));
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
