//! Frozen feature extractors: networks trained to recognise things, whose inner activations say what a picture shows
//! (content) and how it is painted (style).

mod conv;
mod layer;
mod recording;
mod vgg;

pub use layer::{Layer, ParseLayerError};
pub use recording::VggRecording;
pub use vgg::{Features, LossNetError, Pooling, Vgg, VggArch};
