use std::cell::RefCell;

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use tch::{Device, Kind};

use super::*;
use crate::lossnet::{Arch, LossNet};
use crate::precision::Precision;

const BOTH: [Arch; 2] = [Arch::ResNet50, Arch::InceptionV3];

fn layer(name: &str) -> Layer {
    name.parse().unwrap()
}

/// With weights of He's variance, and norms that differ from channel to channel.
fn network(arch: Arch, deepest: Layer) -> LossNet {
    let rng = RefCell::new(ChaCha8Rng::seed_from_u64(7));
    LossNet::from_tensors(arch, arch.torchvision_input_space(), &[deepest], |name, shape| {
        let bound = match shape {
            [_, fan_in @ ..] if !fan_in.is_empty() => (6.0 / fan_in.iter().product::<i64>() as f64).sqrt(),
            _ => 0.2,
        };
        let uniform = drawn(&mut rng.borrow_mut(), shape) * bound;
        if name.ends_with("running_var") || (shape.len() == 1 && name.ends_with("weight")) {
            uniform + 1.0
        } else {
            uniform
        }
    })
}

/// Uniform in ±1.
fn drawn(rng: &mut ChaCha8Rng, shape: &[i64]) -> Tensor {
    let count = shape.iter().product::<i64>();
    let values: Vec<f32> = (0..count).map(|_| rng.random::<f32>() * 2.0 - 1.0).collect();
    Tensor::from_slice(&values).view(shape)
}

fn picture(size: [i64; 4]) -> Tensor {
    (drawn(&mut ChaCha8Rng::seed_from_u64(3), &size) + 1.0) * 127.5
}

fn relative_error(found: &Tensor, expected: &Tensor) -> f64 {
    (found - expected).norm().double_value(&[]) / expected.norm().double_value(&[])
}

#[test]
fn the_smallest_side_has_one_pixel() {
    for arch in BOTH {
        let deepest = arch.layers().next_back().unwrap();
        let layers: Vec<Layer> = arch.layers().collect();
        let ones = |_: &str, shape: &[i64]| Tensor::ones(shape, (Kind::Float, Device::Cpu));
        let net = LossNet::from_tensors(arch, arch.torchvision_input_space(), &[deepest], ones);
        for layer in layers {
            let side = LossNet::smallest_side(layer);
            let features = net.features(&picture([1, 3, side.into(), side.into()]), &[layer]);
            assert_eq!(features[&layer].size()[2..], [1, 1], "{arch} {layer} at {side}");
        }
    }
    let sides = ["Conv2d_1a_3x3", "maxpool2", "Mixed_5d", "Mixed_6e", "Mixed_7c"]
        .map(|name| LossNet::smallest_side(layer(name)));
    // torchvision names 75 for the whole of Inception-v3.
    assert_eq!(sides, [3, 27, 27, 43, 75]);
}

#[test]
fn several_layers_are_gone_back_through_at_once() {
    for (arch, names) in [
        (Arch::ResNet50, ["relu", "layer1.2", "layer2.0"]),
        (Arch::InceptionV3, ["Conv2d_2b_3x3", "maxpool2", "Mixed_5b"]),
    ] {
        let layers = names.map(layer);
        let net = network(arch, layers[2]);
        let input = picture([2, 3, 41, 37]);
        let weight = |at: Layer| if at == layers[0] { 3.0 } else { 1.0 };

        let leaf = input.shallow_clone().set_requires_grad(true);
        let loss = net
            .features(&leaf, &layers)
            .into_iter()
            .map(|(at, x)| x.square().mean(Kind::Float) * weight(at))
            .fold(Tensor::zeros([], (Kind::Float, Device::Cpu)), |sum, term| sum + term);
        let expected = Tensor::run_backward(&[loss], &[&leaf], false, false).remove(0);

        // As the losses call it: without autograd.
        tch::no_grad(|| {
            let recording = net.record(&input, &layers, Precision::Bf16);
            let mut seen = Vec::new();
            for at in layers {
                assert!(
                    !recording.features(at).requires_grad() && recording.features(at).kind() == Kind::Float
                );
            }
            let gradient = recording.backward(|at, x, deeper| {
                assert!(deeper.is_none());
                seen.push(at);
                Some(x * (2.0 * weight(at) / x.numel() as f64))
            });
            assert_eq!(seen, [layers[2], layers[1], layers[0]], "from the deepest");
            assert!(!gradient.requires_grad());
            assert!(relative_error(&gradient, &expected) < 1e-5, "{arch}");
        });
    }
}

#[test]
fn a_layer_without_a_gradient_is_passed_over() {
    let (shallow, deep) = (layer("relu"), layer("layer1.0"));
    let net = network(Arch::ResNet50, deep);
    let input = picture([1, 3, 20, 24]);
    let of = |layers: &[Layer]| {
        let recording = net.record(&input, layers, Precision::F32);
        recording.backward(|at, x, _| (at == shallow).then(|| x.copy()))
    };
    assert!(relative_error(&of(&[shallow, deep]), &of(&[shallow])) < 1e-6);
}

#[test]
fn both_passes_give_the_same_features() {
    for (arch, name) in [(Arch::ResNet50, "layer1.1"), (Arch::InceptionV3, "Mixed_5b")] {
        let layers = [layer(name)];
        let net = network(arch, layers[0]);
        let input = picture([1, 3, 64, 50]);
        let expected = net.features(&input, &layers).remove(&layers[0]).unwrap();
        let found = net.features_in(&input, &layers, Precision::F32).remove(&layers[0]).unwrap();
        assert!(relative_error(&found, &expected) < 1e-5);
        assert!(
            relative_error(net.record(&input, &layers, Precision::F32).features(layers[0]), &expected) < 1e-5
        );
    }
}

/// A mean leaves a plane as it is, up to its border.
#[test]
fn the_stem_may_pool_by_the_mean() {
    for (arch, before, after, padding) in
        [(Arch::ResNet50, "relu", "maxpool", 1), (Arch::InceptionV3, "Conv2d_2b_3x3", "maxpool1", 0)]
    {
        let layers = [layer(before), layer(after)];
        let input = picture([1, 3, 33, 33]);
        let max = network(arch, layers[1]).features(&input, &layers);
        let mean = network(arch, layers[1]).with_pooling(Pooling::Average).features(&input, &layers);
        assert!(max[&layers[0]].equal(&mean[&layers[0]]));
        assert_eq!(max[&layers[1]].size(), mean[&layers[1]].size());
        // One window, away from the border.
        let (row, column) = (2, 3);
        let window = max[&layers[0]]
            .narrow(2, row * 2 - padding, 3)
            .narrow(3, column * 2 - padding, 3)
            .amax([2i64, 3], false);
        let found = |features: &Features| features[&layers[1]].select(3, column).select(2, row);
        assert!(found(&max).equal(&window));
        let window = max[&layers[0]]
            .narrow(2, row * 2 - padding, 3)
            .narrow(3, column * 2 - padding, 3)
            .mean_dim([2i64, 3].as_slice(), false, Kind::Float);
        assert!(relative_error(&found(&mean), &window) < 1e-6);
    }
    // At the border, what lies outside does not count.
    let net = network(Arch::ResNet50, layer("maxpool")).with_pooling(Pooling::Average);
    let layers = [layer("relu"), layer("maxpool")];
    let features = net.features(&picture([1, 3, 2, 2]), &layers);
    assert!(features[&layers[0]].equal(&features[&layers[1]]), "one pixel");
}
