//! The style file: a network, and everything one needs to know about it, in one safetensors file.
//!
//! Tensors are named as in pytorch/examples and stored as f32 or f16. One metadata key, [`METADATA_KEY`], holds the
//! [`StyleCard`] as JSON. A file can be understood, and its style trained again, from itself alone.

mod card;
mod shelf;

use std::path::{Path, PathBuf};

use tch::{Device, Tensor};

pub use card::{BlendPart, FORMAT_VERSION, Outcome, Painting, StyleCard, sha256_hex};
pub use shelf::{Shelf, ShelfError, StyleEntry, canonical_name};

use crate::net::{Parameters, StyleNet};
use crate::tensor_file::{self, StoredAs, TensorFile, TensorFileError};

/// The metadata key that holds the card.
pub const METADATA_KEY: &str = "atelier";

/// Why a style file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StyleFileError {
    /// The file or the tensors in it are not as they should be.
    #[error("style file: {0}")]
    File(TensorFileError),
    /// The file is safetensors, but not one of ours.
    #[error("not a style file (no `{METADATA_KEY}` in its metadata): {}", path.display())]
    NoCard {
        /// The file.
        path: PathBuf,
    },
    /// The card cannot be read.
    #[error("style file: its card is not understood ({reason}): {}", path.display())]
    BadCard {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

impl From<TensorFileError> for StyleFileError {
    fn from(error: TensorFileError) -> Self {
        Self::File(error)
    }
}

/// Reads a style file: its card, and its network ready to paint on `device`.
///
/// # Errors
/// The file cannot be read, is no style file, is newer than this software, or its tensors do not fit its card.
pub fn load(path: &Path, device: Device) -> Result<(StyleCard, StyleNet), StyleFileError> {
    let file = TensorFile::open(path)?;
    let card = card_of(&file)?;
    let tensors = file.load(&Parameters::expected_tensors(&card.net), |_| false, device)?;
    let parameters = Parameters::from_named(&card.net, &tensors, device);
    let net = StyleNet::new(card.net.clone(), parameters);
    Ok((card, net))
}

/// Reads only the card of a style file.
///
/// # Errors
/// The file cannot be read, is no style file, or is newer than this software.
pub fn load_card(path: &Path) -> Result<StyleCard, StyleFileError> {
    card_of(&TensorFile::open(path)?)
}

/// Writes a style file, at once or not at all.
///
/// # Errors
/// The file cannot be written; what was there before is untouched.
pub fn save(
    path: &Path,
    card: &StyleCard,
    net: &StyleNet,
    stored_as: StoredAs,
) -> Result<(), StyleFileError> {
    let tensors: Vec<(String, Tensor)> =
        net.parameters().named().map(|(name, tensor)| (name.to_owned(), tensor.detach())).collect();
    let json = serde_json::to_string(card).expect("a card holds nothing that JSON cannot");
    Ok(tensor_file::write(path, &tensors, (METADATA_KEY, json), stored_as)?)
}

fn card_of(file: &TensorFile) -> Result<StyleCard, StyleFileError> {
    let path = || file.path().to_owned();
    let json = file.metadata(METADATA_KEY).ok_or_else(|| StyleFileError::NoCard { path: path() })?;
    StyleCard::from_json(json).map_err(|reason| StyleFileError::BadCard { path: path(), reason })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::{NetConfig, Start};

    fn small() -> (StyleCard, StyleNet) {
        let config = NetConfig { width: 2, residual_blocks: 1, ..NetConfig::default() };
        let parameters = Parameters::init(&config, Start::PyTorch, 3, Device::Cpu);
        let net = StyleNet::new(config.clone(), parameters);
        let painting = Painting { name: "test".to_owned(), ..Painting::default() };
        (StyleCard::new(config, painting), net)
    }

    #[test]
    fn a_style_survives_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("test.safetensors");
        let (card, net) = small();
        save(&path, &card, &net, StoredAs::F32).unwrap();
        let (card_read, net_read) = load(&path, Device::Cpu).unwrap();
        assert_eq!(card_read, card);
        assert!(net_read.parameters().flat().equal(net.parameters().flat()));
    }

    #[test]
    fn other_files_are_refused_with_a_reason() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("other.safetensors");
        let tensors = [("x".to_owned(), Tensor::zeros([1], tch::kind::FLOAT_CPU))];
        tensor_file::write(&path, &tensors, ("format", "pt".to_owned()), StoredAs::F32).unwrap();
        assert!(load(&path, Device::Cpu).err().unwrap().to_string().contains("not a style file"));

        let (card, net) = small();
        let json =
            serde_json::to_string(&card).unwrap().replace("\"format_version\":1", "\"format_version\":9");
        let tensors: Vec<(String, Tensor)> =
            net.parameters().named().map(|(name, tensor)| (name.to_owned(), tensor.copy())).collect();
        tensor_file::write(&path, &tensors, (METADATA_KEY, json), StoredAs::F32).unwrap();
        let message = load(&path, Device::Cpu).err().unwrap().to_string();
        assert!(message.contains("format 9"), "{message}");
    }
}
