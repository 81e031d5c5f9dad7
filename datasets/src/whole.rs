//! [`WholePhotos`]: each photo once, to be kept and cut elsewhere.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;

use pixel::{Filter, Picture, PictureError, Region};

use crate::crop::longest_short_side;
use crate::folder::PhotoFolder;
use crate::load::load_usable;
use crate::order::epoch_order;
use crate::skip::{KnownSkip, SkipList, SkippedPhoto};
use crate::stream::StreamError;
use crate::workers::{Load, Workers};

/// A longer photo gives its middle, so that no panorama takes the room of hundreds of photos.
const MAX_ASPECT: u32 = 4;

/// Photos on their way for each thread: one being decoded, one waiting.
const WINDOW_PER_THREAD: usize = 2;

/// What to load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WholeConfig {
    /// Decides the order: that of the first epoch of a [`PhotoStream`](crate::PhotoStream) of this seed.
    pub seed: u64,
    /// Pixels a side of the crops to be cut later, at least 1.
    pub crop: u32,
    /// At least 1; does not change what comes out.
    pub decode_threads: usize,
}

/// A photo whose short side has `crop * 9 / 8` pixels, the most that a [`CropPlan`](crate::CropPlan) asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WholePhoto {
    /// Its index in [`PhotoFolder::relative_paths`].
    pub photo: usize,
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// `[height, width, 3]` bytes of sRGB.
    pub byte_rgb: Vec<u8>,
}

/// Every usable photo of a folder once, resized and not cut, decoded ahead on threads that end when this is dropped.
///
/// Leaves out the photos that a [`PhotoStream`](crate::PhotoStream) leaves out. The long side follows the short
/// one; of a photo longer than 4 times its short side the middle is taken. A photo that is smaller than asked for
/// is enlarged.
pub struct WholePhotos {
    workers: Workers<WholePlan, Picture>,
    plan: WholePlan,
    window: usize,
    /// What has not been queued yet, in order.
    to_come: std::vec::IntoIter<u32>,
    /// What is being decoded, in order.
    ahead: VecDeque<u32>,
    folder: Arc<PhotoFolder>,
    skipped: SkipList,
    has_ended: bool,
}

impl WholePhotos {
    /// Starts decoding; what an earlier stream of this folder [skipped](crate::PhotoStream::known_skips) is not
    /// decoded again.
    ///
    /// # Errors
    /// A setting of 0, or no thread to be had.
    pub fn new(
        folder: impl Into<Arc<PhotoFolder>>,
        config: WholeConfig,
        known: &[KnownSkip],
    ) -> Result<Self, StreamError> {
        let WholeConfig { seed, crop, decode_threads } = config;
        StreamError::if_zero(&[("crop", crop as usize), ("decode_threads", decode_threads)])?;
        let folder = folder.into();
        let skipped = SkipList::new(Arc::clone(&folder), known);
        let mut order = epoch_order(seed, 0, folder.len());
        order.retain(|&photo| !skipped.contains(photo));
        let window = WINDOW_PER_THREAD * decode_threads;
        let load: Arc<Load<WholePlan, Picture>> =
            Arc::new(|path: &Path, plan: &WholePlan| Ok(plan.resize(&load_usable(path)?)?));
        Ok(Self {
            workers: Workers::start(decode_threads, window, &load)?,
            plan: WholePlan { short_side: longest_short_side(crop) },
            window,
            to_come: order.into_iter(),
            ahead: VecDeque::with_capacity(window),
            folder,
            skipped,
            has_ended: false,
        })
    }

    /// The photos that were left out so far, sorted by path.
    pub fn skipped(&self) -> Vec<SkippedPhoto> {
        self.skipped.photos().collect()
    }

    /// The same to be stored.
    pub fn known_skips(&self) -> Vec<KnownSkip> {
        self.skipped.known()
    }

    fn try_next(&mut self) -> Result<Option<WholePhoto>, StreamError> {
        loop {
            self.queue_ahead()?;
            let Some(photo) = self.ahead.pop_front() else {
                return self.skipped.check_some_left().map(|()| None);
            };
            match self.workers.next_in_order()? {
                Ok(whole) => {
                    let (width, height) = (whole.width(), whole.height());
                    let byte_rgb = whole.into_rgb();
                    return Ok(Some(WholePhoto { photo: photo as usize, width, height, byte_rgb }));
                }
                Err(reason) => self.skipped.add(photo, reason),
            }
        }
    }

    fn queue_ahead(&mut self) -> Result<(), StreamError> {
        while self.ahead.len() < self.window
            && let Some(photo) = self.to_come.next()
        {
            self.workers.submit(self.folder.path(photo as usize), self.plan)?;
            self.ahead.push_back(photo);
        }
        Ok(())
    }
}

impl Iterator for WholePhotos {
    /// An error is the last item: no photo of the folder can be used, or the threads are gone.
    type Item = Result<WholePhoto, StreamError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.has_ended {
            return None;
        }
        let next = self.try_next();
        self.has_ended = !matches!(next, Ok(Some(_)));
        next.transpose()
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
