//! [`PhotoStream`]: endless shuffled batches.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use thiserror::Error;

use crate::crop::CropPlan;
use crate::folder::PhotoFolder;
use crate::load::{SkipReason, SkippedPhoto, load_crop};
use crate::order::{StreamPosition, crop_draw, epoch_order};
use crate::workers::{Job, Load, Outcome, ThreadsEnded, Workers};

/// What to stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamConfig {
    /// Decides the order and every crop.
    pub seed: u64,
    /// Pixels a side of the square crops, at least 1.
    pub crop: u32,
    /// Crops in a batch, at least 1.
    pub batch: usize,
    /// Random scale, place and mirroring; else the centre square.
    pub augment: bool,
    /// At least 1; does not change what comes out.
    pub decode_threads: usize,
    /// Where to begin: the default, or where another stream of this folder and seed stopped.
    pub start: StreamPosition,
}

/// A batch of crops, `[count, height, width, 3]` bytes of sRGB.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ByteBatch {
    /// Crops in this batch.
    pub count: usize,
    /// Pixels down.
    pub height: u32,
    /// Pixels across.
    pub width: u32,
    /// `[count, height, width, 3]`
    pub byte_rgb: Vec<u8>,
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
    /// A decoder failed in a way that it should not: a bug, with a file that shows it.
    #[error("the decoder crashed, remove the photo to go on: {message}: {}", path.display())]
    Panicked {
        /// The photo that was being decoded.
        path: PathBuf,
        /// What the panic said.
        message: String,
    },
    /// The system refused a thread.
    #[error("cannot start a decode thread: {0}")]
    Spawn(io::Error),
    /// The decode threads ended early.
    #[error("the decode threads have ended")]
    ThreadsEnded,
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
    folder: Arc<PhotoFolder>,
    config: StreamConfig,
    workers: Workers,
    /// Photos between here and the one being decoded: ready, under way or queued, in the stream's order.
    ahead: VecDeque<Ahead>,
    /// How long `ahead` may become.
    window: usize,
    /// What has been decoded out of turn, by ticket.
    arrived: HashMap<u64, Outcome>,
    next_ticket: u64,
    /// The place of the photo to be queued next, and the order of its epoch.
    queue_at: StreamPosition,
    queue_order: Vec<u32>,
    /// The place behind the last batch.
    position: StreamPosition,
    /// By index in the folder, that is, by path.
    skipped: BTreeMap<u32, SkipReason>,
}

/// A photo on its way.
struct Ahead {
    position: StreamPosition,
    photo: u32,
    /// `None` for a photo that was known to be unusable and is not decoded again.
    ticket: Option<u64>,
}

impl PhotoStream {
    /// Starts decoding at `config.start`.
    ///
    /// # Errors
    /// A setting of 0, a start beyond the end of the folder, or no thread to be had.
    pub fn new(folder: impl Into<Arc<PhotoFolder>>, config: StreamConfig) -> Result<Self, StreamError> {
        Self::with_loader(folder.into(), config, &(Arc::new(load_crop) as Arc<Load>))
    }

    fn with_loader(
        folder: Arc<PhotoFolder>,
        config: StreamConfig,
        load: &Arc<Load>,
    ) -> Result<Self, StreamError> {
        let settings = [
            ("crop", config.crop as usize),
            ("batch", config.batch),
            ("decode_threads", config.decode_threads),
        ];
        if let Some((setting, _)) = settings.into_iter().find(|(_, value)| *value == 0) {
            return Err(StreamError::Zero { setting });
        }
        let StreamPosition { epoch, index } = config.start;
        if index >= folder.len() as u64 {
            return Err(StreamError::StartBeyondEnd {
                index,
                len: folder.len(),
                root: folder.root().to_owned(),
            });
        }
        // One batch being used up while the next is being decoded, and no thread idle in between.
        let window = 2 * config.batch + config.decode_threads;
        let workers = Workers::start(config.decode_threads, window, load)?;
        let mut stream = Self {
            queue_order: epoch_order(config.seed, epoch, folder.len()),
            folder,
            config,
            workers,
            ahead: VecDeque::with_capacity(window),
            window,
            arrived: HashMap::new(),
            next_ticket: 0,
            queue_at: config.start,
            position: config.start,
            skipped: BTreeMap::new(),
        };
        stream.queue_ahead()?;
        Ok(stream)
    }

    /// The next `batch` usable photos, in order; blocks until they are decoded.
    ///
    /// # Errors
    /// No photo of the folder can be used, or a decoder crashed. The stream is of no use after that; a new
    /// one can begin at [`position`](Self::position).
    pub fn next_batch(&mut self) -> Result<ByteBatch, StreamError> {
        let StreamConfig { batch, crop, .. } = self.config;
        let mut byte_rgb = Vec::with_capacity(batch * crop as usize * crop as usize * 3);
        let mut position = self.position;
        let mut count = 0;
        while count < batch {
            self.queue_ahead()?;
            let Some(next) = self.ahead.pop_front() else { return Err(StreamError::ThreadsEnded) };
            position = next.position.next(self.folder.len());
            let outcome = match next.ticket {
                Some(ticket) => self.wait_for(ticket)?,
                None => continue,
            };
            match outcome {
                Outcome::Crop(crop) => {
                    byte_rgb.extend_from_slice(&crop);
                    count += 1;
                }
                Outcome::Skipped(reason) => self.skip(next.photo, reason)?,
                Outcome::Panicked(message) => {
                    return Err(StreamError::Panicked {
                        path: self.folder.path(next.photo as usize),
                        message,
                    });
                }
            }
        }
        self.position = position;
        Ok(ByteBatch { count, height: crop, width: crop, byte_rgb })
    }

    /// The place behind the last batch: a stream that starts there continues exactly.
    pub const fn position(&self) -> StreamPosition {
        self.position
    }

    /// The photos that were left out so far, sorted by path.
    pub fn skipped(&self) -> Vec<SkippedPhoto> {
        self.skipped.iter().map(|(&photo, reason)| self.skipped_photo(photo, reason)).collect()
    }

    fn skipped_photo(&self, photo: u32, reason: &SkipReason) -> SkippedPhoto {
        SkippedPhoto { path: self.folder.path(photo as usize), reason: reason.clone() }
    }

    fn skip(&mut self, photo: u32, reason: SkipReason) -> Result<(), StreamError> {
        self.skipped.entry(photo).or_insert(reason);
        if self.skipped.len() < self.folder.len() {
            return Ok(());
        }
        match self.skipped.iter().next() {
            Some((&photo, reason)) => Err(StreamError::NoUsablePhotos {
                count: self.skipped.len(),
                example: self.skipped_photo(photo, reason),
            }),
            None => Ok(()),
        }
    }

    /// Keeps the window full. Never blocks: the queues hold as much as the window.
    fn queue_ahead(&mut self) -> Result<(), StreamError> {
        while self.ahead.len() < self.window {
            let position = self.queue_at;
            let photo = self.queue_order[position.index as usize];
            let ticket = if self.skipped.contains_key(&photo) { None } else { Some(self.queue(photo)?) };
            self.ahead.push_back(Ahead { position, photo, ticket });
            self.queue_at = position.next(self.folder.len());
            if self.queue_at.epoch != position.epoch {
                self.queue_order = epoch_order(self.config.seed, self.queue_at.epoch, self.folder.len());
            }
        }
        Ok(())
    }

    /// Hands the photo at `queue_at` to the threads.
    fn queue(&mut self, photo: u32) -> Result<u64, StreamError> {
        let StreamConfig { seed, crop, augment, .. } = self.config;
        let plan = if augment {
            CropPlan::random(crop, crop_draw(seed, self.queue_at))
        } else {
            CropPlan::centre(crop)
        };
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        self.workers.submit(Job { ticket, path: self.folder.path(photo as usize), plan })?;
        Ok(ticket)
    }

    fn wait_for(&mut self, ticket: u64) -> Result<Outcome, StreamError> {
        loop {
            if let Some(outcome) = self.arrived.remove(&ticket) {
                return Ok(outcome);
            }
            let (done, outcome) = self.workers.next_outcome()?;
            self.arrived.insert(done, outcome);
        }
    }
}

#[cfg(test)]
mod tests;
