//! A file of tensors in whatever format, under the names that its network gives them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use tch::{Device, Tensor};

use super::ImportError;
use super::plan::{Plan, Shapes};
use crate::onnx_file::{OnnxFile, OnnxFileError};
use crate::style_file::{METADATA_KEY, StyleCard};
use crate::tensor_file::TensorFile;
use crate::torch_file::{TorchFile, TorchFileError};

/// A file of tensors without a card of ours.
pub(in super::super) struct Foreign {
    path: PathBuf,
    container: Container,
    /// The file's names by those that the network gives: without what they were nested in.
    names: BTreeMap<String, String>,
    shapes: Shapes,
}

enum Container {
    Safetensors(TensorFile),
    Torch(TorchFile),
    Onnx(OnnxFile),
}

/// What networks are nested in: by training scripts, or by being run on several GPUs.
const NESTS: [&str; 6] = ["state_dict.", "model_state_dict.", "model.", "net.", "network.", "module."];

/// How deep they may be nested.
const DEEPEST: usize = 4;

impl Foreign {
    pub(in super::super) fn of_safetensors(file: TensorFile) -> Self {
        Self::new(file.path().to_owned(), &file.shapes(), Container::Safetensors(file))
    }

    /// A file that is no safetensors file.
    pub(in super::super) fn open(path: &Path) -> Result<Self, ImportError> {
        let is_onnx = path.extension() == Some("onnx".as_ref()) || OnnxFile::may_be(path);
        let (shapes, container) = if is_onnx {
            let file = OnnxFile::open(path).map_err(|reason| onnx_error(path, reason))?;
            (file.shapes(), Container::Onnx(file))
        } else {
            let file = TorchFile::open(path).map_err(|reason| torch_error(path, reason))?;
            (file.shapes(), Container::Torch(file))
        };
        Ok(Self::new(path.to_owned(), &shapes, container))
    }

    fn new(path: PathBuf, found: &Shapes, container: Container) -> Self {
        let names = unnested(found.keys().map(|name| (name.clone(), name.clone())).collect());
        let shapes = names.iter().map(|(name, raw)| (name.clone(), found[raw].clone())).collect();
        Self { path, container, names, shapes }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// By the names that the network gives.
    pub(super) fn shapes(&self) -> &Shapes {
        &self.shapes
    }

    /// The card of a style that was written for others, and has come back.
    pub(super) fn card(&self) -> Option<Result<StyleCard, ImportError>> {
        let Container::Onnx(file) = &self.container else { return None };
        let card = StyleCard::from_json(file.metadata(METADATA_KEY)?);
        Some(card.map_err(|reason| ImportError::BadCard { path: self.path.clone(), reason }))
    }

    /// Whether there may be tensors that are none of the network's parameters: a graph has constants.
    pub(super) fn may_hold_more(&self) -> bool {
        matches!(self.container, Container::Onnx(_))
    }

    /// What the file itself says of where it comes from.
    pub(super) fn declared_source(&self) -> Option<String> {
        let Container::Safetensors(file) = &self.container else { return None };
        let parts = ["source_repo", "source_path"].map(|key| file.metadata(key));
        let known: Vec<&str> = parts.into_iter().flatten().collect();
        (!known.is_empty()).then(|| known.join(" "))
    }

    /// The network's tensors by our names, as `plan` says.
    pub(super) fn load(&self, plan: &Plan, family: &str) -> Result<BTreeMap<String, Tensor>, ImportError> {
        let raw: BTreeMap<&str, &str> = plan.names().map(|name| (self.names[name].as_str(), name)).collect();
        let read = match &self.container {
            Container::Safetensors(file) => {
                let expected = raw.iter().map(|(&raw, &name)| (raw.to_owned(), self.shapes[name].clone()));
                let expected: Vec<_> = expected.collect();
                file.load(&expected, |_| true, Device::Cpu)
                    .map_err(|error| ImportError::Tensors(error, family.to_owned()))?
            }
            Container::Torch(file) => {
                file.load(raw.keys().copied()).map_err(|reason| torch_error(&self.path, reason))?
            }
            Container::Onnx(file) => {
                file.load(raw.keys().copied()).map_err(|reason| onnx_error(&self.path, reason))?
            }
        };
        let theirs = read.into_iter().map(|(name, tensor)| (raw[name.as_str()].to_owned(), tensor)).collect();
        Ok(plan.carry_out(&theirs))
    }
}

fn torch_error(path: &Path, reason: TorchFileError) -> ImportError {
    ImportError::Torch { path: path.to_owned(), reason }
}

fn onnx_error(path: &Path, reason: OnnxFileError) -> ImportError {
    ImportError::Onnx { path: path.to_owned(), reason }
}

/// Names without what they are nested in, and without TensorFlow's number of an operation's result. What lies beside a nest is
/// left behind: optimisers' states, counts of epochs.
fn unnested(mut names: BTreeMap<String, String>) -> BTreeMap<String, String> {
    for _ in 0..DEEPEST {
        let Some(nest) = NESTS.iter().find(|&nest| names.keys().any(|name| name.starts_with(nest))) else {
            break;
        };
        names = names
            .into_iter()
            .filter_map(|(name, raw)| Some((name.strip_prefix(nest)?.to_owned(), raw)))
            .collect();
    }
    names
        .into_iter()
        .map(|(name, raw)| (name.strip_suffix(":0").map_or(name.clone(), str::to_owned), raw))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nests_are_opened_and_what_lies_beside_them_is_left() {
        let names =
            ["epoch", "state_dict.module.conv1.weight", "optimizer.state.0.step", "state_dict.module.a"];
        let found = unnested(names.iter().map(|name| ((*name).to_owned(), (*name).to_owned())).collect());
        assert_eq!(found.keys().collect::<Vec<_>>(), ["a", "conv1.weight"]);
        assert_eq!(found["a"], "state_dict.module.a");
        let plain = unnested(BTreeMap::from([("Variable:0".to_owned(), "Variable:0".to_owned())]));
        assert_eq!(plain.keys().collect::<Vec<_>>(), ["Variable"]);
    }
}
