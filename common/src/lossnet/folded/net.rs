//! The network itself, and its passes.

use std::collections::BTreeMap;

use tch::{Kind, Tensor};

use super::conv::FoldedConv;
use super::layer_spec;
use super::node::Node;
use crate::channels_last::channels_last;
use crate::lossnet::{Features, Layer, Pooling};
use crate::space::LossInputSpace;

/// The first layers of a network.
pub(in crate::lossnet) struct FoldedNet {
    input_space: LossInputSpace,
    pooling: Pooling,
    layers: Vec<(Layer, Node<FoldedConv>)>,
}

impl FoldedNet {
    /// Of `layers`, from the first on.
    pub(in crate::lossnet) fn new(
        input_space: LossInputSpace,
        layers: &[Layer],
        tensor: impl Fn(&str, &[i64]) -> Tensor,
    ) -> Self {
        let layers = tch::no_grad(|| {
            let folded = |layer| layer_spec(layer).map(&|conv| conv.folded(&tensor));
            layers.iter().map(|&layer| (layer, folded(layer))).collect()
        });
        Self { input_space, pooling: Pooling::Max, layers }
    }

    pub(in crate::lossnet) fn with_pooling(self, pooling: Pooling) -> Self {
        Self { pooling, ..self }
    }

    pub(in crate::lossnet) fn features(&self, byte_rgb: &Tensor, layers: &[Layer]) -> Features {
        let Some(&deepest) = layers.iter().max() else { return Features::new() };
        assert!(self.layers.iter().any(|(layer, _)| *layer == deepest), "{deepest} was not loaded");
        let mut features = Features::new();
        let loss_input = self.input_space.loss_input_from_byte_rgb(byte_rgb);
        // Faster than planes on a CPU, too, and all that follows keeps it.
        let mut x = channels_last(&loss_input, Kind::Float);
        for (layer, node) in self.layers.iter().take_while(|(layer, _)| *layer <= deepest) {
            x = node.forward(&x, self.pooling);
            if layers.contains(layer) {
                features.insert(*layer, x.shallow_clone());
            }
        }
        features
    }

    /// The activations at `layers`, and what it takes to go back.
    pub(in crate::lossnet) fn record(&self, byte_rgb: &Tensor, layers: &[Layer]) -> FoldedRecording {
        // Whoever trains by hand has autograd off.
        tch::with_grad(|| {
            let input = byte_rgb.detach().to_kind(Kind::Float).set_requires_grad(true);
            let activations = self.features(&input, layers);
            let kept = activations.iter().map(|(&layer, activation)| (layer, activation.detach())).collect();
            FoldedRecording { input, activations, kept }
        })
    }
}

/// A forward pass that autograd has recorded.
pub(in crate::lossnet) struct FoldedRecording {
    input: Tensor,
    activations: Features,         // as autograd knows them
    kept: BTreeMap<Layer, Tensor>, // the same numbers, of which it knows nothing
}

impl FoldedRecording {
    pub(in crate::lossnet) fn features(&self, layer: Layer) -> &Tensor {
        self.kept.get(&layer).unwrap_or_else(|| panic!("{layer} was not recorded"))
    }

    pub(in crate::lossnet) fn backward(
        self,
        mut add_gradient: impl FnMut(Layer, &Tensor, Option<Tensor>) -> Option<Tensor>,
    ) -> Tensor {
        let Self { input, activations, mut kept } = self;
        let mut sum: Option<Tensor> = None;
        for (layer, activation) in activations.into_iter().rev() {
            let features = kept.remove(&layer).expect("kept for each layer");
            let Some(gradient) = add_gradient(layer, &features, None) else { continue };
            // A number whose gradient at the activation is the one given.
            let product = tch::with_grad(|| (activation * gradient.detach()).sum(Kind::Float));
            sum = Some(match sum {
                Some(sum) => tch::with_grad(|| sum + product),
                None => product,
            });
        }
        let sum = sum.expect("a gradient at some layer");
        Tensor::run_backward(&[sum], &[input], /*keep_graph:*/ false, /*create_graph:*/ false).remove(0)
    }
}

#[cfg(test)]
mod tests;
