//! ResNet-50 and Inception-v3 against torchvision's own modules.

use common::lossnet::{Arch, Layer, LossNet};
use common::precision::Precision;
use tch::Tensor;

use super::golden::Golden;
use super::hashed;

fn input() -> Tensor {
    hashed::bytes("backbones.input", &[2, 3, 83, 98])
}

fn network(arch: Arch, layers: &[Layer]) -> LossNet {
    LossNet::from_tensors(arch, arch.torchvision_input_space(), layers, hashed::backbone_tensor)
}

#[test]
fn features_at_every_layer() {
    let golden = Golden::open("backbones");
    golden.check_head("backbones.input", &input());
    for (name, shape) in [
        ("conv1.weight", &[64, 3, 7, 7][..]),
        ("bn1.running_var", &[64]),
        ("Conv2d_1a_3x3.conv.weight", &[32, 3, 3, 3]),
        ("Conv2d_1a_3x3.bn.weight", &[32]),
    ] {
        golden.check_head(name, &hashed::backbone_tensor(name, shape));
    }
    for arch in [Arch::ResNet50, Arch::InceptionV3] {
        let layers: Vec<Layer> = arch.layers().collect();
        let features = network(arch, &layers).features(&input(), &layers);
        assert_eq!(features.len(), layers.len());
        for (layer, feature) in &features {
            golden.check_sampled(&format!("{}.{layer}", arch.id()), feature, 1e-5);
        }
    }
}

#[test]
fn gradients_of_the_pass_that_trains() {
    let golden = Golden::open("backbones");
    for (arch, names) in
        [(Arch::ResNet50, ["layer2.3", "layer3.5"]), (Arch::InceptionV3, ["Mixed_5d", "Mixed_6e"])]
    {
        let layers = names.map(|name| name.parse().unwrap());
        let net = network(arch, &layers);
        for layer in layers {
            let recording = net.record(&input(), &[layer], Precision::F32);
            // Of the mean of the squares.
            let gradient =
                recording.backward(|_, features, _| Some(features * (2.0 / features.numel() as f64)));
            golden.check_sampled(&format!("{}.grad.{layer}", arch.id()), &gradient, 1e-4);
        }
    }
}
