//! Frozen feature extractors: networks trained to recognise things, whose inner activations say what a picture shows
//! (content) and how it is painted (style).

mod arch;
mod contents;
mod error;
mod folded;
mod installed;
mod layer;
mod load;
mod loss_net;
mod metadata;
mod recording;
mod vgg;

pub use arch::Arch;
pub use contents::{TensorShapes, deepest_layer, write_loss_net};
pub use error::LossNetError;
pub use installed::{LOSS_NET_NAMES, LossNetShelf, LossNetShelfError};
pub use layer::{Layer, ParseLayerError};
pub use loss_net::{Features, LossNet, Pooling};
pub use metadata::declared_input_space;
pub use recording::Recording;
