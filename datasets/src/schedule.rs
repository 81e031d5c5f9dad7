//! [`Schedule`]: what a stream takes at each of its positions.

use crate::crop::CropPlan;
use crate::order::{StreamPosition, crop_draw, epoch_order};
use crate::stream::StreamConfig;

/// Which photo a stream takes at a position, and what it cuts from it: a pure function of the seed, the number
/// of photos and the position.
#[derive(Debug, Clone)]
pub struct Schedule {
    seed: u64,
    crop: u32,
    augment: bool,
    zoom: f64,
    /// The order of one epoch, kept since positions mostly follow each other.
    epoch: u64,
    order: Vec<u32>,
}

/// What a stream takes at one position.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PlannedCrop {
    /// The photo's index in [`PhotoFolder::relative_paths`](crate::PhotoFolder::relative_paths).
    pub photo: usize,
    /// What is cut from it.
    pub plan: CropPlan,
}

impl Schedule {
    /// The schedule of the stream that `config` (its seed, crop, augmentation and zoom) makes of a folder of `photos` photos.
    pub fn new(config: &StreamConfig, photos: usize) -> Self {
        let StreamConfig { seed, crop, augment, zoom, start, .. } = *config;
        Self { seed, crop, augment, zoom, epoch: start.epoch, order: epoch_order(seed, start.epoch, photos) }
    }

    /// What is taken at `position`. A photo that turns out to be unusable is passed over; nothing moves up.
    ///
    /// # Panics
    /// `position.index` is not below the number of photos.
    pub fn at(&mut self, position: StreamPosition) -> PlannedCrop {
        if position.epoch != self.epoch {
            self.order = epoch_order(self.seed, position.epoch, self.order.len());
            self.epoch = position.epoch;
        }
        let plan = if self.augment {
            CropPlan::random(self.crop, self.zoom, crop_draw(self.seed, position))
        } else {
            CropPlan::centre(self.crop)
        };
        PlannedCrop { photo: self.order[position.index as usize] as usize, plan }
    }

    /// The position behind this one.
    pub fn after(&self, position: StreamPosition) -> StreamPosition {
        position.next(self.order.len())
    }
}
