//! Which photo comes when, and what is drawn for it: pure functions of (seed, epoch, index).

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

/// A place in the stream: two integers to store beside the weights.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamPosition {
    /// How many times every photo has been passed.
    pub epoch: u64,
    /// How many photos of this epoch have been passed, good or broken.
    pub index: u64,
}

impl StreamPosition {
    /// The next place in epochs of `len` photos.
    pub(crate) const fn next(self, len: usize) -> Self {
        if self.index + 1 < len as u64 {
            Self { epoch: self.epoch, index: self.index + 1 }
        } else {
            Self { epoch: self.epoch + 1, index: 0 }
        }
    }
}

/// What random numbers are drawn for; each purpose has a generator of its own.
#[derive(Debug, Clone, Copy)]
enum Purpose {
    Order = 0,
    Crop = 1,
}

/// ChaCha8 by name, with a key spelled out: the same numbers in every version of every crate.
fn generator(purpose: Purpose, seed: u64, position: StreamPosition) -> ChaCha8Rng {
    let mut key = [0; 32];
    for (bytes, word) in
        key.as_chunks_mut::<8>().0.iter_mut().zip([seed, position.epoch, position.index, purpose as u64])
    {
        *bytes = word.to_le_bytes();
    }
    ChaCha8Rng::from_seed(key)
}

/// The order of `len` photos in an epoch: a Fisher-Yates shuffle.
pub(crate) fn epoch_order(seed: u64, epoch: u64, len: usize) -> Vec<u32> {
    let mut random = Draw(generator(Purpose::Order, seed, StreamPosition { epoch, index: 0 }));
    let mut order: Vec<u32> = (0..len as u32).collect();
    for last in (1..len).rev() {
        order.swap(last, random.below(last as u64 + 1) as usize);
    }
    order
}

/// The random numbers for the crop at a position.
pub(crate) fn crop_draw(seed: u64, position: StreamPosition) -> Draw {
    Draw(generator(Purpose::Crop, seed, position))
}

/// Drawing that does not change with a library's taste in sampling.
pub(crate) struct Draw(ChaCha8Rng);

impl Draw {
    /// Uniform in `0..end`, to within `end / 2^64`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        ((u128::from(self.0.next_u64()) * u128::from(end)) >> 64) as u64
    }

    /// Uniform in `0.0..1.0`.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    pub(crate) fn coin(&mut self) -> bool {
        self.below(2) == 1
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_order_is_frozen() {
        // Changing these means that no stored position can be resumed any more.
        assert_eq!(epoch_order(7, 0, 8), FROZEN[0]);
        assert_eq!(epoch_order(7, 1, 8), FROZEN[1]);
        assert_eq!(epoch_order(8, 0, 8), FROZEN[2]);
    }

    const FROZEN: [[u32; 8]; 3] =
        [[2, 5, 7, 4, 1, 0, 3, 6], [4, 2, 5, 1, 3, 7, 0, 6], [3, 4, 5, 1, 0, 7, 6, 2]];

    #[test]
    fn positions_count_on_into_the_next_epoch() {
        let mut position = StreamPosition { epoch: 4, index: 1 };
        position = position.next(3);
        assert_eq!(position, StreamPosition { epoch: 4, index: 2 });
        assert_eq!(position.next(3), StreamPosition { epoch: 5, index: 0 });
    }

    #[test]
    fn every_place_is_about_as_likely() {
        let mut first = [0; 4];
        for epoch in 0..4000 {
            first[epoch_order(1, epoch, 4)[0] as usize] += 1;
        }
        // 1000 each, standard deviation 27.
        assert!(first.iter().all(|count| (870..1130).contains(count)), "{first:?}");
    }

    proptest! {
        #[test]
        fn every_photo_once(seed: u64, epoch: u64, len in 1usize..300) {
            let mut order = epoch_order(seed, epoch, len);
            order.sort_unstable();
            prop_assert!(order.iter().copied().eq(0..len as u32));
        }

        #[test]
        fn draws_stay_in_range(seed: u64, epoch: u64, index: u64, end in 1u64..) {
            let mut draw = crop_draw(seed, StreamPosition { epoch, index });
            prop_assert!(draw.below(end) < end);
            prop_assert!((0.0..1.0).contains(&draw.unit()));
        }
    }
}
