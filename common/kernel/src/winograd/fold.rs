//! The gradient of reflection padding.

use super::Pictures;
use crate::parallel::{self, DisjointSlice};

/// Adds the outer ring of each channel of `padded` `[planes, h + 2, w + 2]` to where it was reflected from: the
/// gradient with respect to a picture from that with respect to its reflected continuation. `output` is
/// `[planes, h, w]`; `picture` tells h and w, its count is that of planes.
///
/// # Panics
/// If a slice's length is not that of its shape, or a side is shorter than 2.
pub fn fold_reflection(padded: &[f32], output: &mut [f32], planes: Pictures, threads: usize) {
    let Pictures { count, height, width } = planes;
    assert!(height >= 2 && width >= 2, "reflected sides are 2 or longer: {planes:?}");
    let (padded_len, len) = ((height + 2) * (width + 2), height * width);
    assert_eq!(padded.len(), count * padded_len, "padded: {planes:?} and a ring");
    assert_eq!(output.len(), count * len, "output: {planes:?}");
    let output = DisjointSlice::new(output);
    parallel::for_each(
        threads,
        count,
        || (),
        |(), plane| {
            // SAFETY: each plane is one item.
            #[allow(unsafe_code)]
            let output = unsafe { output.part(plane * len..(plane + 1) * len) };
            fold_plane(&padded[plane * padded_len..][..padded_len], output, height, width);
        },
    );
}

fn fold_plane(padded: &[f32], output: &mut [f32], height: usize, width: usize) {
    let padded_row = |row: usize| &padded[row * (width + 2)..][..width + 2];
    for (row, to) in output.chunks_exact_mut(width).enumerate() {
        to.copy_from_slice(&padded_row(row + 1)[1..=width]);
        let mut add = |from: &[f32]| {
            for (to, from) in to.iter_mut().zip(&from[1..]) {
                *to += from;
            }
            to[1] += from[0];
            to[width - 2] += from[width + 1];
        };
        let own = padded_row(row + 1);
        // Both rings may end in the same row of a low picture.
        if row == 1 {
            add(padded_row(0));
        }
        if row + 2 == height {
            add(padded_row(height + 1));
        }
        to[1] += own[0];
        to[width - 2] += own[width + 1];
    }
}
