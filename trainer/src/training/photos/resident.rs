//! Crops of photos that stay on the device.

use std::collections::HashMap;

use common::space::kept_bytes_from_interleaved;
use datasets::{CropPlan, StreamConfig, StreamError, StreamPosition, WholePhotoStream, WholeTurn};
use tch::{Device, Tensor};

use super::cut::cut_crops;
use super::{Crops, PhotoBatch, Skips};

/// Crops cut on the device from photos that are uploaded whole, once each while there is room; for the others each time.
pub(super) struct ResidentCrops {
    stream: WholePhotoStream,
    batch: usize,
    side: u32,
    zoom: f64,
    /// `[3, height, width]` bytes on the device, by index in the folder.
    kept: HashMap<usize, Tensor>,
    room_left_bytes: u64,
    device: Device,
}

impl ResidentCrops {
    pub(super) fn new(
        stream: WholePhotoStream,
        config: &StreamConfig,
        room_bytes: u64,
        device: Device,
    ) -> Self {
        let StreamConfig { batch, crop: side, zoom, .. } = *config;
        Self { stream, batch, side, zoom, kept: HashMap::new(), room_left_bytes: room_bytes, device }
    }

    /// Bytes of the photos that are kept.
    #[cfg(test)]
    pub(super) fn kept_bytes(&self) -> usize {
        self.kept.values().map(Tensor::numel).sum()
    }

    fn next_photo(&mut self) -> Result<(Tensor, CropPlan), StreamError> {
        let WholeTurn { planned, photo } = self.stream.next_turn()?;
        if let Some(kept) = self.kept.get(&planned.photo) {
            return Ok((kept.shallow_clone(), planned.plan));
        }
        let photo = photo.expect("what is not kept comes decoded");
        let size = photo.byte_rgb.len() as u64;
        let bytes = kept_bytes_from_interleaved(&photo.byte_rgb, photo.height, photo.width, self.device);
        if let Some(left) = self.room_left_bytes.checked_sub(size) {
            self.room_left_bytes = left;
            self.kept.insert(planned.photo, bytes.shallow_clone());
            self.stream.keep(planned.photo);
        }
        Ok((bytes, planned.plan))
    }
}

impl Crops for ResidentCrops {
    fn next_batch(&mut self) -> Result<PhotoBatch, StreamError> {
        let photos = (0..self.batch).map(|_| self.next_photo()).collect::<Result<Vec<_>, _>>()?;
        let zooms = photos.iter().map(|(_, plan)| plan.zoom()).collect();
        Ok(PhotoBatch { byte_rgb: cut_crops(&photos, self.side, self.zoom, self.device), zooms })
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
