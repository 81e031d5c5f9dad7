//! Layers, and how much each of them counts.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::lossnet::{Layer, ParseLayerError};

/// Layers, from the shallowest to the deepest, and how much each counts beside the others. Written as
/// `relu1_1,relu2_1=0.5`; without a number a layer counts 1.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LayerWeights(BTreeMap<Layer, f64>);

/// Layer weights that cannot be read.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ParseLayerWeightsError {
    /// There is no such layer.
    #[error(transparent)]
    Layer(#[from] ParseLayerError),
    /// What follows the `=` is no weight.
    #[error("weight `{found}` of layer {layer}: expected a number of 0 or more, as in {layer}=0.5")]
    Weight {
        /// The layer.
        layer: Layer,
        /// What was found.
        found: String,
    },
    /// A layer is named twice.
    #[error("layer {0} is named twice")]
    Twice(Layer),
}

impl LayerWeights {
    /// The layers, each of which counts 1.
    pub fn equal(layers: impl IntoIterator<Item = Layer>) -> Self {
        Self(layers.into_iter().map(|layer| (layer, 1.0)).collect())
    }

    /// The layers, from the shallowest to the deepest.
    pub fn layers(&self) -> impl Iterator<Item = Layer> + '_ {
        self.0.keys().copied()
    }

    /// The layers with their weights, from the shallowest to the deepest.
    pub fn iter(&self) -> impl Iterator<Item = (Layer, f64)> + '_ {
        self.0.iter().map(|(&layer, &weight)| (layer, weight))
    }

    /// How much a layer counts: 0 for one that is not among them.
    pub fn weight(&self, layer: Layer) -> f64 {
        self.0.get(&layer).copied().unwrap_or(0.0)
    }

    /// Whether a layer is among them, whatever it counts.
    pub fn contains(&self, layer: Layer) -> bool {
        self.0.contains_key(&layer)
    }

    /// Whether there are no layers.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<(Layer, f64)> for LayerWeights {
    fn from_iter<T: IntoIterator<Item = (Layer, f64)>>(layers: T) -> Self {
        Self(layers.into_iter().collect())
    }
}

impl FromStr for LayerWeights {
    type Err = ParseLayerWeightsError;

    fn from_str(text: &str) -> Result<Self, ParseLayerWeightsError> {
        let mut weights = BTreeMap::new();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let (name, weight) = part.split_once('=').unwrap_or((part, "1"));
            let layer: Layer = name.trim().parse()?;
            let weight = match weight.trim().parse::<f64>() {
                Ok(weight) if weight >= 0.0 && weight.is_finite() => weight,
                _ => return Err(ParseLayerWeightsError::Weight { layer, found: weight.to_owned() }),
            };
            if weights.insert(layer, weight).is_some() {
                return Err(ParseLayerWeightsError::Twice(layer));
            }
        }
        Ok(Self(weights))
    }
}

impl TryFrom<String> for LayerWeights {
    type Error = ParseLayerWeightsError;

    fn try_from(text: String) -> Result<Self, ParseLayerWeightsError> {
        text.parse()
    }
}

impl From<LayerWeights> for String {
    fn from(weights: LayerWeights) -> Self {
        weights.to_string()
    }
}

impl fmt::Display for LayerWeights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (layer, weight)) in self.iter().enumerate() {
            let comma = if place == 0 { "" } else { "," };
            write!(f, "{comma}{layer}")?;
            if weight != 1.0 {
                write!(f, "={weight}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_read_and_written_alike() {
        for text in ["", "relu1_1", "relu1_1,relu2_1=0.5", "relu4_2=0,relu5_1=1e-3"] {
            let weights: LayerWeights = text.parse().unwrap();
            assert_eq!(weights.to_string().parse::<LayerWeights>().unwrap(), weights, "{text}");
        }
        let weights: LayerWeights = " relu2_1 = 0.5 , relu1_1".parse().unwrap();
        assert_eq!(weights.to_string(), "relu1_1,relu2_1=0.5");
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["relu9_1", "relu1_1=", "relu1_1=-1", "relu1_1=nan", "relu1_1=x", "relu1_1,relu1_1=2"] {
            assert!(text.parse::<LayerWeights>().is_err(), "{text}");
        }
    }
}
