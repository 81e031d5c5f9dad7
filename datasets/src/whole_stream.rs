//! [`WholePhotoStream`]: the photos of a stream uncut, for whoever keeps them and cuts elsewhere.

use std::path::Path;
use std::sync::Arc;

use pixel::{Filter, Picture, PictureError, Region};

use crate::crop::{CropPlan, longest_short_side};
use crate::folder::PhotoFolder;
use crate::load::load_usable;
use crate::order::StreamPosition;
use crate::schedule::PlannedCrop;
use crate::skip::{KnownSkip, SkippedPhoto};
use crate::stream::{StreamConfig, StreamError};
use crate::walk::Walk;
use crate::workers::Load;

/// A longer photo gives its middle, so that no panorama takes the room of hundreds of photos.
const MAX_ASPECT: u32 = 4;

/// A photo whose short side has `crop * zoom` pixels, the most that a [`CropPlan`] asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WholePhoto {
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// `[height, width, 3]` bytes of sRGB.
    pub byte_rgb: Vec<u8>,
}

/// What a [`WholePhotoStream`] comes to.
#[derive(Debug, Clone, PartialEq)]
pub struct WholeTurn {
    /// Which photo it is, and what is to be cut from it.
    pub planned: PlannedCrop,
    /// The photo; may be missing where it is [kept](WholePhotoStream::keep).
    pub photo: Option<WholePhoto>,
}

/// A [`PhotoStream`](crate::PhotoStream) that hands out the photo and the plan instead of the crop: the same photos in
/// the same order from the same positions, the same ones skipped.
///
/// The photos are resized and not cut. The long side follows the short one; of a photo longer than 4 times its short
/// side the middle is taken. A photo that is smaller than asked for is enlarged.
pub struct WholePhotoStream {
    walk: Walk<Picture>,
}

impl WholePhotoStream {
    /// Starts decoding at `config.start`; what an earlier stream of this folder
    /// [skipped](crate::PhotoStream::known_skips) is not decoded again.
    ///
    /// # Errors
    /// A setting of 0, a start beyond the end of the folder, or no thread to be had.
    pub fn resume(
        folder: impl Into<Arc<PhotoFolder>>,
        config: StreamConfig,
        known: &[KnownSkip],
    ) -> Result<Self, StreamError> {
        let whole = WholePlan { short_side: longest_short_side(config.crop, config.zoom) };
        let load: Arc<Load<CropPlan, Picture>> =
            Arc::new(move |path: &Path, _: &CropPlan| Ok(whole.resize(&load_usable(path)?)?));
        Ok(Self { walk: Walk::start(folder.into(), &config, known, &load)? })
    }

    /// The next usable photo; blocks until it is decoded.
    ///
    /// # Errors
    /// No photo of the folder can be used. The stream is of no use after that.
    pub fn next_turn(&mut self) -> Result<WholeTurn, StreamError> {
        let (planned, photo) = self.walk.next()?;
        let photo = photo.map(|photo| {
            let (width, height) = (photo.width(), photo.height());
            WholePhoto { width, height, byte_rgb: photo.into_rgb() }
        });
        Ok(WholeTurn { planned, photo })
    }

    /// Says that this photo, by its index in [`PhotoFolder::relative_paths`], is kept: it is not decoded any more. Where
    /// that has begun it still comes once more.
    pub fn keep(&mut self, photo: usize) {
        self.walk.keep(photo);
    }

    /// The place behind the last photo that came: a stream that starts there continues exactly.
    pub const fn position(&self) -> StreamPosition {
        self.walk.position()
    }

    /// How many photos were left out so far.
    pub fn skipped_count(&self) -> usize {
        self.walk.skipped_count()
    }

    /// The photos that were left out so far, sorted by path.
    pub fn skipped(&self) -> Vec<SkippedPhoto> {
        self.walk.skipped()
    }

    /// The same to be stored beside the position.
    pub fn known_skips(&self) -> Vec<KnownSkip> {
        self.walk.known_skips()
    }
}

/// How a whole photo is resized.
#[derive(Debug, Clone, Copy)]
struct WholePlan {
    short_side: u32,
}

impl WholePlan {
    fn resize(self, photo: &Picture) -> Result<Picture, PictureError> {
        let (width, height) = (photo.width(), photo.height());
        let short = width.min(height);
        let longest = short.saturating_mul(MAX_ASPECT);
        let (kept_width, kept_height) = (width.min(longest), height.min(longest));
        let region = Region {
            x: f64::from(width - kept_width) / 2.0,
            y: f64::from(height - kept_height) / 2.0,
            width: f64::from(kept_width),
            height: f64::from(kept_height),
        };
        let scaled =
            |side: u32| (f64::from(side) * f64::from(self.short_side) / f64::from(short)).round() as u32;
        photo.resize_region(region, scaled(kept_width), scaled(kept_height), Filter::Bilinear)
    }
}

#[cfg(test)]
mod tests;
