//! Networks of other projects, read as styles of ours: from what `torch.save` writes, from safetensors without a card, or from
//! ONNX, whose graph is not looked at. ONNX of ours has a card and comes back as the style that it was.
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
use crate::onnx_file::OnnxFileError;
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
    /// It is no ONNX file, or not all of one.
    #[error("{reason}: {}", path.display())]
    Onnx {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: OnnxFileError,
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
        family: String,
        /// Everything that differs.
        mismatch: Mismatch,
    },
    /// The tensors cannot be read.
    #[error("network of {family}: {0}", family = .1)]
    Tensors(TensorFileError, String),
    /// It says that it is ours, but its card cannot be read.
    #[error("its card is not understood ({reason}): {}", path.display())]
    BadCard {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// There are weights that are no numbers.
    #[error("network of {family}: it has weights that are infinite or no numbers: {}", path.display())]
    NotFinite {
        /// The file.
        path: PathBuf,
        /// Whose it is.
        family: String,
    },
}

/// What `foreign` says of itself as a card: the style is named like the file.
pub(super) fn card(foreign: &Foreign) -> Result<StyleCard, ImportError> {
    Ok(foreign.recognised()?.card)
}

/// The network in `foreign`, on `device`.
pub(super) fn load(foreign: &Foreign, device: Device) -> Result<(StyleCard, StyleNet), ImportError> {
    let Recognised { card, family, plan } = foreign.recognised()?;
    let named = foreign.load(&plan, &family)?;
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
    /// Whose network it is, as errors say it.
    family: String,
    plan: plan::Plan,
}

impl Foreign {
    fn recognised(&self) -> Result<Recognised, ImportError> {
        let shapes = self.shapes();
        if let Some(card) = self.card() {
            let card = card?;
            let plan = plan::Plan::of_ours(card.net.clone());
            return self.complete(Recognised { card, family: "this project".to_owned(), plan }, |_| false);
        }
        let Some((family, plan)) = Family::of(shapes) else {
            let path = self.path().to_owned();
            return Err(ImportError::Unrecognised { path, found: plan::sample(shapes) });
        };
        let card = self.new_card(family, &plan);
        self.complete(Recognised { card, family: family.to_string(), plan }, |name| family.ignores(name))
    }

    /// Refuses a network of which something is missing, or has another shape, or is too much without being `ignored`.
    fn complete(&self, found: Recognised, ignored: impl Fn(&str) -> bool) -> Result<Recognised, ImportError> {
        let mismatch = found.plan.compare(self.shapes(), |name| self.may_hold_more() || ignored(name));
        if mismatch.is_empty() {
            return Ok(found);
        }
        Err(ImportError::Mismatch { path: self.path().to_owned(), family: found.family, mismatch })
    }

    /// What can be said of a network that comes without a card: the style is named like the file.
    fn new_card(&self, family: Family, plan: &plan::Plan) -> StyleCard {
        let origin = Origin {
            family: family.to_string(),
            file: file_name(self.path()),
            sha256: None,
            source: self.declared_source(),
            licence: None,
        };
        let stem = self.path().file_stem().unwrap_or_default().to_string_lossy();
        let painting = Painting { name: canonical_name(&stem), ..Painting::default() };
        StyleCard { origin: Some(origin), ..StyleCard::new(plan.config.clone(), painting) }
    }
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests;
