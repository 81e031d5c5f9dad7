//! A loss network that is small enough to write for each test: VGG-19 up to relu2_1, with random weights.

use std::path::Path;
use std::sync::Mutex;

use common::lossnet::{Layer, VggArch};
use common::tensor_file::{self, StoredAs};
use tch::{Device, Kind, Tensor};

/// The layers to learn by with it.
pub(crate) const STYLE_LAYERS: &str = "relu1_1,relu2_1";
pub(crate) const CONTENT_LAYER: &str = "relu1_2";

/// libtorch's generator is shared by all tests that run at the time: one network after the other.
static GENERATOR: Mutex<()> = Mutex::new(());

/// Writes the network, with He's variance, in torchvision's input space.
pub(crate) fn write(path: &Path) {
    let _alone = GENERATOR.lock();
    tch::manual_seed(11);
    let deepest: Layer = "relu2_1".parse().expect("a layer");
    let tensors: Vec<(String, Tensor)> = VggArch::Vgg19
        .layers()
        .take_while(|&layer| layer <= deepest)
        .flat_map(|layer| VggArch::Vgg19.expected_tensors(layer))
        .map(|(name, shape)| {
            let fan_in: i64 = shape[1..].iter().product();
            let std = if shape.len() == 1 { 0.0 } else { (2.0 / fan_in as f64).sqrt() };
            (name, Tensor::randn(shape, (Kind::Float, Device::Cpu)) * std)
        })
        .collect();
    tensor_file::write(path, &tensors, ("arch", "vgg19".to_owned()), StoredAs::F16).expect("written");
}
