//! The layers of the default family (nearest upsampling, reflection) as libtorch operations over bands of rows.

use std::ops::Range;

use tch::{Kind, Tensor};

use crate::channels_last::channels_last;
use crate::net::{ChannelStatistics, Parameters, folded_upsampling};

/// Some rows of an activation, `[n, channels, rows, width]`, channels last.
pub(super) struct Part {
    pub(super) values: Tensor,
    /// Which rows of the picture.
    pub(super) rows: Range<i64>,
    /// Rows of the whole picture.
    pub(super) height: i64,
}

impl Part {
    /// Those of `rows` that are in the picture, with mirrored or repeated ones around where the picture ends, and `columns`
    /// more on both sides.
    fn continued(&self, rows: Range<i64>, columns: i64, is_mirrored: bool) -> Tensor {
        let (start, end) = (rows.start.max(0), rows.end.min(self.height));
        let inside = self.values.narrow(2, start - self.rows.start, end - start);
        let around = [columns, columns, start - rows.start, rows.end - end];
        if is_mirrored { inside.reflection_pad2d(around) } else { inside.replication_pad2d(around) }
    }
}

/// A convolution over a mirrored picture.
pub(super) struct Conv {
    weight: Tensor,
    kernel: i64,
    stride: i64,
}

impl Conv {
    pub(super) fn new(parameters: &Parameters, name: &str, stride: i64, kind: Kind) -> Self {
        let weight = parameters.get(&format!("{name}.conv2d.weight"));
        Self { kernel: weight.size()[3], weight: channels_last(&weight, kind), stride }
    }

    pub(super) fn stride(&self) -> i64 {
        self.stride
    }

    pub(super) fn needed_rows(&self, rows: &Range<i64>, height: i64) -> Range<i64> {
        let seen = self.seen_rows(rows);
        seen.start.max(0)..seen.end.min(height)
    }

    fn seen_rows(&self, rows: &Range<i64>) -> Range<i64> {
        let start = rows.start * self.stride - self.kernel / 2;
        start..start + (rows.end - rows.start - 1) * self.stride + self.kernel
    }

    /// Rows `rows` of the result, without bias.
    pub(super) fn forward(&self, input: &Part, rows: Range<i64>) -> Part {
        let continued = input.continued(self.seen_rows(&rows), self.kernel / 2, true);
        let values = continued.conv2d(&self.weight, None::<&Tensor>, self.stride, 0, 1, 1);
        Part { values, rows, height: input.height / self.stride }
    }
}

/// Enlarging by nearest neighbour and a convolution, as one convolution at the smaller size.
pub(super) struct DoublingConv {
    kernels: Tensor,
}

impl DoublingConv {
    pub(super) fn new(parameters: &Parameters, name: &str, kind: Kind) -> Self {
        let weight = parameters.get(&format!("{name}.conv2d.weight"));
        let sums = folded_upsampling::kernel_sums(weight.device());
        Self { kernels: folded_upsampling::four_kernels(&weight, &sums, kind) }
    }

    /// What becomes of rows `rows` of the input.
    pub(super) fn forward(&self, input: &Part, rows: &Range<i64>) -> Part {
        let continued = input.continued(rows.start - 1..rows.end + 1, 1, false);
        let parts =
            channels_last(&continued.conv2d(&self.kernels, None::<&Tensor>, 1, 0, 1, 1), continued.kind());
        Part {
            values: folded_upsampling::interleave(&parts),
            rows: 2 * rows.start..2 * rows.end,
            height: 2 * input.height,
        }
    }
}

/// An instance norm's parameters, f32 `[1, channels, 1, 1]`.
pub(super) struct Norm {
    scale: Tensor,
    shift: Tensor,
    eps: f64,
}

impl Norm {
    pub(super) fn new(parameters: &Parameters, name: &str, eps: f64) -> Self {
        let get = |which: &str| parameters.get(&format!("{name}.{which}")).view([1, -1, 1, 1]);
        Self { scale: get("weight"), shift: get("bias"), eps }
    }

    /// As one multiplication and one addition, for channels with these statistics.
    pub(super) fn fold(&self, statistics: &ChannelStatistics, kind: Kind) -> Folded {
        let factor = self.scale.to_kind(Kind::Double) * (&statistics.variance + self.eps).rsqrt();
        let offset = self.shift.to_kind(Kind::Double) - &statistics.mean * &factor;
        Folded { factor: factor.to_kind(kind), offset: offset.to_kind(kind) }
    }
}

/// A norm whose statistics are known, `[n, channels, 1, 1]`.
pub(super) struct Folded {
    factor: Tensor,
    offset: Tensor,
}

impl Folded {
    pub(super) fn apply(&self, part: Part) -> Part {
        Part { values: self.offset.addcmul(&part.values, &self.factor), ..part }
    }

    pub(super) fn apply_with_relu(&self, part: Part) -> Part {
        let mut part = self.apply(part);
        let _ = part.values.relu_();
        part
    }
}

/// Count, mean and sum of squared distances to the mean, f64 `[n, channels, 1, 1]`.
pub(super) struct Moments {
    count: i64,
    mean: Tensor,
    squares: Tensor,
}

impl Moments {
    pub(super) fn of(part: &Part) -> Self {
        let x = &part.values;
        let (_, _, rows, width) = x.size4().expect("four dimensions");
        let (count, pixels) = (rows * width, [2i64, 3]);
        let (mean, variance) = if x.kind() == Kind::Float {
            let (variance, mean) = x.var_mean_correction(pixels.as_slice(), 0, /*keepdim=*/ true);
            (mean, variance)
        } else {
            // Sums in f32 without a copy in f32.
            let mean = x.sum_dim_intlist(pixels.as_slice(), true, Kind::Float) / count as f64;
            let norm = x.norm_scalaropt_dim_dtype(2, pixels.as_slice(), true, Kind::Float);
            let variance = (norm.square() / count as f64 - mean.square()).clamp_min(0.0);
            (mean, variance)
        };
        Self {
            count,
            mean: mean.to_kind(Kind::Double),
            squares: variance.to_kind(Kind::Double) * count as f64,
        }
    }

    pub(super) fn statistics(self) -> ChannelStatistics {
        ChannelStatistics { mean: self.mean, variance: self.squares / self.count as f64 }
    }

    /// Chan, Golub and LeVeque (1979).
    pub(super) fn merge(self, other: Self) -> Self {
        let count = self.count + other.count;
        let (distance, share) = (other.mean - &self.mean, other.count as f64 / count as f64);
        Self {
            count,
            squares: self.squares + other.squares + distance.square() * (self.count as f64 * share),
            mean: self.mean + distance * share,
        }
    }
}
