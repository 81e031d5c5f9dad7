//! Crops as the stream cuts them.

use common::space::byte_rgb_from_interleaved;
use datasets::{PhotoStream, StreamError, StreamPosition};
use tch::{Device, Tensor};

use super::{Crops, Skips};

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
    fn next_batch(&mut self) -> Result<Tensor, StreamError> {
        let batch = self.stream.next_batch()?;
        Ok(byte_rgb_from_interleaved(&batch.byte_rgb, batch.count, batch.height, batch.width, self.device))
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
