//! Crops as the stream cuts them.

use common::space::byte_rgb_from_interleaved;
use datasets::{ByteBatch, PhotoStream, StreamError, StreamPosition};
use tch::Device;

use super::{Crops, PhotoBatch, Skips};

/// Crops that are cut while decoding and uploaded.
pub(super) struct StreamedCrops {
    stream: PhotoStream,
    device: Device,
}

impl StreamedCrops {
    pub(super) fn new(stream: PhotoStream, device: Device) -> Self {
        Self { stream, device }
    }
}

impl Crops for StreamedCrops {
    fn next_batch(&mut self) -> Result<PhotoBatch, StreamError> {
        let ByteBatch { count, height, width, byte_rgb, zooms } = self.stream.next_batch()?;
        Ok(PhotoBatch {
            byte_rgb: byte_rgb_from_interleaved(&byte_rgb, count, height, width, self.device),
            zooms,
        })
    }

    fn position(&self) -> StreamPosition {
        self.stream.position()
    }

    fn skipped_count(&self) -> usize {
        self.stream.skipped_count()
    }

    fn skips(&self) -> Skips {
        Skips { photos: self.stream.skipped(), known: self.stream.known_skips() }
    }
}
