//! Which loss networks there are.

use std::fmt;

use super::folded::{inception_v3, resnet50};
use super::layer::Place;
use super::{Layer, vgg};
use crate::space::{ChannelOrder, LossInputSpace};
use crate::tensor_file::ExpectedTensor;

/// One of the loss networks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arch {
    /// 13 convolutions: blocks of 2, 2, 3, 3, 3 (Simonyan and Zisserman 2014, <https://arxiv.org/abs/1409.1556>, table 1, D).
    Vgg16,
    /// 16 convolutions: blocks of 2, 2, 4, 4, 4 (table 1, E).
    Vgg19,
    /// Stages of 3, 4, 6, 3 bottlenecks (He et al. 2015, <https://arxiv.org/abs/1512.03385>, table 1), which take their
    /// stride in the 3x3 convolution, as torchvision's do.
    ResNet50,
    /// Szegedy et al. 2015, <https://arxiv.org/abs/1512.00567>, as torchvision builds it.
    InceptionV3,
}

/// Each batch norm counts the batches that it has learned from.
const BATCH_COUNT: &str = ".num_batches_tracked";

impl Arch {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Vgg16, Self::Vgg19, Self::ResNet50, Self::InceptionV3];

    /// As a file's metadata say it: `vgg16`, `vgg19`, `resnet50` or `inception_v3`.
    pub fn id(self) -> &'static str {
        match self {
            Self::Vgg16 => "vgg16",
            Self::Vgg19 => "vgg19",
            Self::ResNet50 => "resnet50",
            Self::InceptionV3 => "inception_v3",
        }
    }

    /// The network that is called so.
    pub fn of_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|arch| arch.id() == id)
    }

    /// Every layer of the network, from the shallowest to the deepest.
    pub fn layers(self) -> impl DoubleEndedIterator<Item = Layer> {
        let layers: Vec<Layer> = match self {
            Self::Vgg16 | Self::Vgg19 => (1..=5)
                .flat_map(|block| {
                    (1..=vgg::convolutions_of_block(self, block)).map(move |index| (block, index))
                })
                .filter_map(|(block, index)| Layer::vgg(block, index))
                .collect(),
            Self::ResNet50 => Layer::all_of_resnet50().collect(),
            Self::InceptionV3 => Layer::all_of_inception_v3().collect(),
        };
        layers.into_iter()
    }

    /// Whether the network has this layer.
    pub fn has(self, layer: Layer) -> bool {
        self.layers().any(|own| own == layer)
    }

    /// The names and shapes of what a layer needs beyond the layers before it: torchvision's `state_dict`, less the counts
    /// of batches. None for a pooling.
    ///
    /// # Panics
    /// If the network has no such layer.
    pub fn expected_tensors(self, layer: Layer) -> Vec<ExpectedTensor> {
        assert!(self.has(layer), "{self} has no layer {layer}");
        match layer.place() {
            Place::Vgg { block, index } => vgg::expected_tensors(self, block, index).into(),
            Place::ResNet50 { depth } => resnet50::layer(usize::from(depth)).expected_tensors(),
            Place::InceptionV3 { depth } => inception_v3::layer(usize::from(depth)).expected_tensors(),
        }
    }

    /// Whether a tensor of this name is part of what gives the layers: all that a loss network file needs.
    pub fn is_of_layers(self, name: &str) -> bool {
        let starts: &[&str] = match self {
            Self::Vgg16 | Self::Vgg19 => &["features."],
            Self::ResNet50 => &["conv1.", "bn1.", "layer"],
            Self::InceptionV3 => &["Conv2d_", "Mixed_"],
        };
        starts.iter().any(|start| name.starts_with(start)) && !name.ends_with(BATCH_COUNT)
    }

    /// Whether a tensor of this name is part of the classifier that the network was trained as, or of its training, and
    /// none of our business.
    pub fn is_of_classifier(self, name: &str) -> bool {
        match self {
            Self::Vgg16 | Self::Vgg19 => name.starts_with("classifier."),
            Self::ResNet50 | Self::InceptionV3 => {
                ["fc.", "AuxLogits."].iter().any(|start| name.starts_with(start))
                    || name.ends_with(BATCH_COUNT)
            }
        }
    }

    /// What torchvision's weights want to see: RGB normalised by ImageNet's mean and deviation, and Inception's, which come
    /// from TensorFlow, RGB from -1 to 1 (torchvision's `transform_input` turns the one into the other).
    pub fn torchvision_input_space(self) -> LossInputSpace {
        match self {
            Self::Vgg16 | Self::Vgg19 | Self::ResNet50 => LossInputSpace::torchvision_rgb(),
            Self::InceptionV3 => LossInputSpace {
                channel_order: ChannelOrder::Rgb,
                scale_from_byte: 1.0 / 255.0,
                mean: [0.5; 3],
                std: [0.5; 3],
            },
        }
    }
}

impl fmt::Display for Arch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Vgg16 => "VGG-16",
            Self::Vgg19 => "VGG-19",
            Self::ResNet50 => "ResNet-50",
            Self::InceptionV3 => "Inception-v3",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(arch: Arch, layer: &str, name: &str) -> Vec<i64> {
        let tensors = arch.expected_tensors(layer.parse().unwrap());
        let found = tensors.into_iter().find(|(found, _)| found == name);
        found.unwrap_or_else(|| panic!("{arch} has no {name} at {layer}")).1
    }

    #[test]
    fn ids_lead_to_their_networks() {
        for arch in Arch::ALL {
            assert_eq!(Arch::of_id(arch.id()), Some(arch));
        }
        assert_eq!(Arch::of_id("resnet101"), None);
    }

    #[test]
    fn names_and_shapes_are_torchvisions() {
        assert_eq!(shape(Arch::Vgg19, "relu1_1", "features.0.weight"), [64, 3, 3, 3]);
        assert_eq!(shape(Arch::Vgg19, "relu4_2", "features.21.weight"), [512, 512, 3, 3]);
        assert_eq!(shape(Arch::Vgg19, "relu5_4", "features.34.bias"), [512]);
        assert_eq!(shape(Arch::Vgg16, "relu3_3", "features.14.weight"), [256, 256, 3, 3]);
        assert_eq!(shape(Arch::Vgg16, "relu5_3", "features.28.bias"), [512]);
        assert_eq!(shape(Arch::ResNet50, "relu", "conv1.weight"), [64, 3, 7, 7]);
        assert_eq!(shape(Arch::ResNet50, "layer1.0", "layer1.0.downsample.0.weight"), [256, 64, 1, 1]);
        assert_eq!(shape(Arch::ResNet50, "layer4.2", "layer4.2.bn3.running_var"), [2048]);
        assert_eq!(
            shape(Arch::InceptionV3, "Mixed_6b", "Mixed_6b.branch7x7_2.conv.weight"),
            [128, 128, 1, 7]
        );
        assert_eq!(shape(Arch::InceptionV3, "Mixed_7c", "Mixed_7c.branch_pool.bn.weight"), [192]);
    }

    /// The published numbers of parameters less those of the classifiers: 25 557 032 - 2 049 000, and 27 161 264 -
    /// 2 049 000 - 3 326 696 for Inception's second classifier. Means and variances are none.
    #[test]
    fn networks_have_as_many_parameters_as_published() {
        let count = |arch: Arch| -> i64 {
            let tensors = arch.layers().flat_map(|layer| arch.expected_tensors(layer));
            tensors
                .filter(|(name, _)| !name.contains(".running_"))
                .map(|(_, shape)| shape.iter().product::<i64>())
                .sum()
        };
        assert_eq!(count(Arch::Vgg16), 14_714_688);
        assert_eq!(count(Arch::Vgg19), 20_024_384);
        assert_eq!(count(Arch::ResNet50), 23_508_032);
        assert_eq!(count(Arch::InceptionV3), 21_785_568);
    }
}
