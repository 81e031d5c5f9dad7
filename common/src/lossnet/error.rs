use std::path::PathBuf;

use super::{Arch, Layer};
use crate::tensor_file::TensorFileError;

/// Why a loss network cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LossNetError {
    /// The file or the tensors in it are not as they should be.
    #[error("loss network: {0}")]
    File(TensorFileError),
    /// The file's metadata make no sense.
    #[error("loss network: metadata `{key}` is `{value}`, expected {expected}: {}", path.display())]
    Metadata {
        /// The file.
        path: PathBuf,
        /// The metadata key.
        key: &'static str,
        /// What it holds.
        value: String,
        /// What it may hold.
        expected: &'static str,
    },
    /// The network has no such layer.
    #[error(
        "loss network: {arch} has no layer {layer}; its layers are {}: {}", names_of_layers(*arch), path.display()
    )]
    NoSuchLayer {
        /// The layer asked for.
        layer: Layer,
        /// The network in the file.
        arch: Arch,
        /// The file.
        path: PathBuf,
    },
    /// The file ends before the layer that is asked for.
    #[error(
        "loss network: the file ends before layer {layer} (it has no `{missing}`); \
         choose layers up to {deepest}, or a file that goes deeper: {}", path.display()
    )]
    EndsBefore {
        /// The layer asked for.
        layer: Layer,
        /// The first tensor that it lacks.
        missing: String,
        /// The deepest layer that it holds.
        deepest: Layer,
        /// The file.
        path: PathBuf,
    },
}

impl From<TensorFileError> for LossNetError {
    fn from(error: TensorFileError) -> Self {
        Self::File(error)
    }
}

fn names_of_layers(arch: Arch) -> String {
    arch.layers().map(|layer| layer.to_string()).collect::<Vec<_>>().join(", ")
}
