//! The convolutions that paint, over pictures whose channels lie together: `[rows, width, channels]`.
//!
//! A vector holds sixteen channels of one pixel, so that borders, strides and enlarging are a matter of which pixel is
//! read, and a channel's mean and variance are sums of whole vectors. Instance norm costs no pass over memory of its own:
//! each convolution gathers the [`Statistics`](RowStatistics) of what it writes, and the next one normalises what it
//! reads ([`Norm`]).
//!
//! Pictures are worked on in rows that may be part of a larger picture ([`Rows`]). What is computed does not depend on
//! how a picture is divided into bands, nor on the number of threads: bit for bit.

mod direct;
mod norm;
mod product;
mod row_sums;
mod rows;
mod scratch;
mod statistics;
mod tanh;
mod tiles;

#[cfg(test)]
mod tests;

pub use direct::DirectConv;
pub use norm::{Norm, add_normalised, normalise};
pub use row_sums::RowSumConv;
pub use rows::{Border, Rows, RowsMut};
pub use statistics::{RowStatistics, Statistics};
pub use tanh::scaled_tanh;
pub use tiles::{TileConv, Write};

/// Channels are stored in multiples of this; the unused ones are zeros.
pub const CHANNEL_MULTIPLE: usize = 32;

/// How many channels are stored for `channels` of them.
pub const fn stored_channels(channels: usize) -> usize {
    channels.next_multiple_of(CHANNEL_MULTIPLE)
}
