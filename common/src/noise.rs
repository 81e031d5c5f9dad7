//! Noise for tests. libtorch's own generator is one for the whole process: tests that run side by side draw from it in
//! turn, and a seed of one's own does not help.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use tch::Tensor;

/// Gaussian noise of mean 0 and deviation 1, on the CPU: the same from run to run.
pub(crate) fn gaussian(size: &[i64], seed: u64) -> Tensor {
    let count = usize::try_from(size.iter().product::<i64>()).unwrap();
    let values: Vec<f32> = StandardNormal.sample_iter(ChaCha8Rng::seed_from_u64(seed)).take(count).collect();
    Tensor::from_slice(&values).view(size)
}
