//! Networks of other projects, read as styles of ours: from what `torch.save` writes, or from safetensors without a card.
//!
//! Which project a network is of is told from the names and shapes of its tensors ([`Family`]); all of them must be there, and
//! no others. What a family computes differently from our default is said by [`NetConfig`](crate::net::NetConfig).

mod families;
mod foreign;
mod plan;

use std::path::{Path, PathBuf};

use tch::Device;

pub use self::families::Family;
pub(super) use self::foreign::Foreign;
use super::{Origin, Painting, StyleCard, canonical_name};
use crate::net::{Parameters, StyleNet};
use crate::tensor_file::{Mismatch, TensorFileError};
use crate::torch_file::TorchFileError;

/// Why a file is no network of another project.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// It is no PyTorch file, or not all of one.
    #[error("not a style file: {reason}: {}", path.display())]
    Torch {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: TorchFileError,
    },
    /// No family has such tensors.
    #[error(
        "neither a style file nor a network of a known family ({}); found {found}: {}",
        Family::known(),
        path.display()
    )]
    Unrecognised {
        /// The file.
        path: PathBuf,
        /// Some names and shapes.
        found: String,
    },
    /// A family is recognised, but not all is as it should be.
    #[error("looks like a network of {family}, but {mismatch}: {}", path.display())]
    Mismatch {
        /// The file.
        path: PathBuf,
        /// Whose first layer it has.
        family: Family,
        /// Everything that differs.
        mismatch: Mismatch,
    },
    /// The tensors cannot be read.
    #[error("network of {family}: {0}", family = .1)]
    Tensors(TensorFileError, Family),
    /// There are weights that are no numbers.
    #[error("network of {family}: it has weights that are infinite or no numbers: {}", path.display())]
    NotFinite {
        /// The file.
        path: PathBuf,
        /// Whose it is.
        family: Family,
    },
}

/// What `foreign` says of itself as a card: the style is named like the file.
pub(super) fn card(foreign: &Foreign) -> Result<StyleCard, ImportError> {
    Ok(foreign.recognised()?.card)
}

/// The network in `foreign`, on `device`.
pub(super) fn load(foreign: &Foreign, device: Device) -> Result<(StyleCard, StyleNet), ImportError> {
    let Recognised { card, family, plan } = foreign.recognised()?;
    let named = foreign.load(&plan, family)?;
    let parameters = Parameters::from_named(&card.net, &named, device);
    if !parameters.flat().isfinite().all().int64_value(&[]).eq(&1) {
        return Err(ImportError::NotFinite { path: foreign.path().to_owned(), family });
    }
    let net = StyleNet::new(card.net.clone(), parameters);
    Ok((card, net))
}

/// A file whose names and shapes are those of a family.
struct Recognised {
    card: StyleCard,
    family: Family,
    plan: plan::Plan,
}

impl Foreign {
    fn recognised(&self) -> Result<Recognised, ImportError> {
        let path = || self.path().to_owned();
        let shapes = self.shapes();
        let Some((family, plan)) = Family::of(shapes) else {
            return Err(ImportError::Unrecognised { path: path(), found: plan::sample(shapes) });
        };
        let mismatch = plan.compare(shapes, |name| family.ignores(name));
        if !mismatch.is_empty() {
            return Err(ImportError::Mismatch { path: path(), family, mismatch });
        }
        let origin = Origin {
            family: family.to_string(),
            file: file_name(self.path()),
            sha256: None,
            source: self.declared_source(),
            licence: None,
        };
        let stem = self.path().file_stem().unwrap_or_default().to_string_lossy();
        let painting = Painting { name: canonical_name(&stem), ..Painting::default() };
        let card = StyleCard { origin: Some(origin), ..StyleCard::new(plan.config.clone(), painting) };
        Ok(Recognised { card, family, plan })
    }
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests;
