//! From tensors to the file under its name, and what can be said of it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use common::lossnet::{Arch, Layer, LossNetShelf, deepest_layer, write_loss_net};
use common::space::LossInputSpace;
use common::tensor_file::{TensorFile, TensorFileError};
use tch::{Kind, Tensor};

use super::FetchError;
use super::manifest::Weights;
use super::pin::sha256_of_all;
use super::weights_file::Found;

/// How the weights were checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checked {
    /// By the whole file's sha256.
    BySum,
    /// By the first digits of it.
    ByFirstDigits,
    /// By the sum of the layers' numbers.
    ByConvolutions,
    /// Not at all, as the user allowed.
    Not,
}

/// A loss network that is in place.
#[derive(Debug)]
pub struct Installed {
    /// The file.
    pub path: PathBuf,
    /// Whose weights.
    pub weights: String,
    /// The terms of use.
    pub licence: String,
    /// What its first convolution wants to see.
    pub input_space: LossInputSpace,
    /// How far it reaches.
    pub deepest: Layer,
    /// The sum of its numbers.
    pub convolutions_sha256: String,
    /// How they were checked.
    pub checked: Checked,
}

/// What a source has given.
pub(super) struct Delivery<'a> {
    pub(super) found: Found,
    pub(super) weights: &'a Weights,
    /// Address or file name.
    pub(super) source_name: &'a str,
    /// Of the whole file; None where only a part came.
    pub(super) source_sha256: Option<&'a str>,
    pub(super) checked: Checked,
}

impl Delivery<'_> {
    /// Converts and puts in place.
    pub(super) fn put(self, name: &'static str, folder: &Path) -> Result<Installed, FetchError> {
        let Self { found, weights, source_name, source_sha256, .. } = self;
        let unusable =
            |reason: String| FetchError::Content { name, reason, source_name: source_name.to_owned() };
        let arch = weights.arch;
        let shapes = found.tensors.iter().map(|(name, tensor)| (name.clone(), tensor.size())).collect();
        let deepest = deepest_layer(arch, &shapes).map_err(|mismatch| unusable(mismatch.to_string()))?;
        let tensors = in_order(arch, found.tensors);
        if tensors.iter().any(|(_, tensor)| tensor.isfinite().all().int64_value(&[]) == 0) {
            return Err(unusable("some numbers are not finite".to_owned()));
        }
        let sum = convolutions_sha256(&tensors);
        let checked = match (self.checked, weights.convolutions_sha256) {
            (Checked::Not, Some(expected)) if expected == sum => Checked::ByConvolutions,
            (Checked::Not, Some(expected)) => {
                return Err(FetchError::WrongSum {
                    found: sum,
                    expected: expected.to_owned(),
                    source_name: source_name.to_owned(),
                });
            }
            (checked, _) => checked,
        };

        let mut about = vec![
            ("weights", weights.title.to_owned()),
            ("licence", weights.licence.to_owned()),
            ("credit", weights.credit.to_owned()),
            ("source", public_name(source_name)),
            ("convolutions_sha256", sum.clone()),
            ("deepest", deepest.to_string()),
        ];
        about.extend(source_sha256.map(|sum| ("source_sha256", sum.to_owned())));
        let path = LossNetShelf::of(folder.to_owned()).file_of(name)?;
        let input_space = found.input_space.unwrap_or_else(|| weights.trained_in.input_space());
        write_loss_net(&path, arch, &input_space, &tensors, &about).map_err(|error| match error {
            TensorFileError::Write(error) => FetchError::local(&error.path, error.cause),
            other => unusable(other.to_string()),
        })?;
        Ok(Installed {
            path,
            weights: weights.title.to_owned(),
            licence: weights.licence.to_owned(),
            input_space,
            deepest,
            convolutions_sha256: sum,
            checked,
        })
    }
}

/// What is in place under a name, in words: whose weights, up to where. None where there is no file, or a broken one.
pub fn installed(shelf: &LossNetShelf, name: &str) -> Option<(PathBuf, String)> {
    let path = shelf.file_of(name).ok()?;
    let file = TensorFile::open(&path).ok()?;
    let weights = file.metadata("weights").unwrap_or("own");
    let about = match file.metadata("deepest") {
        Some(deepest) => format!("{weights} weights up to {deepest}"),
        None => format!("{weights} weights"),
    };
    Some((path, about))
}

/// The sha256 of the numbers alone: f32, little-endian, from the shallowest layer to the deepest; of each convolution
/// weight and bias, or its weight and its norm's weight, bias, mean and variance. The same for the same weights in any file format.
///
/// # Panics
/// If a tensor is not f32 on the CPU.
pub fn convolutions_sha256(tensors: &[(String, Tensor)]) -> String {
    let bytes: Vec<Vec<u8>> = tensors
        .iter()
        .map(|(_, tensor)| {
            let numbers: Vec<f32> =
                Vec::try_from(tensor.flatten(0, -1)).expect("the tensors are in f32 and on the CPU");
            numbers.into_iter().flat_map(f32::to_le_bytes).collect()
        })
        .collect();
    sha256_of_all(bytes.iter().map(Vec::as_slice))
}

/// As the file may say it, which may be passed on: an address without password and key, a path without its folders.
fn public_name(source_name: &str) -> String {
    match source_name.split_once("://") {
        Some((scheme, rest)) => {
            let rest = rest.split(['?', '#']).next().unwrap_or_default();
            let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            let host = authority.rsplit('@').next().unwrap_or_default();
            format!("{scheme}://{host}{path}")
        }
        None => Path::new(source_name).file_name().unwrap_or_default().to_string_lossy().into_owned(),
    }
}

/// In f32, as the network goes through them.
fn in_order(arch: Arch, mut tensors: BTreeMap<String, Tensor>) -> Vec<(String, Tensor)> {
    arch.layers()
        .flat_map(|layer| arch.expected_tensors(layer))
        .filter_map(|(name, _)| tensors.remove_entry(&name))
        .map(|(name, tensor)| (name, tensor.to_kind(Kind::Float)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_and_folders_are_not_written_down() {
        assert_eq!(public_name("https://me:secret@host:8080/a/b.pth?key=1#x"), "https://host:8080/a/b.pth");
        assert_eq!(public_name("https://host/a@b.pth"), "https://host/a@b.pth");
        assert_eq!(public_name("/home/me/vgg19.pth"), "vgg19.pth");
    }
}
