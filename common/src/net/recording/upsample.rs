//! Enlarging by nearest neighbour and a 3x3 convolution, as one convolution at the smaller size.
//!
//! In the enlarged picture, the 3x3 pixels around one show only 2x2 different ones of the small picture. Which of the
//! kernel's columns fall onto which of them depends on whether the pixel's own place is even or odd. So each of the four
//! kinds of pixels has a 2x2 kernel of sums of the 3x3 kernel's entries, and all four are taken in one convolution with
//! four times the channels. Mirroring the enlarged picture shows what repeating the small one shows. The products are 4/9
//! of the plain form's.

use tch::{Device, Kind, Tensor};

use crate::channels_last::{channels_last, from_rows};

/// How the entries of a 3x3 kernel are summed up: `[9, 16]`, from `(row, column)` to
/// `(row parity, row of 2, column parity, column of 2)`.
pub(crate) fn kernel_sums(device: Device) -> Tensor {
    // For each parity and place, which of three entries fall there.
    const SUMS: [[f32; 3]; 4] = [[1.0, 0.0, 0.0], [0.0, 1.0, 1.0], [1.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
    let mut entries = Vec::with_capacity(9 * 16);
    for (row, column) in (0..3).flat_map(|row| (0..3).map(move |column| (row, column))) {
        for (down, across) in (0..4).flat_map(|down| (0..4).map(move |across| (down, across))) {
            entries.push(SUMS[down][row] * SUMS[across][column]);
        }
    }
    Tensor::from_slice(&entries).view([9, 16]).to_device(device)
}

/// The four 2x2 kernels of a 3x3 `weight` `[outputs, inputs, 3, 3]`, f32: `[4 outputs, inputs, 2, 2]`, by row parity, then
/// column parity.
pub(crate) fn four_kernels(weight: &Tensor, kernel_sums: &Tensor, kind: Kind) -> Tensor {
    let (outputs, inputs, _, _) = weight.size4().expect("four dimensions");
    let kernels = weight
        .reshape([outputs * inputs, 9])
        .matmul(kernel_sums)
        .view([outputs, inputs, 2, 2, 2, 2].as_slice())
        .permute([2, 4, 0, 1, 3, 5])
        .reshape([4 * outputs, inputs, 2, 2]);
    channels_last(&kernels, kind)
}

/// From the gradient with respect to [`four_kernels`], that with respect to the 3x3 weight, f32.
pub(super) fn weight_gradient(gradient: &Tensor, kernel_sums: &Tensor) -> Tensor {
    let (four_outputs, inputs, _, _) = gradient.size4().expect("four dimensions");
    let outputs = four_outputs / 4;
    gradient
        .to_kind(Kind::Float)
        .contiguous()
        .view([2, 2, outputs, inputs, 2, 2].as_slice())
        .permute([2, 3, 0, 4, 1, 5])
        .reshape([outputs * inputs, 16])
        .matmul(&kernel_sums.tr())
        .view([outputs, inputs, 3, 3])
}

/// `parts` `[n, 4 c, h + 1, w + 1]`, channels last, seen as the pixels of the enlarged picture:
/// `[n, h, 2, w, 2, c]`. The part of each parity starts where its 2x2 kernel stands.
fn as_pixels(parts: &Tensor) -> Tensor {
    let (n, four_c, height, width) = parts.size4().expect("four dimensions");
    let (pixel, row) = (four_c, width * four_c);
    let c = four_c / 4;
    parts.as_strided(
        [n, height - 1, 2, width - 1, 2, c].as_slice(),
        [height * row, row, row + 2 * c, pixel, pixel + c, 1].as_slice(),
        None,
    )
}

/// The enlarged picture `[n, c, 2 h, 2 w]` of `parts` `[n, 4 c, h + 1, w + 1]`.
pub(crate) fn interleave(parts: &Tensor) -> Tensor {
    let (n, four_c, height, width) = parts.size4().expect("four dimensions");
    from_rows(&as_pixels(parts).contiguous().view([n, 2 * (height - 1), 2 * (width - 1), four_c / 4]))
}

/// The gradient with respect to the parts, from that with respect to the enlarged picture.
pub(super) fn part_gradient(gradient: &Tensor) -> Tensor {
    let (n, c, height, width) = gradient.size4().expect("four dimensions");
    let (height, width) = (height / 2, width / 2);
    let parts = Tensor::zeros([n, height + 1, width + 1, 4 * c], (gradient.kind(), gradient.device()));
    let parts = from_rows(&parts);
    let pixels = gradient.permute([0, 2, 3, 1]).view([n, height, 2, width, 2, c].as_slice());
    as_pixels(&parts).copy_(&pixels);
    parts
}
