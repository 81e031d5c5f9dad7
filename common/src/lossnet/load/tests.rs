use std::path::PathBuf;

use tch::{Kind, Tensor};

use super::*;
use crate::tensor_file::{StoredAs, write};

fn layers(names: &[&str]) -> Vec<Layer> {
    names.iter().map(|name| layer(name)).collect()
}

fn layer(name: &str) -> Layer {
    name.parse().unwrap()
}

/// A file of zeros up to `deepest`; `change` may spoil it.
fn file_up_to(
    arch: Arch,
    deepest: &str,
    change: impl Fn(&mut Vec<(String, Tensor)>),
) -> (tempfile::TempDir, PathBuf) {
    let mut tensors: Vec<(String, Tensor)> = arch
        .layers()
        .take_while(|&held| held <= layer(deepest))
        .flat_map(|held| arch.expected_tensors(held))
        .map(|(name, shape)| (name, Tensor::zeros(shape, (Kind::Float, Device::Cpu))))
        .collect();
    change(&mut tensors);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("net.safetensors");
    write(&path, &tensors, ("source", "test".to_owned()), StoredAs::F16).unwrap();
    (folder, path)
}

fn empty(shape: &[i64]) -> Tensor {
    Tensor::zeros(shape, tch::kind::FLOAT_CPU)
}

fn error_of(path: &Path, names: &[&str]) -> String {
    LossNet::load(path, &layers(names), Device::Cpu).err().expect("an error").to_string()
}

#[test]
fn only_what_is_asked_for_is_computed_and_returned() {
    for (arch, deepest, wanted, expected) in [
        (Arch::Vgg19, "relu3_1", ["relu1_2", "relu3_1"], [vec![2, 64, 40, 56], vec![2, 256, 10, 14]]),
        (Arch::ResNet50, "layer2.0", ["maxpool", "layer2.0"], [vec![2, 64, 10, 14], vec![2, 512, 5, 7]]),
        (
            Arch::InceptionV3,
            "Mixed_5b",
            ["Conv2d_2a_3x3", "Mixed_5b"],
            [vec![2, 32, 17, 25], vec![2, 256, 2, 4]],
        ),
    ] {
        let (_folder, path) = file_up_to(arch, deepest, |_| ());
        let wanted = layers(&wanted);
        let net = LossNet::load(&path, &wanted, Device::Cpu).unwrap();
        let features = net.features(&empty(&[2, 3, 40, 56]), &wanted);
        let sizes: Vec<Vec<i64>> = features.values().map(Tensor::size).collect();
        assert_eq!(sizes, expected, "{arch}");
    }
}

#[test]
fn a_file_may_end_early_until_a_deeper_layer_is_asked_for() {
    for (arch, deepest, deeper, missing) in [
        (Arch::Vgg19, "relu3_4", "relu4_2", "features.19.weight"),
        (Arch::ResNet50, "layer1.0", "layer1.2", "layer1.1.conv1.weight"),
        (Arch::InceptionV3, "Conv2d_2b_3x3", "Conv2d_4a_3x3", "Conv2d_3b_1x1.conv.weight"),
    ] {
        let (_folder, path) = file_up_to(arch, deepest, |_| ());
        assert!(LossNet::load(&path, &layers(&[deepest]), Device::Cpu).is_ok());
        let first = arch.layers().next().unwrap().to_string();
        let message = error_of(&path, &[&first, deeper]);
        for part in [deeper, missing, "choose layers up to", "net.safetensors"] {
            assert!(message.contains(part), "{message}");
        }
    }
}

#[test]
fn a_hole_and_a_wrong_shape_are_reported_together() {
    let (_folder, path) = file_up_to(Arch::Vgg19, "relu3_1", |tensors| {
        tensors.retain(|(name, _)| name != "features.2.bias");
        tensors[0].1 = empty(&[64, 1, 3, 3]);
    });
    let message = error_of(&path, &["relu3_1"]);
    for part in ["missing features.2.bias", "features.0.weight (shape [64, 1, 3, 3], expected [64, 3, 3, 3])"]
    {
        assert!(message.contains(part), "{message}");
    }

    let (_folder, path) = file_up_to(Arch::ResNet50, "layer1.1", |tensors| {
        tensors.retain(|(name, _)| name != "layer1.0.bn2.running_var");
        tensors[0].1 = empty(&[64, 3, 3, 3]);
    });
    let message = error_of(&path, &["layer1.1"]);
    for part in
        ["missing layer1.0.bn2.running_var", "conv1.weight (shape [64, 3, 3, 3], expected [64, 3, 7, 7])"]
    {
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn the_classifier_is_ignored_and_strangers_are_not() {
    for (arch, layer, classifiers, stranger) in [
        (Arch::Vgg16, "relu1_2", &["classifier.0.bias"][..], "layer1.0.weight"),
        (Arch::ResNet50, "relu", &["fc.bias", "bn1.num_batches_tracked"], "layer3.6.conv1.weight"),
        (
            Arch::InceptionV3,
            "maxpool1",
            &["fc.weight", "AuxLogits.conv0.conv.weight"],
            "Mixed_5b.branch2.conv.weight",
        ),
    ] {
        let (_folder, path) = file_up_to(arch, layer, |tensors| {
            tensors.extend(classifiers.iter().map(|name| ((*name).to_owned(), empty(&[8]))));
        });
        assert!(LossNet::load(&path, &layers(&[layer]), Device::Cpu).is_ok());
        let (_folder, path) = file_up_to(arch, layer, |tensors| {
            tensors.push((stranger.to_owned(), empty(&[8])));
        });
        let message = error_of(&path, &[layer]);
        assert!(message.contains(&format!("unexpected {stranger}")), "{message}");
    }
}

#[test]
fn the_architecture_is_told_from_the_names() {
    for (arch, deepest) in [
        (Arch::Vgg16, "relu4_1"),
        (Arch::Vgg19, "relu3_4"),
        (Arch::ResNet50, "relu"),
        (Arch::InceptionV3, "Conv2d_1a_3x3"),
    ] {
        let (_folder, path) = file_up_to(arch, deepest, |_| ());
        assert_eq!(LossNet::load(&path, &[], Device::Cpu).unwrap().arch(), arch);
    }
}

#[test]
fn a_layer_of_another_network_is_answered_with_the_networks_own() {
    let (_folder, path) = file_up_to(Arch::Vgg16, "relu4_1", |_| ());
    let message = error_of(&path, &["relu3_4"]);
    assert!(message.contains("VGG-16 has no layer relu3_4; its layers are relu1_1, relu1_2, "), "{message}");
    // Deeper than all of the network's own, or not as deep: none may slip through.
    for foreign in ["layer1.0", "Mixed_5b"] {
        assert!(error_of(&path, &[foreign, "relu1_1"]).contains(&format!("no layer {foreign}")));
    }
    let (_folder, path) = file_up_to(Arch::ResNet50, "layer1.0", |_| ());
    let message = error_of(&path, &["relu1_1", "layer1.0"]);
    for part in
        ["ResNet-50 has no layer relu1_1", "relu, maxpool, layer1.0,", "layer4.2: ", "net.safetensors"]
    {
        assert!(message.contains(part) && !message.contains('\n'), "{message}");
    }
}
