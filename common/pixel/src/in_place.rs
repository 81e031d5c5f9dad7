//! Changes of sample layouts that need no second buffer: a large photo is hundreds of megabytes.

/// Replaces each `FROM` bytes by the `TO` bytes that `convert` makes of them; `TO` is no more than `FROM`. Bytes behind
/// the last whole group are dropped.
pub(crate) fn shrink<const FROM: usize, const TO: usize>(
    mut samples: Vec<u8>,
    mut convert: impl FnMut([u8; FROM]) -> [u8; TO],
) -> Vec<u8> {
    const { assert!(TO <= FROM) };
    let groups = samples.len() / FROM;
    for group in 0..groups {
        let mut bytes = [0; FROM];
        bytes.copy_from_slice(&samples[group * FROM..(group + 1) * FROM]);
        samples[group * TO..(group + 1) * TO].copy_from_slice(&convert(bytes));
    }
    samples.truncate(groups * TO);
    samples.shrink_to_fit();
    samples
}

/// Splits `COLOURS` colour channels and one alpha, interleaved, into two planes. `ALL` is `COLOURS + 1`.
pub(crate) fn split_alpha<const ALL: usize, const COLOURS: usize>(samples: Vec<u8>) -> (Vec<u8>, Vec<u8>) {
    let mut alpha = Vec::with_capacity(samples.len() / ALL);
    let colours = shrink::<ALL, COLOURS>(samples, |pixel| {
        alpha.push(pixel[COLOURS]);
        std::array::from_fn(|channel| pixel[channel])
    });
    (colours, alpha)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_shrink_in_their_order() {
        let found = shrink::<3, 2>((1..=10).collect(), |[a, b, c]| [c, a + b]);
        assert_eq!(found, [3, 3, 6, 9, 9, 15], "the tenth byte is no whole group");
        assert!(found.capacity() < 10);
    }

    #[test]
    fn alpha_goes_apart() {
        assert_eq!(split_alpha::<4, 3>(vec![1, 2, 3, 4, 5, 6, 7, 8]), (vec![1, 2, 3, 5, 6, 7], vec![4, 8]));
        assert_eq!(split_alpha::<2, 1>(vec![1, 2, 3, 4]), (vec![1, 3], vec![2, 4]));
    }
}
