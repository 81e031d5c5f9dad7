//! From the weights of a whole VGG classifier to a loss network file: which of its tensors are wanted, and how they are
//! written.

use std::collections::BTreeMap;
use std::path::Path;

use tch::Tensor;

use super::{Layer, VggArch};
use crate::space::{ChannelOrder, LossInputSpace};
use crate::tensor_file::{self, Mismatch, StoredAs, TensorFileError};

/// Tensors of the convolutional part, in torchvision's names, start with this; the classifier's do not.
pub const CONVOLUTIONS: &str = "features.";

/// The shape of each tensor of the convolutional part, by name.
pub type ConvolutionShapes = BTreeMap<String, Vec<i64>>;

/// The deepest layer that tensors of these shapes make up. They may end early, at any convolution.
///
/// # Errors
/// Names are missing before the last one, or a name or a shape is not that of `arch`.
pub fn deepest_layer(arch: VggArch, shapes: &ConvolutionShapes) -> Result<Layer, Mismatch> {
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

/// Writes a loss network file as [`Vgg::load`](super::Vgg::load) reads it, in f32, at once or not at all. `about` goes
/// into its metadata besides: licence, source and the like.
///
/// # Errors
/// The file cannot be written; what was there before is untouched.
pub fn write_loss_net(
    path: &Path,
    arch: VggArch,
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
    use crate::lossnet::Vgg;

    fn shapes_up_to(arch: VggArch, deepest: &str) -> ConvolutionShapes {
        let deepest: Layer = deepest.parse().unwrap();
        let layers = arch.layers().take_while(|&layer| layer <= deepest);
        layers.flat_map(|layer| arch.expected_tensors(layer)).collect()
    }

    #[test]
    fn a_network_may_end_at_any_convolution() {
        for arch in [VggArch::Vgg16, VggArch::Vgg19] {
            for layer in arch.layers() {
                assert_eq!(deepest_layer(arch, &shapes_up_to(arch, &layer.to_string())), Ok(layer));
            }
        }
    }

    #[test]
    fn holes_strangers_and_wrong_shapes_are_told_together() {
        let mut shapes = shapes_up_to(VggArch::Vgg19, "relu2_2");
        shapes.remove("features.2.bias");
        shapes.insert("features.1.weight".to_owned(), vec![64]);
        shapes.insert("features.5.weight".to_owned(), vec![128, 64, 5, 5]);
        let mismatch = deepest_layer(VggArch::Vgg19, &shapes).unwrap_err();
        assert_eq!(mismatch.missing, ["features.2.bias"]);
        assert_eq!(mismatch.unexpected, ["features.1.weight"]);
        assert!(mismatch.wrong[0].starts_with("features.5.weight (shape [128, 64, 5, 5]"), "{mismatch}");
    }

    #[test]
    fn another_network_is_no_vgg() {
        let resnet = ConvolutionShapes::from([("conv1.weight".to_owned(), vec![64, 3, 7, 7])]);
        assert!(deepest_layer(VggArch::Vgg19, &resnet).is_err());
        assert!(deepest_layer(VggArch::Vgg19, &ConvolutionShapes::new()).is_err());
        assert!(deepest_layer(VggArch::Vgg19, &shapes_up_to(VggArch::Vgg16, "relu5_3")).is_err());
    }

    #[test]
    fn what_is_written_is_loaded_with_its_input_space() {
        let folder = tempfile::tempdir().unwrap();
        for space in [LossInputSpace::oxford_bgr(), LossInputSpace::torchvision_rgb()] {
            let path = folder.path().join("vgg.safetensors");
            let tensors: Vec<(String, Tensor)> = shapes_up_to(VggArch::Vgg16, "relu1_1")
                .into_iter()
                .map(|(name, shape)| (name, Tensor::ones(shape, kind::FLOAT_CPU)))
                .collect();
            let about = [("licence", "CC BY 4.0".to_owned())];
            write_loss_net(&path, VggArch::Vgg16, &space, &tensors, &about).unwrap();
            let vgg = Vgg::load(&path, &["relu1_1".parse().unwrap()], Device::Cpu).unwrap();
            assert_eq!((vgg.arch(), vgg.input_space()), (VggArch::Vgg16, &space));
        }
    }
}
