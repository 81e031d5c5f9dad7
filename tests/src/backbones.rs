//! Trainings by ResNet-50 and Inception-v3, cut after their first layers, from outside.

use common::lossnet::{Arch, Layer};
use common::tensor_file::{self, StoredAs};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use tch::Tensor;
use tempfile::TempDir;

use crate::support::programs::{Finished, trainer};
use crate::support::scenes;

const RESNET: &str = "resnet.safetensors";
const INCEPTION: &str = "inception.safetensors";

/// A folder with all that a training needs.
fn studio() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    scenes::save(&scenes::rectangles(64, 48, 99), &folder.path().join("house.png"));
    scenes::photo_folder(&folder.path().join("photos"), 3);
    for (arch, deepest, name) in
        [(Arch::ResNet50, "layer1.0", RESNET), (Arch::InceptionV3, "Conv2d_2b_3x3", INCEPTION)]
    {
        let deepest: Layer = deepest.parse().unwrap();
        let mut rng = ChaCha8Rng::seed_from_u64(11);
        let mut tensor = |(name, shape): (String, Vec<i64>)| {
            let fan_in: i64 = shape[1..].iter().product();
            // Of He's variance; norms that change nothing.
            let (mean, bound) = match shape.len() {
                1 if name.ends_with(".running_var") || name.ends_with(".weight") => (1.0, 0.0),
                1 => (0.0, 0.0),
                _ => (0.0, (6.0 / fan_in as f32).sqrt()),
            };
            let count = shape.iter().product::<i64>();
            let values: Vec<f32> =
                (0..count).map(|_| mean + (rng.random::<f32>() * 2.0 - 1.0) * bound).collect();
            (name, Tensor::from_slice(&values).view(shape.as_slice()))
        };
        let layers = arch.layers().take_while(|&layer| layer <= deepest);
        let tensors: Vec<(String, Tensor)> =
            layers.flat_map(|layer| arch.expected_tensors(layer)).map(&mut tensor).collect();
        // Without metadata: what network it is shows.
        let about = ("source", "test".to_owned());
        tensor_file::write(&folder.path().join(name), &tensors, about, StoredAs::F16).unwrap();
    }
    folder
}

fn train(folder: &TempDir, loss_net: &str, layers: [&str; 2], more: &[&str]) -> Finished {
    let args = ["train", "--style", "house.png", "--data", "photos", "--steps", "2", "--batch", "2"];
    let [style, content] = layers;
    let layers = ["--loss-net", loss_net, "--style-layers", style, "--content-layers", content];
    trainer(folder.path(), &[&args[..], &["--device", "cpu"], &layers, more].concat())
}

#[test]
fn other_backbones_train_too() {
    let folder = studio();
    for (loss_net, layers, name) in [
        (RESNET, ["relu,layer1.0=0.5", "maxpool"], "by resnet"),
        (INCEPTION, ["Conv2d_1a_3x3,Conv2d_2b_3x3", "Conv2d_2a_3x3"], "by inception"),
    ] {
        train(&folder, loss_net, layers, &["--size", "32", "--name", name]).expect_success();
        let config =
            std::fs::read_to_string(folder.path().join("runs").join(name).join("config.toml")).unwrap();
        assert!(config.contains(layers[0]), "{config}");
    }
    // In a bf16 training these networks stay f32.
    train(&folder, RESNET, ["relu", "relu"], &["--size", "32", "--name", "bf16", "--precision", "bf16"])
        .expect_success();
}

#[test]
fn a_layer_of_another_network_is_answered_with_the_right_ones() {
    let folder = studio();
    train(&folder, RESNET, ["relu1_1", "maxpool"], &["--size", "32"])
        .expect_error(1, &["ResNet-50 has no layer relu1_1", "relu, maxpool, layer1.0", "layer4.2", RESNET]);
    train(&folder, INCEPTION, ["Mixed_5b", "Conv2d_1a_3x3"], &["--size", "64"])
        .expect_error(1, &["ends before layer Mixed_5b", "Conv2d_3b_1x1.conv.weight", INCEPTION]);
    // Before any file is looked at: no pixel would be left.
    train(&folder, INCEPTION, ["Mixed_5b", "Conv2d_1a_3x3"], &["--size", "26"])
        .expect_error(2, &["--size 26", "27 to 4096", "Mixed_5b"]);
}

#[test]
fn the_temporal_loss_of_features_is_for_vgg() {
    let folder = studio();
    train(
        &folder,
        RESNET,
        ["relu", "maxpool"],
        &["--size", "32", "--temporal", "1", "--temporal-features", "1"],
    )
    .expect_error(2, &["--temporal-features", "relu2_1", "VGG"]);
    assert!(!folder.path().join("runs").exists());
}
