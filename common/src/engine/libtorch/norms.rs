//! Statistics of several frames at once, shared or not, without reading anything back from the device.

use tch::Tensor;

use crate::engine::SharedNorms;
use crate::engine::shared_norms::PassNorms;
use crate::net::ChannelStatistics;

/// The norms of one pass over a batch of frames that follow each other.
pub(super) struct BatchNorms<'a> {
    norms: PassNorms<'a, ChannelStatistics>,
    /// [`mixing_weights`] on the device, which are the same for all norms of a pass.
    weights: Option<Tensor>,
}

impl<'a> BatchNorms<'a> {
    pub(super) fn new(shared: Option<&'a mut SharedNorms>) -> Self {
        Self { norms: shared.map_or_else(PassNorms::alone, SharedNorms::on_device), weights: None }
    }

    /// The statistics to normalise the frames with, of their own ones: shared ones move on from frame to frame.
    pub(super) fn settle(&mut self, own: ChannelStatistics) -> ChannelStatistics {
        let weights = &mut self.weights;
        self.norms.settle(own, |own, running, momentum| mixed(own, running, momentum, weights))
    }

    /// The pass has painted.
    pub(super) fn keep(self) {
        self.norms.keep();
    }
}

/// What each frame is normalised with, and what the frame behind the last one finds.
fn mixed(
    own: ChannelStatistics,
    running: Option<&ChannelStatistics>,
    momentum: f64,
    weights: &mut Option<Tensor>,
) -> (ChannelStatistics, ChannelStatistics) {
    let size = own.mean.size(); // [n, channels, 1, 1]
    // What runs is where the row begins; at the beginning of a scene the first frame is.
    let ChannelStatistics { mean, variance } = match running {
        Some(running) => ChannelStatistics {
            mean: Tensor::cat(&[&running.mean, &own.mean], 0),
            variance: Tensor::cat(&[&running.variance, &own.variance], 0),
        },
        None => own,
    };
    let (mean, variance) = (mean.flatten(1, -1), variance.flatten(1, -1)); // [row, channels]
    let weights =
        weights.get_or_insert_with(|| mixing_weights(mean.size()[0], momentum).to_device(mean.device()));
    // Relative to the first, so that no large numbers cancel each other, and the first stays what it is.
    let first = mean.narrow(0, 0, 1);
    let distance = &mean - &first;
    let mixed_distance = weights.matmul(&distance);
    let mixed_variance = weights.matmul(&(variance + distance.square())) - mixed_distance.square();
    let mixed_mean = mixed_distance + first;
    let rows = |x: &Tensor, count: i64| {
        let length = x.size()[0];
        x.narrow(0, length - count, count).reshape([count, size[1], 1, 1])
    };
    let last = |count| ChannelStatistics {
        mean: rows(&mixed_mean, count),
        variance: rows(&mixed_variance, count).clamp_min(0.0),
    };
    (last(size[0]), last(1))
}

/// How much of each of `count` statistics in a row is in the mixture at each, f64 `[count, count]`: the first is taken as it
/// is, each further one with a share of `momentum`.
fn mixing_weights(count: i64, momentum: f64) -> Tensor {
    let weight = |at: i64, of: i64| match (at - of, of) {
        (..0, _) => 0.0,
        (age, 0) => (1.0 - momentum).powi(age as i32),
        (age, _) => momentum * (1.0 - momentum).powi(age as i32),
    };
    let weights: Vec<f64> = (0..count).flat_map(|at| (0..count).map(move |of| weight(at, of))).collect();
    Tensor::from_slice(&weights).view([count, count])
}

#[cfg(test)]
mod tests {
    use kernel::interleaved::Statistics;
    use proptest::prelude::*;

    use super::*;

    fn tensor(statistics: &[Statistics]) -> ChannelStatistics {
        let of = |value: fn(&Statistics) -> f64| {
            let values: Vec<f64> = statistics.iter().map(value).collect();
            Tensor::from_slice(&values).view([-1, 1, 1, 1])
        };
        ChannelStatistics { mean: of(|it| it.mean), variance: of(|it| it.variance) }
    }

    fn values(statistics: &ChannelStatistics) -> Vec<(f64, f64)> {
        let of = |x: &Tensor| Vec::<f64>::try_from(x.view([-1])).unwrap();
        of(&statistics.mean).into_iter().zip(of(&statistics.variance)).collect()
    }

    proptest! {
        /// The CPU's, frame by frame.
        #[test]
        fn batches_move_on_as_frame_by_frame(
            frames in prop::collection::vec((-50.0f64..50.0, 0.0f64..9.0), 1..12),
            batch in 1usize..5,
            momentum in 0.01f64..=1.0,
        ) {
            let frames: Vec<_> =
                frames.into_iter().map(|(mean, variance)| Statistics { mean, variance }).collect();
            let (mut one_by_one, mut in_batches) = (SharedNorms::new(momentum), SharedNorms::new(momentum));
            let mut expected = Vec::new();
            for frame in &frames {
                let mut norms = one_by_one.on_cpu();
                expected.extend(norms.settle_frame(vec![*frame]));
                norms.keep();
            }
            let mut found = Vec::new();
            for batch in frames.chunks(batch) {
                let mut norms = BatchNorms::new(Some(&mut in_batches));
                found.extend(values(&norms.settle(tensor(batch))));
                norms.keep();
            }
            prop_assert_eq!(found[0], (frames[0].mean, frames[0].variance));
            for ((mean, variance), expected) in found.into_iter().zip(expected) {
                prop_assert!((mean - expected.mean).abs() < 1e-9, "{} {:?}", mean, expected);
                prop_assert!((variance - expected.variance).abs() < 1e-8, "{} {:?}", variance, expected);
            }
        }
    }
}
