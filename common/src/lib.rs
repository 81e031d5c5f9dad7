//! The tensor side that the trainer and the inference program share: value spaces, the style network, the
//! frozen loss network, losses, optimisers and style files.
//!
//! Data flows one way: a picture enters through [`space`], passes the style network ([`net`]), is judged by the
//! loss network ([`lossnet`]) and the losses ([`loss`]), and the optimiser ([`optim`]) moves the network's
//! parameters, which [`style_file`] keeps. The crate never prints, never exits and never reads arguments.

pub mod cache_folder;
mod channels_last;
pub mod colour_match;
pub mod device;
pub mod engine;
pub mod exit_status;
pub mod fast;
pub mod gatys;
pub mod interrupt;
pub mod loss;
pub mod lossnet;
pub mod memory;
pub mod metric;
pub mod net;
#[cfg(test)]
mod noise;
pub mod onnx_file;
pub mod optim;
pub mod photo_colours;
pub mod precision;
pub mod space;
pub mod style_file;
pub mod tensor_file;
pub mod torch_file;
