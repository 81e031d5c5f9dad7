//! The gradient of reflection padding.

use super::Pictures;
use crate::parallel::{self, DisjointSlice};

/// Adds the outer ring of each channel of `padded` `[planes, h + 2, w + 2]` to where it was reflected from: the
/// gradient with respect to a picture from that with respect to its reflected continuation. `output` is
/// `[planes, h, w]`, of which `planes` tells the numbers. Then `addend` is added, and what is not above 0 in `gate` becomes
/// 0, as in an [`Epilogue`](super::Epilogue).
///
/// # Panics
/// If a slice's length is not that of its shape, or a side is shorter than 2.
pub fn fold_reflection(
    padded: &[f32],
    output: &mut [f32],
    planes: Pictures,
    addend: Option<&[f32]>,
    gate: Option<&[f32]>,
    threads: usize,
) {
    let Pictures { count, height, width } = planes;
    assert!(height >= 2 && width >= 2, "reflected sides are 2 or longer: {planes:?}");
    let (padded_len, len) = ((height + 2) * (width + 2), height * width);
    assert_eq!(padded.len(), count * padded_len, "padded: {planes:?} and a ring");
    assert_eq!(output.len(), count * len, "output: {planes:?}");
    assert!(addend.is_none_or(|addend| addend.len() == count * len), "addend: as output");
    assert!(gate.is_none_or(|gate| gate.len() == count * len), "gate: as output");
    let output = DisjointSlice::new(output);
    parallel::for_each(threads, count, |plane| {
        let range = plane * len..(plane + 1) * len;
        // SAFETY: each plane is one item.
        #[allow(unsafe_code)]
        let output = unsafe { output.part(range.clone()) };
        fold_plane(&padded[plane * padded_len..][..padded_len], output, height, width);
        if let Some(addend) = addend {
            for (value, addend) in output.iter_mut().zip(&addend[range.clone()]) {
                *value += addend;
            }
        }
        if let Some(gate) = gate {
            for (value, &gate) in output.iter_mut().zip(&gate[range]) {
                *value = if gate > 0.0 { *value } else { 0.0 };
            }
        }
    });
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
