//! For tests: pictures and networks drawn by seed. libtorch's own generator is shared by all tests that run at the time.

use std::cell::RefCell;

use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;
use tch::Tensor;

use crate::lossnet::{Arch, Layer, LossNet};
use crate::space::LossInputSpace;

/// Uniform in ±1.
pub(super) fn uniform(rng: &mut ChaCha8Rng, shape: &[i64]) -> Tensor {
    let count = shape.iter().product::<i64>();
    let values: Vec<f32> = (0..count).map(|_| rng.random::<f32>() * 2.0 - 1.0).collect();
    Tensor::from_slice(&values).view(shape)
}

/// `byte_rgb`, smooth, as photos are: the features of noise are all alike.
pub(super) fn photo(rng: &mut ChaCha8Rng, size: [i64; 4]) -> Tensor {
    let coarse = (uniform(rng, &[size[0], 3, 6, 6]) + 1.0) * 127.5;
    coarse.upsample_bilinear2d([size[2], size[3]], false, None, None)
}

/// A network with random weights of He's variance, up to the deepest of `layers`.
pub(crate) fn network(
    rng: &RefCell<ChaCha8Rng>,
    arch: Arch,
    space: LossInputSpace,
    layers: &[Layer],
) -> LossNet {
    LossNet::from_tensors(arch, space, layers, |_, shape| {
        let fan_in: i64 = shape[1..].iter().product();
        // The variance of the uniform distribution is a third of its bound's square.
        let bound = if shape.len() == 1 { 0.02 } else { (6.0 / fan_in as f64).sqrt() };
        uniform(&mut rng.borrow_mut(), shape) * bound
    })
}
