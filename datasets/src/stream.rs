//! [`PhotoStream`]: endless shuffled batches.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use thiserror::Error;

use crate::crop::CropPlan;
use crate::folder::PhotoFolder;
use crate::load::load_crop;
use crate::order::StreamPosition;
use crate::skip::{KnownSkip, SkippedPhoto};
use crate::walk::Walk;
use crate::workers::{Load, ThreadsEnded};

/// A jitter of scale of an eighth: the [zoom](StreamConfig::zoom) of crops that show nearly the whole photo.
pub const A_LITTLE_ZOOM: f64 = 1.125;

/// What to stream.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StreamConfig {
    /// Decides the order and every crop.
    pub seed: u64,
    /// Pixels a side of the square crops, at least 1.
    pub crop: u32,
    /// Crops in a batch, at least 1.
    pub batch: usize,
    /// Random scale, place and mirroring; else the centre square.
    pub augment: bool,
    /// How much larger than the crop a photo's short side may be, from 1: with 2, a random crop shows half of it or more.
    pub zoom: f64,
    /// At least 1; does not change what comes out.
    pub decode_threads: usize,
    /// Where to begin: the default, or where another stream of this folder and seed stopped.
    pub start: StreamPosition,
}

/// A batch of crops, `[count, height, width, 3]` bytes of sRGB.
#[derive(Debug, Clone, PartialEq)]
pub struct ByteBatch {
    /// Crops in this batch.
    pub count: usize,
    /// Pixels down.
    pub height: u32,
    /// Pixels across.
    pub width: u32,
    /// `[count, height, width, 3]`
    pub byte_rgb: Vec<u8>,
    /// How far each crop goes into its photo: see [`CropPlan::zoom`].
    pub zooms: Vec<f64>,
}

/// No batch can be had.
#[derive(Debug, Error)]
pub enum StreamError {
    /// A setting that has to be at least 1 is 0.
    #[error("{setting} must be at least 1, found 0")]
    Zero {
        /// The field of [`StreamConfig`].
        setting: &'static str,
    },
    /// The position was stored for another folder.
    #[error(
        "cannot resume at photo {index} of {len}, the folder has changed, restore it or start a new epoch: {}",
        root.display()
    )]
    StartBeyondEnd {
        /// [`StreamPosition::index`] as given.
        index: u64,
        /// Photos in the folder now.
        len: usize,
        /// The folder.
        root: PathBuf,
    },
    /// Every photo of the folder has been tried and skipped.
    #[error("none of the {count} photos can be used, for example {example}")]
    NoUsablePhotos {
        /// Photos in the folder, all of them skipped.
        count: usize,
        /// The first of them.
        example: SkippedPhoto,
    },
    /// The system refused a thread.
    #[error("cannot start a decode thread: {0}")]
    Spawn(io::Error),
    /// The decode threads ended early.
    #[error("the decode threads have ended")]
    ThreadsEnded,
}

impl StreamError {
    pub(crate) fn if_zero(settings: &[(&'static str, usize)]) -> Result<(), Self> {
        match settings.iter().find(|(_, value)| *value == 0) {
            Some(&(setting, _)) => Err(Self::Zero { setting }),
            None => Ok(()),
        }
    }
}

impl From<io::Error> for StreamError {
    fn from(error: io::Error) -> Self {
        Self::Spawn(error)
    }
}

impl From<ThreadsEnded> for StreamError {
    fn from(ThreadsEnded: ThreadsEnded) -> Self {
        Self::ThreadsEnded
    }
}

/// Endless batches of crops from a folder, decoded ahead on threads that end when this is dropped.
///
/// Each epoch passes every photo once, in an order of its own; a batch may begin in one epoch and end in
/// the next. A photo that cannot be used is left out, remembered, and not tried again; the others keep
/// their order and crops.
pub struct PhotoStream {
    config: StreamConfig,
    walk: Walk<Vec<u8>>,
}

impl PhotoStream {
    /// Starts decoding at `config.start`.
    ///
    /// # Errors
    /// A setting of 0, a start beyond the end of the folder, or no thread to be had.
    pub fn new(folder: impl Into<Arc<PhotoFolder>>, config: StreamConfig) -> Result<Self, StreamError> {
        Self::resume(folder, config, &[])
    }

    /// As [`new`](Self::new), where an earlier stream of this folder has [skipped](Self::known_skips) some photos:
    /// they are listed as skipped from the start, in the words of then, and not decoded again.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn resume(
        folder: impl Into<Arc<PhotoFolder>>,
        config: StreamConfig,
        known: &[KnownSkip],
    ) -> Result<Self, StreamError> {
        Self::with_loader(folder.into(), config, known, &(Arc::new(load_crop) as Arc<Load<_, _>>))
    }

    fn with_loader(
        folder: Arc<PhotoFolder>,
        config: StreamConfig,
        known: &[KnownSkip],
        load: &Arc<Load<CropPlan, Vec<u8>>>,
    ) -> Result<Self, StreamError> {
        Ok(Self { config, walk: Walk::start(folder, &config, known, load)? })
    }

    /// The next `batch` usable photos, in order; blocks until they are decoded.
    ///
    /// # Errors
    /// No photo of the folder can be used. The stream is of no use after that.
    pub fn next_batch(&mut self) -> Result<ByteBatch, StreamError> {
        let StreamConfig { batch, crop, .. } = self.config;
        let mut byte_rgb = Vec::with_capacity(batch * crop as usize * crop as usize * 3);
        let mut zooms = Vec::with_capacity(batch);
        for _ in 0..batch {
            let (planned, cut) = self.walk.next()?;
            byte_rgb.extend_from_slice(&cut.expect("nothing is kept"));
            zooms.push(planned.plan.zoom());
        }
        Ok(ByteBatch { count: batch, height: crop, width: crop, byte_rgb, zooms })
    }

    /// The folder that it streams.
    pub fn folder(&self) -> &PhotoFolder {
        self.walk.folder()
    }

    /// The place behind the last batch: a stream that starts there continues exactly.
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

    /// The same to be stored beside the position, for [`resume`](Self::resume).
    pub fn known_skips(&self) -> Vec<KnownSkip> {
        self.walk.known_skips()
    }
}

#[cfg(test)]
mod tests;
