//! A loss network that is small enough to write for each test: VGG-19 up to relu2_1, with random weights.

use std::path::Path;

use common::lossnet::{Arch, Layer};
use common::tensor_file::{self, StoredAs};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use tch::Tensor;

/// The layers to learn by with it.
pub(crate) const STYLE_LAYERS: &str = "relu1_1,relu2_1";
pub(crate) const CONTENT_LAYER: &str = "relu1_2";

/// Writes the network, always the same, with He's variance, in torchvision's input space.
pub(crate) fn write(path: &Path) {
    // libtorch's own generator is shared by all tests that run at the time.
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    let deepest: Layer = "relu2_1".parse().expect("a layer");
    let tensors: Vec<(String, Tensor)> = Arch::Vgg19
        .layers()
        .take_while(|&layer| layer <= deepest)
        .flat_map(|layer| Arch::Vgg19.expected_tensors(layer))
        .map(|(name, shape)| {
            let fan_in: i64 = shape[1..].iter().product();
            // The variance of the uniform distribution is a third of its bound's square.
            let bound = if shape.len() == 1 { 0.0 } else { (6.0 / fan_in as f32).sqrt() };
            let count = shape.iter().product::<i64>();
            let values: Vec<f32> = (0..count).map(|_| (rng.random::<f32>() * 2.0 - 1.0) * bound).collect();
            (name, Tensor::from_slice(&values).view(shape.as_slice()))
        })
        .collect();
    tensor_file::write(path, &tensors, ("arch", "vgg19".to_owned()), StoredAs::F16).expect("written");
}
