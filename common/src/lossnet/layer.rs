//! Names of a VGG network's activations.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// An activation of a VGG network, `reluB_I`: the I-th rectified convolution of block B, both from 1. Ordered by
/// depth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Layer {
    block: u8,
    index: u8,
}

/// A layer name that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown layer `{0}`: expected relu1_1 to relu5_4 (relu5_3 for VGG-16), such as relu4_2")]
pub struct ParseLayerError(String);

impl Layer {
    /// The layer of this block (1 to 5) and place in it (1 to 4, and to 2 in the first two blocks).
    pub fn new(block: u8, index: u8) -> Option<Self> {
        let last = match block {
            1 | 2 => 2,
            3..=5 => 4,
            _ => return None,
        };
        (1..=last).contains(&index).then_some(Self { block, index })
    }

    /// The block, from 1: activations have 1/2^(block - 1) of the input's resolution.
    pub fn block(self) -> u8 {
        self.block
    }

    /// The place in the block, from 1.
    pub fn index(self) -> u8 {
        self.index
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "relu{}_{}", self.block, self.index)
    }
}

impl FromStr for Layer {
    type Err = ParseLayerError;

    fn from_str(name: &str) -> Result<Self, ParseLayerError> {
        name.strip_prefix("relu")
            .and_then(|rest| rest.split_once('_'))
            .and_then(|(block, index)| Self::new(block.parse().ok()?, index.parse().ok()?))
            .ok_or_else(|| ParseLayerError(name.to_owned()))
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

    #[test]
    fn names_are_read_and_written_alike() {
        for name in ["relu1_1", "relu2_2", "relu3_4", "relu5_4"] {
            assert_eq!(name.parse::<Layer>().unwrap().to_string(), name);
        }
    }

    #[test]
    fn what_no_vgg_has_is_refused() {
        for name in ["relu1_3", "relu0_1", "relu6_1", "relu3_5", "conv4_2", "relu4", "relu4_", "relu4_0", ""]
        {
            assert!(name.parse::<Layer>().is_err(), "{name}");
        }
    }

    #[test]
    fn layers_are_ordered_by_depth() {
        let mut layers: Vec<Layer> =
            ["relu4_1", "relu1_2", "relu3_3", "relu1_1"].iter().map(|name| name.parse().unwrap()).collect();
        layers.sort();
        let names: Vec<String> = layers.into_iter().map(String::from).collect();
        assert_eq!(names, ["relu1_1", "relu1_2", "relu3_3", "relu4_1"]);
    }
}
