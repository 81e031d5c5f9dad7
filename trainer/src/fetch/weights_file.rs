//! The layers' tensors in a file as it was published: safetensors, or what `torch.save` writes, old and new.

use std::collections::BTreeMap;
use std::path::Path;

use common::lossnet::{Arch, TensorShapes, declared_input_space, deepest_layer};
use common::space::LossInputSpace;
use common::tensor_file::{TensorFile, starts_like_safetensors};
use common::torch_file::TorchFile;
use safetensors::tensor::Dtype;
use tch::{Device, Kind, Tensor};

/// What was found in a file.
#[derive(Debug)]
pub(super) struct Found {
    /// By torchvision's name, in whatever number format the file has.
    pub(super) tensors: BTreeMap<String, Tensor>,
    /// Where the file itself says what the weights want to see.
    pub(super) input_space: Option<LossInputSpace>,
}

/// Names and shapes are checked before numbers are read, so that a file cannot ask for more memory than the network
/// takes. The error is a sentence without the path.
pub(super) fn read(path: &Path, arch: Arch) -> Result<Found, String> {
    if starts_like_safetensors(path).map_err(|error| error.to_string())? {
        read_safetensors(path, arch)
    } else {
        Ok(Found { tensors: read_pytorch(path, arch)?, input_space: None })
    }
}

fn read_safetensors(path: &Path, arch: Arch) -> Result<Found, String> {
    let file = TensorFile::open(path).map_err(|error| error.to_string())?;
    let is_of_layers = |name: &str| arch.is_of_layers(name);
    let shapes: TensorShapes = file
        .names()
        .into_iter()
        .filter(|name| is_of_layers(name))
        .filter_map(|name| Some((name.clone(), file.shape(&name)?)))
        .collect();
    check(arch, &shapes)?;
    let expected: Vec<_> = shapes.into_iter().collect();
    let tensors = file.load(&expected, |name| !is_of_layers(name), Device::Cpu);
    Ok(Found {
        tensors: tensors.map_err(|error| error.to_string())?,
        input_space: declared_input_space(&file, arch).map_err(|error| error.to_string())?,
    })
}

fn read_pytorch(path: &Path, arch: Arch) -> Result<BTreeMap<String, Tensor>, String> {
    let file = TorchFile::open(path).map_err(|error| error.to_string())?;
    let mut shapes: TensorShapes = file.shapes();
    shapes.retain(|name, _| arch.is_of_layers(name));
    check(arch, &shapes)?;
    file.load(shapes.keys().map(String::as_str)).map_err(|error| error.to_string())
}

fn check(arch: Arch, shapes: &TensorShapes) -> Result<(), String> {
    match deepest_layer(arch, shapes) {
        Ok(_) => Ok(()),
        Err(mismatch) => Err(format!("not the layers of {arch}: {mismatch}")),
    }
}

pub(super) fn kind_of_safetensors(dtype: Dtype) -> Option<Kind> {
    match dtype {
        Dtype::F32 => Some(Kind::Float),
        Dtype::F16 => Some(Kind::Half),
        Dtype::BF16 => Some(Kind::BFloat16),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
