//! What a style's card says, as far as it is of use here. The whole of it is `common::style_file`'s, which needs libtorch.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;
use serde_json::Value;

/// A style's card.
#[derive(Debug, Deserialize)]
pub(crate) struct Card {
    #[serde(flatten)]
    pub(crate) training: Training,
    /// The trainings before its own, each after those that it went on from.
    #[serde(default)]
    pub(crate) ancestors: Vec<Training>,
}

/// A training, and what came of it.
#[derive(Debug, Deserialize)]
pub(crate) struct Training {
    pub(crate) painting: Painting,
    #[serde(default)]
    pub(crate) recipe: Value,
    pub(crate) outcome: Option<Outcome>,
    /// The trainings whose networks' mean it went on from; where this is not said, the one before it.
    pub(crate) parents: Option<Vec<Parent>>,
}

/// A training that another went on from.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) struct Parent {
    /// Which of the card's ancestors, from 1.
    pub(crate) ancestor: usize,
    /// How much it counts beside the others.
    pub(crate) weight: f64,
}

/// The painting that was learnt.
#[derive(Debug, Deserialize)]
pub(crate) struct Painting {
    pub(crate) name: String,
    pub(crate) title: Option<String>,
    pub(crate) artist: Option<String>,
    pub(crate) year: Option<String>,
    pub(crate) licence: Option<String>,
    pub(crate) picture_sha256: Option<String>,
}

/// What came of it.
#[derive(Debug, Deserialize)]
pub(crate) struct Outcome {
    pub(crate) steps: u64,
    pub(crate) images: u64,
    pub(crate) validation: Option<Losses>,
    pub(crate) validation_of_photos: Option<Losses>,
}

/// Mean losses over photos.
#[derive(Debug, Deserialize)]
pub(crate) struct Losses {
    pub(crate) content: f64,
    pub(crate) style: f64,
}

impl Card {
    /// From the header of a safetensors file.
    pub(super) fn read(path: &Path) -> Result<Self> {
        /// Of headers with a card, many times over.
        const MOST_HEADER_BYTES: u64 = 16 << 20;
        let mut file = File::open(path)?;
        let mut length = [0; 8];
        file.read_exact(&mut length)?;
        let length = u64::from_le_bytes(length);
        ensure!(length <= MOST_HEADER_BYTES, "no safetensors file");
        let mut header = Vec::new();
        file.take(length).read_to_end(&mut header)?;
        let header: Value = serde_json::from_slice(&header)?;
        let card = header["__metadata__"]["atelier"].as_str().context("it has none")?;
        Ok(serde_json::from_str(card)?)
    }

    /// All trainings that made the network, in order.
    pub(super) fn lineage(&self) -> impl Iterator<Item = &Training> {
        self.ancestors.iter().chain([&self.training])
    }
}

impl Training {
    /// The style whose network it went on from; `None` where it began with a fresh one.
    pub(super) fn from(&self) -> Option<&str> {
        self.recipe["from"].as_str()
    }

    /// The trainings that it went on from, where `before` of them come before it.
    pub(super) fn parents(&self, before: usize) -> Vec<Parent> {
        let the_last = || (before > 0).then_some(Parent { ancestor: before, weight: 1.0 });
        self.parents.clone().unwrap_or_else(|| the_last().into_iter().collect())
    }
}

impl Painting {
    /// One line for people.
    pub(super) fn caption(&self) -> String {
        let Self { name, title, artist, year, .. } = self;
        let title = format!("*{}*", title.as_ref().unwrap_or(name));
        [artist.clone(), Some(title), year.clone()].into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}
