//! Why a picture cannot be optimised.

/// Why a picture cannot be optimised.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum GatysError {
    /// The photo or a painting is too small for the layers.
    #[error(
        "{what} is {width}x{height} when it is looked at, too small for layer {layer}, which needs {needed} a side"
    )]
    TooSmall {
        /// Which picture.
        what: &'static str,
        /// Its width there.
        width: u32,
        /// Its height there.
        height: u32,
        /// The deepest layer.
        layer: crate::lossnet::Layer,
        /// The shortest side that it needs.
        needed: u32,
    },
    /// The loss is no number from the start.
    #[error(
        "the loss is not finite at the start; lower the weights, or see what the loss network's file holds"
    )]
    NotFinite,
    /// Neither a photo nor paintings.
    #[error("nothing to go by: neither content nor style layers, or no picture for them")]
    NothingToDo,
    /// The memory does not hold it.
    #[error("not enough memory at {width}x{height}: choose a smaller size ({reason})")]
    Memory {
        /// Of the result.
        width: u32,
        /// Of the result.
        height: u32,
        /// libtorch's own words.
        reason: String,
    },
}
