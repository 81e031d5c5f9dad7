//! Frozen feature extractors: networks trained to recognise things, whose inner activations say what a picture shows
//! (content) and how it is painted (style).

mod layer;
mod vgg;

pub use layer::{Layer, ParseLayerError};
pub use vgg::{Features, LossNetError, Pooling, Vgg, VggArch};
