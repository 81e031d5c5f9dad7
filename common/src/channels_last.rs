//! The memory format that networks train in where nothing faster is known: channels last, where matrix units find what they multiply side by
//! side. Shapes stay `[n, c, h, w]`; only the strides differ.

use tch::{Device, Kind, Tensor};

/// The same values as `kind` with channels last; a view where they are so already.
pub(crate) fn channels_last(x: &Tensor, kind: Kind) -> Tensor {
    from_rows(&x.permute([0, 2, 3, 1]).to_kind(kind).contiguous())
}

/// Uninitialised, of shape `[n, c, h, w]`.
pub(crate) fn empty_channels_last([n, c, h, w]: [i64; 4], kind: Kind, device: Device) -> Tensor {
    from_rows(&Tensor::empty([n, h, w, c], (kind, device)))
}

/// `[n, h, w, c]` seen as `[n, c, h, w]`.
pub(crate) fn from_rows(rows: &Tensor) -> Tensor {
    rows.permute([0, 3, 1, 2])
}

/// `[n, c, h, w]`, in either memory format, seen as `[n, h * w, c]`.
pub(crate) fn pixels(x: &Tensor) -> Tensor {
    x.permute([0, 2, 3, 1]).flatten(1, 2)
}

/// The sum over each channel's pixels of `[n, c, h, w]`, channels last if not f32: `[n, c, 1, 1]`, f32.
pub(crate) fn pixel_sums(x: &Tensor) -> Tensor {
    if x.kind() == Kind::Float || x.device().is_cuda() {
        return x.sum_dim_intlist([2i64, 3].as_slice(), /*keepdim=*/ true, Kind::Float);
    }
    // A CPU's matrix unit sums each row up in f32, several times as fast as libtorch's reduction; the rows' sums, each
    // rounded on its own, are added in f32.
    let (n, c, height, width) = x.size4().expect("four dimensions");
    let rows = x.permute([0, 2, 3, 1]).reshape([n * height, width, c]);
    let row_sums = Tensor::ones([n * height, 1, width], (x.kind(), x.device())).bmm(&rows);
    let row_sums = row_sums.to_kind(Kind::Float).view([n, height, c]);
    row_sums.sum_dim_intlist([1i64].as_slice(), /*keepdim=*/ false, Kind::Float).view([n, c, 1, 1])
}
