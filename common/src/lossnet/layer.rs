//! Names of loss networks' activations.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::folded::{inception_v3, resnet50};

/// An activation of a loss network, by the name that its own literature has for it:
///
/// - VGG: `reluB_I`, the I-th rectified convolution of block B, both from 1;
/// - ResNet-50: `relu` and `maxpool` of the stem, and `layerS.B`, block B (from 0) of stage S (from 1), after its last
///   ReLU; `layerS` is the last of its stage;
/// - Inception-v3: `Conv2d_1a_3x3` to `Mixed_7c`, torchvision's modules.
///
/// Ordered by depth within a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Layer(Place);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Place {
    /// Both from 1.
    Vgg { block: u8, index: u8 },
    /// Which of the network's layers, from 0.
    ResNet50 { depth: u8 },
    /// As above.
    InceptionV3 { depth: u8 },
}

/// A layer name that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "unknown layer `{0}`: expected relu1_1 to relu5_4 for VGG (relu5_3 for VGG-16), layer1.0 to layer4.2 for ResNet-50, \
     Conv2d_1a_3x3 to Mixed_7c for Inception-v3; such as relu4_2, layer3.5 or Mixed_6e"
)]
pub struct ParseLayerError(String);

impl Layer {
    /// The VGG layer of this block (1 to 5) and place in it (1 to 4, and to 2 in the first two blocks).
    pub fn vgg(block: u8, index: u8) -> Option<Self> {
        let last = match block {
            1 | 2 => 2,
            3..=5 => 4,
            _ => return None,
        };
        (1..=last).contains(&index).then_some(Self(Place::Vgg { block, index }))
    }

    /// The block and the place in it of a VGG layer, both from 1: activations have 1/2^(block - 1) of the input's
    /// resolution.
    pub fn vgg_place(self) -> Option<(u8, u8)> {
        match self.0 {
            Place::Vgg { block, index } => Some((block, index)),
            Place::ResNet50 { .. } | Place::InceptionV3 { .. } => None,
        }
    }

    /// Every layer of ResNet-50, from the shallowest to the deepest.
    pub(super) fn all_of_resnet50() -> impl Iterator<Item = Self> {
        (0..resnet50::LAYER_NAMES.len()).map(|depth| Self(Place::ResNet50 { depth: depth as u8 }))
    }

    /// Every layer of Inception-v3, from the shallowest to the deepest.
    pub(super) fn all_of_inception_v3() -> impl Iterator<Item = Self> {
        (0..inception_v3::LAYER_NAMES.len()).map(|depth| Self(Place::InceptionV3 { depth: depth as u8 }))
    }

    pub(super) fn place(self) -> Place {
        self.0
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Place::Vgg { block, index } => write!(f, "relu{block}_{index}"),
            Place::ResNet50 { depth } => f.write_str(resnet50::LAYER_NAMES[usize::from(depth)]),
            Place::InceptionV3 { depth } => f.write_str(inception_v3::LAYER_NAMES[usize::from(depth)]),
        }
    }
}

impl FromStr for Layer {
    type Err = ParseLayerError;

    fn from_str(name: &str) -> Result<Self, ParseLayerError> {
        let vgg = || {
            let (block, index) = name.strip_prefix("relu")?.split_once('_')?;
            Self::vgg(block.parse().ok()?, index.parse().ok()?)
        };
        let resnet50 = || {
            let last_of_stage = || {
                // Names of one stage stand together, so that the last that begins with it is its last block.
                let stage = name.strip_prefix("layer").filter(|stage| stage.len() == 1)?;
                Self::all_of_resnet50()
                    .filter(|layer| layer.to_string().starts_with(&format!("layer{stage}.")))
                    .last()
            };
            Self::all_of_resnet50().find(|layer| layer.to_string() == name).or_else(last_of_stage)
        };
        let inception_v3 = || Self::all_of_inception_v3().find(|layer| layer.to_string() == name);
        vgg().or_else(resnet50).or_else(inception_v3).ok_or_else(|| ParseLayerError(name.to_owned()))
    }
}

impl TryFrom<String> for Layer {
    type Error = ParseLayerError;

    fn try_from(name: String) -> Result<Self, ParseLayerError> {
        name.parse()
    }
}

impl From<Layer> for String {
    fn from(layer: Layer) -> Self {
        layer.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lossnet::Arch;

    #[test]
    fn names_are_read_and_written_alike() {
        for arch in Arch::ALL {
            for layer in arch.layers() {
                assert_eq!(layer.to_string().parse(), Ok(layer));
                let json = serde_json::to_string(&layer).unwrap();
                assert_eq!(
                    (json.as_str(), serde_json::from_str(&json).unwrap()),
                    (&*format!("\"{layer}\""), layer)
                );
            }
        }
    }

    #[test]
    fn what_no_network_has_is_refused() {
        for name in [
            "relu1_3",
            "relu0_1",
            "relu6_1",
            "relu3_5",
            "conv4_2",
            "relu4",
            "relu4_",
            "relu4_0",
            "",
            "layer0",
            "layer5",
            "layer1.",
            "layer1.3",
            "layer3.6",
            "layer",
            "Mixed_5e",
            "mixed_5b",
            "Mixed",
            "fc",
            "AuxLogits",
        ] {
            let error = name.parse::<Layer>().expect_err(name).to_string();
            for example in [&format!("`{name}`"), "relu4_2", "layer3.5", "Mixed_6e"] {
                assert!(error.contains(example), "{error}");
            }
        }
    }

    #[test]
    fn a_stage_of_resnet_is_its_last_block() {
        for (stage, last) in
            [("layer1", "layer1.2"), ("layer2", "layer2.3"), ("layer3", "layer3.5"), ("layer4", "layer4.2")]
        {
            assert_eq!(stage.parse::<Layer>().unwrap().to_string(), last);
        }
    }

    #[test]
    fn layers_are_ordered_by_depth() {
        for names in [
            ["relu1_1", "relu1_2", "relu3_3", "relu4_1"],
            ["relu", "maxpool", "layer2.3", "layer3.0"],
            ["Conv2d_1a_3x3", "maxpool1", "Conv2d_4a_3x3", "Mixed_5b"],
        ] {
            let mut layers: Vec<Layer> = names.iter().rev().map(|name| name.parse().unwrap()).collect();
            layers.sort();
            let sorted: Vec<String> = layers.into_iter().map(String::from).collect();
            assert_eq!(sorted, names);
        }
    }
}
