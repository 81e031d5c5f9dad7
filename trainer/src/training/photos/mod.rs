//! Where a training's photos come from: decoded, cut and on the device before they are asked for.

mod cut;
mod resident;
mod streamed;

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{Builder, JoinHandle};

use datasets::{
    KnownSkip, PhotoFolder, PhotoStream, SkippedPhoto, StreamConfig, StreamError, StreamPosition,
    WholePhotoStream,
};
use tch::{Device, Tensor};

use self::resident::ResidentCrops;
use self::streamed::StreamedCrops;

/// Batches that wait for the training, beside the one that is being made.
const BATCHES_AHEAD: usize = 2;

/// Where crops are cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CutFrom {
    /// From the photos themselves, as they are decoded.
    Photos,
    /// From photos that were reduced to what crops need, on the device, where as many of them stay as have room. How many
    /// that are does not change the crops.
    ReducedPhotos {
        /// The room, in bytes.
        room_bytes: u64,
    },
}

/// Endless batches of photos on the device, made ahead on a thread that ends when this is dropped.
///
/// Order, places and skipped photos are those of a [`PhotoStream`], whatever the crops are cut from.
pub(super) struct PhotoSource {
    folder: Arc<PhotoFolder>,
    position: StreamPosition,
    skips: Skips,
    /// `None` only while dropping: a closed queue is what ends the thread.
    ready: Option<Receiver<Result<Ready, StreamError>>>,
    feeder: Option<JoinHandle<()>>,
}

/// Photos that pass through the networks together.
pub(super) struct PhotoBatch {
    /// `[n, 3, side, side]`, on the device.
    pub(super) byte_rgb: Tensor,
    /// How far each crop goes into its photo, from 1.
    pub(super) zooms: Vec<f64>,
}

/// A batch, and where the stream stands behind it.
struct Ready {
    batch: PhotoBatch,
    position: StreamPosition,
    /// Where they are others than before.
    skips: Option<Skips>,
}

/// The photos that were left out so far.
struct Skips {
    photos: Vec<SkippedPhoto>,
    known: Vec<KnownSkip>,
}

/// Makes the batches, one after the other.
trait Crops: Send + 'static {
    fn next_batch(&mut self) -> Result<PhotoBatch, StreamError>;
    fn position(&self) -> StreamPosition;
    fn skipped_count(&self) -> usize;
    fn skips(&self) -> Skips;
}

impl PhotoSource {
    /// Starts at `config.start`, without the photos that are known to be unusable.
    ///
    /// # Errors
    /// A setting of 0, a start beyond the end of the folder, or no thread to be had.
    pub(super) fn start(
        folder: PhotoFolder,
        config: StreamConfig,
        known: &[KnownSkip],
        cut_from: CutFrom,
        device: Device,
    ) -> Result<Self, StreamError> {
        let folder = Arc::new(folder);
        let shared = Arc::clone(&folder);
        match cut_from {
            CutFrom::Photos => {
                let stream = PhotoStream::resume(shared, config, known)?;
                Self::feed_from(folder, StreamedCrops::new(stream, device))
            }
            CutFrom::ReducedPhotos { room_bytes } => {
                let stream = WholePhotoStream::resume(shared, config, known)?;
                Self::feed_from(folder, ResidentCrops::new(stream, &config, room_bytes, device))
            }
        }
    }

    fn feed_from(folder: Arc<PhotoFolder>, crops: impl Crops) -> Result<Self, StreamError> {
        let (position, skips) = (crops.position(), crops.skips());
        let (queue, ready) = sync_channel(BATCHES_AHEAD);
        let feeder = Builder::new().name("photos".to_owned()).spawn(move || feed(crops, &queue))?;
        Ok(Self { folder, position, skips, ready: Some(ready), feeder: Some(feeder) })
    }

    /// The next batch.
    ///
    /// # Errors
    /// No photo of the folder can be used. The source is of no use after that.
    pub(super) fn next_batch(&mut self) -> Result<PhotoBatch, StreamError> {
        let next = self.ready.as_ref().and_then(|ready| ready.recv().ok());
        let Ready { batch, position, skips } = next.unwrap_or(Err(StreamError::ThreadsEnded))?;
        self.position = position;
        if let Some(skips) = skips {
            self.skips = skips;
        }
        Ok(batch)
    }

    /// The folder that the photos are from.
    pub(super) fn folder(&self) -> &PhotoFolder {
        &self.folder
    }

    /// The place behind the last batch that was asked for, not behind those made ahead.
    pub(super) fn position(&self) -> StreamPosition {
        self.position
    }

    /// The photos that were left out up to there, sorted by path.
    pub(super) fn skipped(&self) -> &[SkippedPhoto] {
        &self.skips.photos
    }

    /// The same to be stored beside the position.
    pub(super) fn known_skips(&self) -> &[KnownSkip] {
        &self.skips.known
    }
}

impl Drop for PhotoSource {
    fn drop(&mut self) {
        self.ready = None;
        if let Some(feeder) = self.feeder.take() {
            // A panic has shown itself as the end of the batches.
            let _ = feeder.join();
        }
    }
}

/// Makes batches until nobody wants them any more, or no more can be made.
fn feed(mut crops: impl Crops, queue: &SyncSender<Result<Ready, StreamError>>) {
    let mut told = crops.skipped_count();
    loop {
        let ready = crops.next_batch().map(|batch| {
            let count = crops.skipped_count();
            let skips = (count != told).then(|| crops.skips());
            told = count;
            Ready { batch, position: crops.position(), skips }
        });
        let is_last = ready.is_err();
        if queue.send(ready).is_err() || is_last {
            return;
        }
    }
}

#[cfg(test)]
mod tests;
