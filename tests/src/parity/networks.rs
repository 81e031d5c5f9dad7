//! Loss networks and the style network.

use common::lossnet::{Arch, Layer, LossNet};
use common::net::{NetConfig, OutputRange, ParameterSpec, Parameters, StyleNet, parameter_specs};
use common::space::LossInputSpace;
use tch::Device;

use super::golden::Golden;
use super::hashed;
use crate::support;

fn check_vgg(golden: &Golden, prefix: &str, arch: Arch, space: LossInputSpace, layers: &[Layer]) {
    let vgg = LossNet::from_tensors(arch, space, layers, hashed::vgg_tensor);
    let features = vgg.features(&hashed::bytes("vgg.input", &[2, 3, 35, 46]), layers);
    assert_eq!(features.len(), layers.len());
    for (layer, feature) in &features {
        golden.check_sampled(&format!("{prefix}.{layer}"), feature, 1e-5);
    }
}

#[test]
fn vgg_features_at_every_layer() {
    let golden = Golden::open("vgg");
    golden.check_head("vgg.input", &hashed::bytes("vgg.input", &[2, 3, 35, 46]));
    golden.check_head("features.0.weight", &hashed::vgg_tensor("features.0.weight", &[64, 3, 3, 3]));
    for (prefix, arch) in [("vgg19.oxford", Arch::Vgg19), ("vgg16.oxford", Arch::Vgg16)] {
        check_vgg(&golden, prefix, arch, LossInputSpace::oxford_bgr(), &arch.layers().collect::<Vec<_>>());
    }
    let layers: Vec<Layer> = ["relu1_1", "relu3_3"].iter().map(|name| name.parse().unwrap()).collect();
    check_vgg(&golden, "vgg16.torchvision", Arch::Vgg16, LossInputSpace::torchvision_rgb(), &layers);
}

#[test]
fn real_vgg19_features() {
    let Some(weights) = support::real_vgg19("real_vgg19_features") else { return };
    let golden = Golden::open("real_vgg19");
    let deepest: Layer = "relu5_1".parse().unwrap();
    let layers: Vec<Layer> = Arch::Vgg19.layers().take_while(|&layer| layer <= deepest).collect();
    let vgg = LossNet::load(&weights, &layers, Device::Cpu).unwrap();
    let features = vgg.features(&hashed::bytes("real_vgg19.input", &[1, 3, 64, 80]), &layers);
    for (layer, feature) in &features {
        golden.check_sampled(&format!("vgg19.oxford.{layer}"), feature, 1e-5);
    }
}

fn hashed_net(config: NetConfig) -> StyleNet {
    let parameters = Parameters::from_named(&config, &hashed::net_tensors(&config), Device::Cpu);
    StyleNet::new(config, parameters)
}

#[test]
fn style_network_at_every_kind_of_size() {
    let golden = Golden::open("net");
    for (output, suffix) in [(OutputRange::Linear, "linear"), (OutputRange::Tanh150, "tanh150")] {
        // At 1x1 every norm divides rounding noise by the root of epsilon; the golden there does not depend on epsilon.
        for (height, width, norm_eps, tolerance) in [
            (24, 32, 1e-5, 5e-5),
            (33, 31, 1e-5, 5e-5),
            (5, 7, 1e-5, 1e-4),
            (2, 3, 1e-5, 5e-2),
            (1, 1, 1e9, 1e-5),
        ] {
            let net = hashed_net(NetConfig { width: 8, norm_eps, output, ..NetConfig::default() });
            let input = hashed::bytes(&format!("net.input.{height}x{width}"), &[1, 3, height, width]);
            golden.check(&format!("w8.{height}x{width}.{suffix}"), &net.forward(&input), tolerance);
        }
    }
    let net = hashed_net(NetConfig { output: OutputRange::Linear, ..NetConfig::default() });
    golden.check("w32.40x52.linear", &net.forward(&hashed::bytes("net.input.40x52", &[1, 3, 40, 52])), 5e-5);
}

#[test]
fn a_fresh_network_is_drawn_as_pytorch_draws_it() {
    let golden = Golden::open("net");
    let specs = parameter_specs(&NetConfig::default());
    let fan_weight = |spec: &ParameterSpec| {
        let weight = spec.name.replace(".bias", ".weight");
        specs.iter().find(|spec| spec.name == weight).expect("a bias has a weight").shape.clone()
    };
    for spec in &specs {
        if let Some(bound) = spec.init_bound() {
            let shape = fan_weight(spec).iter().map(i64::to_string).collect::<Vec<_>>().join("x");
            let golden = golden.tensor(&format!("init.{shape}.bound")).double_value(&[0]);
            assert!((bound - golden).abs() < 1e-6 * golden, "{}: {bound}, PyTorch {golden}", spec.name);
        }
    }
}
