//! Networks of convolutions with a batch norm behind each. Frozen, a norm is one factor and one summand for each channel,
//! which the convolution's own weights take in when they are loaded.

mod conv;
pub(super) mod inception_v3;
mod net;
mod node;
pub(super) mod resnet50;

pub(super) use self::net::{FoldedNet, FoldedRecording};

use self::conv::ConvSpec;
use self::node::Node;
use super::Layer;
use super::layer::Place;

/// What leads to a layer from the one before it.
///
/// # Panics
/// If it is one of a VGG network.
fn layer_spec(layer: Layer) -> Node<ConvSpec> {
    match layer.place() {
        Place::ResNet50 { depth } => resnet50::layer(usize::from(depth)),
        Place::InceptionV3 { depth } => inception_v3::layer(usize::from(depth)),
        Place::Vgg { .. } => panic!("{layer} has no batch norm"),
    }
}

/// The shortest side of a picture that still has a pixel at `layer`.
///
/// # Panics
/// If it is one of a VGG network.
pub(super) fn smallest_side(layer: Layer) -> u32 {
    let layers: Vec<Layer> = match layer.place() {
        Place::ResNet50 { .. } => Layer::all_of_resnet50().collect(),
        Place::InceptionV3 { .. } => Layer::all_of_inception_v3().collect(),
        Place::Vgg { .. } => panic!("{layer} has no batch norm"),
    };
    let leading = layers.into_iter().rev().filter(|&before| before <= layer);
    leading.fold(1, |side, layer| layer_spec(layer).smallest_input(side)) as u32
}
