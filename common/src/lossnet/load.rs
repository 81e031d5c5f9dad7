//! From a file to a loss network.

use std::path::Path;

use tch::Device;

use super::metadata::{arch_of, input_space_of, pooling_of};
use super::{Arch, Layer, LossNet, LossNetError};
use crate::tensor_file::{ExpectedTensor, TensorFile};

impl LossNet {
    /// Loads the network up to the deepest of `layers`. What lies deeper in the file is not looked at.
    ///
    /// The file is safetensors (f32, f16 or bf16, mixed as it likes) with torchvision's names; the classifier's
    /// tensors may be in it. It may end early, as long as no deeper layer is asked for. Its metadata may say:
    ///
    /// | key | values | without it |
    /// |---|---|---|
    /// | `arch` | `vgg16`, `vgg19`, `resnet50`, `inception_v3` | told from names and shapes |
    /// | `channel_order` | `rgb`, `bgr` | torchvision's space, whose key names the file uses |
    /// | `input_range` | `0-1`, `0-255` | `0-255` for `bgr`, `0-1` for `rgb` |
    /// | `mean`, `std` | three numbers each, in the channel order | Oxford's for `bgr`, torchvision's for `rgb` |
    /// | `pooling` | `max`, `average` | `max` |
    ///
    /// # Errors
    /// The file cannot be read, is of a network without one of `layers`, ends before one of them, or its names, shapes or
    /// metadata are not as above.
    pub fn load(path: &Path, layers: &[Layer], device: Device) -> Result<Self, LossNetError> {
        let file = TensorFile::open(path)?;
        let arch = arch_of(&file)?;
        let input_space = input_space_of(&file, arch)?;
        let pooling = pooling_of(&file)?;
        if let Some(&layer) = layers.iter().find(|&&layer| !arch.has(layer)) {
            return Err(LossNetError::NoSuchLayer { layer, arch, path: path.to_owned() });
        }
        let deepest = layers.iter().max().copied();
        let wanted: Vec<Layer> = arch.layers().take_while(|&layer| Some(layer) <= deepest).collect();
        check_depth(&file, arch, &wanted)?;

        let expected: Vec<ExpectedTensor> =
            wanted.iter().flat_map(|&layer| arch.expected_tensors(layer)).collect();
        let known: Vec<String> =
            arch.layers().flat_map(|layer| arch.expected_tensors(layer)).map(|(name, _)| name).collect();
        let is_ignored = |name: &str| arch.is_of_classifier(name) || known.iter().any(|known| known == name);
        let tensors = file.load(&expected, is_ignored, device)?;
        let tensor = |name: &str, _: &[i64]| tensors[name].shallow_clone();
        Ok(Self::from_tensors(arch, input_space, layers, tensor).with_pooling(pooling))
    }
}

/// A file that ends early gets an error of its own, which names the layer; a hole in the middle is a mismatch like
/// any other.
fn check_depth(file: &TensorFile, arch: Arch, wanted: &[Layer]) -> Result<(), LossNetError> {
    let Some(&layer) = wanted.last() else { return Ok(()) };
    let names = file.names();
    // What needs nothing, as a pooling does, is held where the file goes on.
    let holds = |layer: &Layer, without_needs: bool| {
        let expected = arch.expected_tensors(*layer);
        if expected.is_empty() {
            without_needs
        } else {
            expected.iter().any(|(name, _)| names.contains(name))
        }
    };
    let held: Vec<Layer> = arch.layers().take_while(|layer| holds(layer, true)).collect();
    let is_cut = arch.layers().skip(held.len()).all(|layer| !holds(&layer, false));
    match (held.last(), arch.layers().nth(held.len())) {
        (Some(&deepest), Some(first_missing)) if is_cut && deepest < layer => {
            let (missing, _) = arch.expected_tensors(first_missing).swap_remove(0);
            Err(LossNetError::EndsBefore { layer, missing, deepest, path: file.path().to_owned() })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
