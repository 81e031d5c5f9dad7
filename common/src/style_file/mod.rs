//! The style file: a network, and everything one needs to know about it, in one safetensors file. Files of other projects
//! ([`import`]) are read as if they were one, and ONNX is written for programs that are not ours ([`save_onnx`]).
//!
//! Tensors are named as in pytorch/examples and stored as f32 or f16. One metadata key, [`METADATA_KEY`], holds the
//! [`StyleCard`] as JSON. A file can be understood, and its style trained again, from itself alone.

mod card;
mod export;
pub mod import;
mod lineage;
mod shelf;

use std::path::{Path, PathBuf};

use tch::{Device, Tensor};

pub use card::{BlendPart, FORMAT_VERSION, Origin, Outcome, Painting, StyleCard, sha256_hex};
pub use export::save_onnx;
use import::{Foreign, ImportError};
pub use lineage::{Ancestor, Lineage, Parent};
pub use shelf::{Shelf, ShelfError, StyleEntry, canonical_name, is_called_style};

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
    /// The file is not one of ours, and none of another project's.
    #[error(transparent)]
    Import(Box<ImportError>),
    /// The file is larger than any style.
    #[error("{bytes} bytes are no style, expected at most {most}: {}", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size.
        bytes: u64,
        /// The size that is read.
        most: u64,
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

impl From<ImportError> for StyleFileError {
    fn from(error: ImportError) -> Self {
        Self::Import(Box::new(error))
    }
}

/// The largest file that is read: the widest network there can be, in f32.
const MOST_FILE_BYTES: u64 = 2 << 30;

/// The largest file of another project: a network four times as wide as the default one, in f32.
const MOST_FOREIGN_BYTES: u64 = 128 << 20;

/// Reads a style file, or the network of another project: its card, and its network ready to paint on `device`.
///
/// # Errors
/// The file cannot be read, is no style file nor a network that is known, is newer than this software, or its tensors do not
/// fit its card.
pub fn load(path: &Path, device: Device) -> Result<(StyleCard, StyleNet), StyleFileError> {
    let (file, card) = match Opened::open(path)? {
        Opened::Style(file, card) => (file, card),
        Opened::Foreign(foreign) => return Ok(import::load(&foreign, device)?),
    };
    let tensors = file.load(&Parameters::expected_tensors(&card.net), |_| false, device)?;
    let parameters = Parameters::from_named(&card.net, &tensors, device);
    let net = StyleNet::new(card.net.clone(), parameters);
    Ok((*card, net))
}

/// Reads only the card of a style file, or what the names and shapes in the network of another project say.
///
/// # Errors
/// The file cannot be read, is no style file nor a network that is known, or is newer than this software.
pub fn load_card(path: &Path) -> Result<StyleCard, StyleFileError> {
    match Opened::open(path)? {
        Opened::Style(_, card) => Ok(*card),
        Opened::Foreign(foreign) => Ok(import::card(&foreign)?),
    }
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

/// A file of tensors, ours or another project's.
enum Opened {
    Style(TensorFile, Box<StyleCard>),
    Foreign(Foreign),
}

impl Opened {
    fn open(path: &Path) -> Result<Self, StyleFileError> {
        let unreadable = |cause| TensorFileError::Read { path: path.to_owned(), cause };
        let bytes = std::fs::metadata(path).map_err(unreadable)?.len();
        let at_most = |most| {
            let is_too_large = bytes > most;
            let path = path.to_owned();
            if is_too_large { Err(StyleFileError::TooLarge { path, bytes, most }) } else { Ok(()) }
        };
        at_most(MOST_FILE_BYTES)?;
        let is_called_safetensors = path.extension() == Some("safetensors".as_ref());
        if !is_called_safetensors && !tensor_file::starts_like_safetensors(path).map_err(unreadable)? {
            at_most(MOST_FOREIGN_BYTES)?;
            return Ok(Self::Foreign(Foreign::open(path)?));
        }
        let file = TensorFile::open(path)?;
        let Some(json) = file.metadata(METADATA_KEY) else {
            at_most(MOST_FOREIGN_BYTES)?;
            return Ok(Self::Foreign(Foreign::of_safetensors(file)));
        };
        let card = StyleCard::from_json(json)
            .map_err(|reason| StyleFileError::BadCard { path: path.to_owned(), reason })?;
        Ok(Self::Style(file, Box::new(card)))
    }
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
        assert!(load(&path, Device::Cpu).err().unwrap().to_string().contains("neither a style file"));

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
