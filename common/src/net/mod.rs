//! The style network: one pass turns a photo into a painting.
//!
//! Johnson, Alahi and Fei-Fei 2016 (<https://arxiv.org/abs/1603.08155>) with the instance norm of Ulyanov et al.
//! 2016 (<https://arxiv.org/abs/1607.08022>); layer names are those of the network in pytorch/examples, so that
//! its weights load without a map.

mod config;
mod layers;
mod pair;
mod parameters;
mod recording;
mod style_net;

pub use config::{InputSpace, NetConfig, OutputRange, Padding, Residual, Upsample};
pub(crate) use layers::ChannelStatistics;
pub use pair::{PairNet, PairNetConfig};
pub use parameters::{ParameterSpec, Parameters, Start, parameter_specs};
pub use recording::NetRecording;
pub(crate) use recording::upsample as folded_upsampling;
pub use style_net::StyleNet;
pub(crate) use style_net::{SHORTEST_SIDE, SIDE_MULTIPLE, inner_side, reflect_to, reflected};
