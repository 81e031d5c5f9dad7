//! From the weights of a whole classifier to a loss network file: which layers its tensors make up, and how they are
//! written.

use std::collections::BTreeMap;
use std::path::Path;

use tch::Tensor;

use super::{Arch, Layer};
use crate::space::{ChannelOrder, LossInputSpace};
use crate::tensor_file::{self, Mismatch, StoredAs, TensorFileError};

/// The shape of each tensor of a network's layers (see [`Arch::is_of_layers`]), by name.
pub type TensorShapes = BTreeMap<String, Vec<i64>>;

/// The deepest layer that tensors of these shapes make up. They may end early, at any layer.
///
/// # Errors
/// Names are missing before the last one, or a name or a shape is not that of `arch`.
pub fn deepest_layer(arch: Arch, shapes: &TensorShapes) -> Result<Layer, Mismatch> {
    let holds =
        |layer: &Layer| arch.expected_tensors(*layer).iter().any(|(name, _)| shapes.contains_key(name));
    let layers: Vec<Layer> = arch.layers().collect();
    // Without any, everything of the first is missing.
    let deepest = layers.iter().copied().rfind(holds).unwrap_or(layers[0]);

    let mut mismatch = Mismatch::default();
    let mut strangers = shapes.clone();
    for (name, expected) in layers
        .into_iter()
        .take_while(|&layer| layer <= deepest)
        .flat_map(|layer| arch.expected_tensors(layer))
    {
        match strangers.remove(&name) {
            None => mismatch.missing.push(name),
            Some(found) if found != expected => {
                mismatch.wrong.push(format!("{name} (shape {found:?}, expected {expected:?})"));
            }
            Some(_) => {}
        }
    }
    mismatch.unexpected = strangers.into_keys().collect();
    if mismatch.is_empty() { Ok(deepest) } else { Err(mismatch) }
}

/// Writes a loss network file as [`LossNet::load`](super::LossNet::load) reads it, in f32, at once or not at all. `about` goes
/// into its metadata besides: licence, source and the like.
///
/// # Errors
/// The file cannot be written; what was there before is untouched.
pub fn write_loss_net(
    path: &Path,
    arch: Arch,
    input_space: &LossInputSpace,
    tensors: &[(String, Tensor)],
    about: &[(&str, String)],
) -> Result<(), TensorFileError> {
    let numbers = |values: [f64; 3]| values.map(|value| value.to_string()).join(",");
    let channel_order = match input_space.channel_order {
        ChannelOrder::Rgb => "rgb",
        ChannelOrder::Bgr => "bgr",
    };
    let mut metadata = vec![
        ("arch", arch.id().to_owned()),
        ("channel_order", channel_order.to_owned()),
        ("input_range", if input_space.scale_from_byte == 1.0 { "0-255" } else { "0-1" }.to_owned()),
        ("mean", numbers(input_space.mean)),
        ("std", numbers(input_space.std)),
        ("pooling", "max".to_owned()),
    ];
    metadata.extend_from_slice(about);
    tensor_file::write_with_metadata(path, tensors, metadata, StoredAs::F32)
}

#[cfg(test)]
mod tests {
    use tch::{Device, kind};

    use super::*;
    use crate::lossnet::LossNet;

    fn shapes_up_to(arch: Arch, deepest: &str) -> TensorShapes {
        let deepest: Layer = deepest.parse().unwrap();
        let layers = arch.layers().take_while(|&layer| layer <= deepest);
        layers.flat_map(|layer| arch.expected_tensors(layer)).collect()
    }

    #[test]
    fn a_network_may_end_at_any_layer() {
        for arch in Arch::ALL {
            for layer in arch.layers().filter(|&layer| !arch.expected_tensors(layer).is_empty()) {
                assert_eq!(deepest_layer(arch, &shapes_up_to(arch, &layer.to_string())), Ok(layer));
            }
        }
    }

    #[test]
    fn holes_strangers_and_wrong_shapes_are_told_together() {
        let mut shapes = shapes_up_to(Arch::Vgg19, "relu2_2");
        shapes.remove("features.2.bias");
        shapes.insert("features.1.weight".to_owned(), vec![64]);
        shapes.insert("features.5.weight".to_owned(), vec![128, 64, 5, 5]);
        let mismatch = deepest_layer(Arch::Vgg19, &shapes).unwrap_err();
        assert_eq!(mismatch.missing, ["features.2.bias"]);
        assert_eq!(mismatch.unexpected, ["features.1.weight"]);
        assert!(mismatch.wrong[0].starts_with("features.5.weight (shape [128, 64, 5, 5]"), "{mismatch}");
    }

    #[test]
    fn another_network_is_none_of_ours() {
        let resnet = shapes_up_to(Arch::ResNet50, "layer4.2");
        assert!(deepest_layer(Arch::Vgg19, &resnet).is_err());
        let mut resnet101 = resnet;
        resnet101.insert("layer3.6.conv1.weight".to_owned(), vec![256, 1024, 1, 1]);
        let mismatch = deepest_layer(Arch::ResNet50, &resnet101).unwrap_err();
        assert_eq!(mismatch.unexpected, ["layer3.6.conv1.weight"]);
        assert!(deepest_layer(Arch::Vgg19, &TensorShapes::new()).is_err());
        assert!(deepest_layer(Arch::Vgg19, &shapes_up_to(Arch::Vgg16, "relu5_3")).is_err());
    }

    #[test]
    fn what_is_written_is_loaded_with_its_input_space() {
        let folder = tempfile::tempdir().unwrap();
        for (arch, space) in [
            (Arch::Vgg16, LossInputSpace::oxford_bgr()),
            (Arch::Vgg16, LossInputSpace::torchvision_rgb()),
            (Arch::InceptionV3, Arch::InceptionV3.torchvision_input_space()),
        ] {
            let path = folder.path().join("net.safetensors");
            let first = arch.layers().next().unwrap();
            let tensors: Vec<(String, Tensor)> = shapes_up_to(arch, &first.to_string())
                .into_iter()
                .map(|(name, shape)| (name, Tensor::ones(shape, kind::FLOAT_CPU)))
                .collect();
            let about = [("licence", "CC BY 4.0".to_owned())];
            write_loss_net(&path, arch, &space, &tensors, &about).unwrap();
            let net = LossNet::load(&path, &[first], Device::Cpu).unwrap();
            assert_eq!((net.arch(), net.input_space()), (arch, &space));
        }
    }
}
