//! The layers' tensors in a file as it was published: safetensors, or what `torch.save` writes, old and new. A pickle is
//! interpreted by `pytorch-reader`, which builds tensors and plain values from it and runs nothing.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use common::lossnet::{Arch, TensorShapes, declared_input_space, deepest_layer};
use common::space::LossInputSpace;
use common::tensor_file::TensorFile;
use pytorch_reader::{DType, PytorchReader};
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
    if is_safetensors(path).map_err(|error| error.to_string())? {
        read_safetensors(path, arch)
    } else {
        Ok(Found { tensors: read_pytorch(path, arch)?, input_space: None })
    }
}

/// The length of a header, then the brace that it begins with.
fn is_safetensors(path: &Path) -> std::io::Result<bool> {
    let mut start = Vec::new();
    File::open(path)?.take(9).read_to_end(&mut start)?;
    Ok(start.get(8) == Some(&b'{'))
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
    // The libraries' messages may have more than one line.
    let told = |error: &dyn std::fmt::Display| error.to_string().replace('\n', " ");
    let file = PytorchReader::new(path).map_err(|error| {
        format!("neither safetensors nor a PyTorch file that can be read: {}", told(&error))
    })?;
    let mut wanted: BTreeMap<String, pytorch_reader::Tensor> = file.into_tensors().into_iter().collect();
    wanted.retain(|name, _| arch.is_of_layers(name));
    let shape =
        |tensor: &pytorch_reader::Tensor| tensor.shape().iter().map(|&side| side as i64).collect::<Vec<_>>();
    let shapes: TensorShapes = wanted.iter().map(|(name, tensor)| (name.clone(), shape(tensor))).collect();
    check(arch, &shapes)?;
    wanted
        .into_iter()
        .map(|(name, tensor)| {
            let kind = kind_of_pytorch(tensor.dtype())
                .ok_or_else(|| format!("{name} holds {:?} numbers", tensor.dtype()))?;
            let bytes = tensor.read().map_err(|error| told(&error))?;
            if bytes.len() != tensor.byte_len() {
                return Err(format!("{name} is cut short"));
            }
            Ok((name, Tensor::from_data_size(&bytes, &shape(&tensor), kind)))
        })
        .collect()
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

fn kind_of_pytorch(dtype: DType) -> Option<Kind> {
    match dtype {
        DType::F32 => Some(Kind::Float),
        DType::F16 => Some(Kind::Half),
        DType::BF16 => Some(Kind::BFloat16),
        DType::F64 => Some(Kind::Double),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
