//! What a style file says of itself.

use serde::{Deserialize, Serialize};

use super::lineage::{Ancestor, Parent};
use crate::loss::LossValues;
use crate::net::NetConfig;

/// The version of the style file that this software writes, and the newest that it reads.
pub const FORMAT_VERSION: u32 = 1;

/// What a style file says of itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StyleCard {
    /// Version of the file's format.
    pub format_version: u32,
    /// The shape of the network.
    pub net: NetConfig,
    /// The painting whose hand it learnt.
    pub painting: Painting,
    /// The paintings that it blends, if there are several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub blend: Vec<BlendPart>,
    /// Where it comes from, if another project trained it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// The resolved configuration of the training, as the trainer wrote it; the trainer alone knows its keys.
    #[serde(default, skip_serializing_if = "serde_json::Value::is_null")]
    pub recipe: serde_json::Value,
    /// What came of the training.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// The trainings before this one, each after those that it went on from; none where it began with a fresh network.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ancestors: Vec<Ancestor>,
    /// Those of them whose weighted mean this one went on from; where this is not said, the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parents: Option<Vec<Parent>>,
}

/// A painting. Only the name is always known.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Painting {
    /// The style's short name, by which it is called.
    pub name: String,
    /// The painting's title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Who painted it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artist: Option<String>,
    /// When, as written: `1889`, `c. 1831`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub year: Option<String>,
    /// Under which terms the picture of it may be used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licence: Option<String>,
    /// SHA-256 of the picture file, in hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture_sha256: Option<String>,
}

/// One of several paintings that a style blends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BlendPart {
    /// Name of the picture file.
    pub picture: String,
    /// SHA-256 of the picture file, in hexadecimal.
    pub picture_sha256: String,
    /// How much it counts beside the others.
    pub weight: f64,
}

/// Where a network comes from that another project trained.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// Whose kind of network it is.
    pub family: String,
    /// Name of the file that held it.
    pub file: String,
    /// SHA-256 of that file, in hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// Where the file was published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Under which terms the weights may be used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licence: Option<String>,
}

/// What came of a training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// Steps taken.
    pub steps: u64,
    /// Photos seen, counting repeats.
    pub images: u64,
    /// Seconds spent training.
    pub seconds: f64,
    /// The device, as `cpu` or `cuda:0`.
    pub device: String,
    /// Mean losses on photos that were not trained on, if there were any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation: Option<LossValues>,
    /// The mean losses of those photos themselves, unpainted: what the above started from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation_of_photos: Option<LossValues>,
    /// Name and version of the software that trained.
    pub software: String,
}

impl StyleCard {
    /// A card for an untrained network.
    pub fn new(net: NetConfig, painting: Painting) -> Self {
        Self {
            format_version: FORMAT_VERSION,
            net,
            painting,
            blend: Vec::new(),
            origin: None,
            recipe: serde_json::Value::Null,
            outcome: None,
            ancestors: Vec::new(),
            parents: None,
        }
    }

    /// Reads a card; the error says what is wrong with it.
    pub(crate) fn from_json(json: &str) -> Result<Self, String> {
        /// Read first, so that a newer file is called newer rather than broken.
        #[derive(Deserialize)]
        struct Version {
            format_version: u32,
        }
        let Version { format_version } = serde_json::from_str(json).map_err(|error| error.to_string())?;
        if format_version > FORMAT_VERSION {
            return Err(format!(
                "format {format_version}, this program reads up to {FORMAT_VERSION}: update it"
            ));
        }
        let card: Self = serde_json::from_str(json).map_err(|error| error.to_string())?;
        card.net.validate()?;
        card.check_lineage()?;
        Ok(card)
    }

    /// One line for people: title, artist and year as far as they are known, else the name.
    pub fn caption(&self) -> String {
        let painting = &self.painting;
        let mut caption = painting.title.clone().unwrap_or_else(|| painting.name.clone());
        for part in [&painting.artist, &painting.year].into_iter().flatten() {
            caption.push_str(", ");
            caption.push_str(part);
        }
        caption
    }
}

/// SHA-256 in hexadecimal, as [`Painting::picture_sha256`] holds it.
pub fn sha256_hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;

    use sha2::Digest as _;
    sha2::Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
