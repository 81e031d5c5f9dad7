//! One file -> one crop, or the reason why not.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use pixel::{DecodeError, DecodeLimits, PictureError, decode_file};
use thiserror::Error;

use crate::crop::CropPlan;

/// Photos with a shorter side than this many pixels are skipped: icons and tracking dots teach nothing.
pub const MIN_SHORT_SIDE: u32 = 16;

/// Why a photo is not used.
#[derive(Debug, Clone, Error)]
pub enum SkipReason {
    /// It cannot be decoded.
    #[error("{0}")]
    Decode(Arc<DecodeError>),
    /// It is smaller than [`MIN_SHORT_SIDE`].
    #[error("the photo has {width}x{height} pixels, at least {MIN_SHORT_SIDE} a side are needed")]
    TooSmall {
        /// Pixels across.
        width: u32,
        /// Pixels down.
        height: u32,
    },
    /// It cannot be resized.
    #[error(transparent)]
    Resize(#[from] PictureError),
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

/// `[side, side, 3]` bytes of the planned square.
pub(crate) fn load_crop(path: &Path, plan: &CropPlan) -> Result<Vec<u8>, SkipReason> {
    let photo = decode_file(path, &DecodeLimits::default())?;
    let (width, height) = (photo.width(), photo.height());
    if width.min(height) < MIN_SHORT_SIDE {
        return Err(SkipReason::TooSmall { width, height });
    }
    Ok(plan.cut(photo)?)
}
