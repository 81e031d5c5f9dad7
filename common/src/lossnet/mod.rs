//! Frozen feature extractors: networks trained to recognise things, whose inner activations say what a picture shows
//! (content) and how it is painted (style).

mod conv;
mod convolutions;
mod installed;
mod layer;
mod recording;
mod vgg;

pub use convolutions::{CONVOLUTIONS, ConvolutionShapes, deepest_layer, write_loss_net};
pub use installed::{LOSS_NET_NAMES, LossNetShelf, LossNetShelfError};
pub use layer::{Layer, ParseLayerError};
pub use recording::VggRecording;
pub use vgg::{Features, LossNetError, Pooling, Vgg, VggArch, declared_input_space};
