//! Photos that are not used, and why.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use pixel::{DecodeError, PictureError};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::blank::MIN_STANDARD_DEVIATION;
use crate::folder::PhotoFolder;
use crate::load::MIN_SHORT_SIDE;
use crate::stream::StreamError;

/// Why a photo is not used.
#[derive(Debug, Clone, Error)]
pub enum SkipReason {
    /// It cannot be decoded.
    #[error("{0}")]
    Decode(Arc<DecodeError>),
    /// It crashed the decoder: a bug there, but no reason to lose a long training.
    #[error("the decoder crashed on the photo: {0}")]
    Crashed(String),
    /// It is smaller than [`MIN_SHORT_SIDE`].
    #[error("the photo has {width}x{height} pixels, at least {MIN_SHORT_SIDE} a side are needed")]
    TooSmall {
        /// Pixels across.
        width: u32,
        /// Pixels down.
        height: u32,
    },
    /// It shows a single colour, or nearly.
    #[error(
        "the photo is blank: its values deviate by {standard_deviation:.2} of 255, at least \
         {MIN_STANDARD_DEVIATION} are needed"
    )]
    Blank {
        /// Of the channel that varies most, 0..255.
        standard_deviation: f64,
    },
    /// It cannot be resized.
    #[error(transparent)]
    Resize(#[from] PictureError),
    /// An earlier stream skipped it, in these words.
    #[error("{0}")]
    Known(String),
}

impl From<DecodeError> for SkipReason {
    fn from(error: DecodeError) -> Self {
        Self::Decode(Arc::new(error))
    }
}

/// A photo that is not used, and why. Shown as `path: reason`.
#[derive(Debug, Clone)]
pub struct SkippedPhoto {
    /// The whole path.
    pub path: PathBuf,
    /// What is wrong with it.
    pub reason: SkipReason,
}

impl fmt::Display for SkippedPhoto {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.reason)
    }
}

/// A skipped photo in a form to be stored beside a [`StreamPosition`](crate::StreamPosition).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownSkip {
    /// Relative to the folder.
    pub photo: String,
    /// The [`SkipReason`] in words.
    pub reason: String,
}

/// The photos of a folder that are left out, by index, that is, by path.
pub(crate) struct SkipList {
    folder: Arc<PhotoFolder>,
    reasons: BTreeMap<u32, SkipReason>,
}

impl SkipList {
    /// Begins with those that are known already; what is no longer in the folder is passed over.
    pub(crate) fn new(folder: Arc<PhotoFolder>, known: &[KnownSkip]) -> Self {
        let place = |skip: &KnownSkip| {
            let photo = folder.relative_paths().binary_search_by(|path| (**path).cmp(Path::new(&skip.photo)));
            photo.ok().map(|photo| (photo as u32, SkipReason::Known(skip.reason.clone())))
        };
        let reasons = known.iter().filter_map(place).collect();
        Self { folder, reasons }
    }

    pub(crate) fn contains(&self, photo: u32) -> bool {
        self.reasons.contains_key(&photo)
    }

    pub(crate) fn len(&self) -> usize {
        self.reasons.len()
    }

    /// The first reason for a photo stays.
    pub(crate) fn add(&mut self, photo: u32, reason: SkipReason) {
        self.reasons.entry(photo).or_insert(reason);
    }

    /// An error once no photo is left.
    pub(crate) fn check_some_left(&self) -> Result<(), StreamError> {
        match self.photos().next() {
            Some(example) if self.reasons.len() == self.folder.len() => {
                Err(StreamError::NoUsablePhotos { count: self.folder.len(), example })
            }
            _ => Ok(()),
        }
    }

    /// Sorted by path.
    pub(crate) fn photos(&self) -> impl Iterator<Item = SkippedPhoto> + '_ {
        self.reasons.iter().map(|(&photo, reason)| SkippedPhoto {
            path: self.folder.path(photo as usize),
            reason: reason.clone(),
        })
    }

    /// Sorted by path; without those whose names are no text, which are as good as unknown.
    pub(crate) fn known(&self) -> Vec<KnownSkip> {
        let known = self.reasons.iter().filter_map(|(&photo, reason)| {
            let photo = self.folder.relative_paths()[photo as usize].to_str()?.to_owned();
            Some(KnownSkip { photo, reason: reason.to_string() })
        });
        known.collect()
    }
}
