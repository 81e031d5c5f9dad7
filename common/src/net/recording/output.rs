//! The last convolution, from many channels to three, taken apart by rows.
//!
//! A convolution has no speed with three results. So each row of the 9x9 kernel makes three channels of its own, 27 in
//! one 1x9 convolution, and the rows' results are summed up where they meet.

use tch::{Kind, Tensor};

use crate::channels_last::{channels_last, from_rows};

/// Channels of the 1x9 convolution: 27, and unused ones up to what matrix units take at once.
const ROW_CHANNELS: i64 = 32;

/// The kernel by rows, `[32, inputs, 1, k]`, of a weight `[3, inputs, k, k]`.
pub(super) fn row_kernels(weight: &Tensor, kind: Kind) -> Tensor {
    let (outputs, inputs, kernel, _) = weight.size4().expect("four dimensions");
    let used = kernel * outputs;
    let kernels = Tensor::zeros([ROW_CHANNELS, inputs, 1, kernel], (weight.kind(), weight.device()));
    let by_rows = weight.permute([2, 0, 1, 3]).reshape([used, inputs, 1, kernel]);
    kernels.narrow(0, 0, used).copy_(&by_rows);
    channels_last(&kernels, kind)
}

/// From the gradient with respect to [`row_kernels`], that with respect to the weight `[3, inputs, k, k]`.
pub(super) fn weight_gradient(gradient: &Tensor) -> Tensor {
    let (_, inputs, _, kernel) = gradient.size4().expect("four dimensions");
    let by_rows = gradient.narrow(0, 0, kernel * 3).reshape([kernel, 3, inputs, kernel]);
    by_rows.permute([1, 2, 0, 3])
}

/// The rows' results `[n, 32, h + k - 1, w]`, channels last, seen by the pixel that they go to: `[n, h, w, k, 3]`.
fn by_target(rows: &Tensor, kernel: i64) -> Tensor {
    let (n, channels, height, width) = rows.size4().expect("four dimensions");
    let row = width * channels;
    rows.as_strided(
        [n, height - kernel + 1, width, kernel, 3],
        [height * row, row, channels, row + 3, 1],
        None,
    )
}

/// The convolution's result `[n, h, w, 3]`, f32, from that of the rows.
pub(super) fn sum_of_rows(rows: &Tensor, kernel: i64) -> Tensor {
    by_target(&rows.to_kind(Kind::Float), kernel).sum_dim_intlist(
        [3i64].as_slice(),
        /*keepdim=*/ false,
        Kind::Float,
    )
}

/// The gradient with respect to the rows' results, from that with respect to the convolution's, f32 `[n, h, w, 3]`.
pub(super) fn row_gradient(gradient: &Tensor, kernel: i64, kind: Kind) -> Tensor {
    let (n, height, width, _) = gradient.size4().expect("four dimensions");
    let rows = Tensor::zeros([n, height + kernel - 1, width, ROW_CHANNELS], (kind, gradient.device()));
    let rows = from_rows(&rows);
    let mut targets = by_target(&rows, kernel);
    targets.copy_(&gradient.to_kind(kind).unsqueeze(3).expand_as(&targets));
    rows
}
