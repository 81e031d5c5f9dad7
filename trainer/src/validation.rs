//! How well a network paints photos that it was not trained on.

use std::ops::ControlFlow;

use common::loss::{LossValues, Motion, MotionKey, PerceptualLoss, TemporalSpec, temporal_loss};
use common::space::byte_rgb_from_interleaved;
use datasets::ByteCrop;
use tch::{Device, Tensor};

/// Photos that are kept out of the training, cropped once.
pub struct ValidationSet {
    crops: Vec<ByteCrop>,
}

impl ValidationSet {
    /// A set of these crops.
    pub fn new(crops: Vec<ByteCrop>) -> Self {
        Self { crops }
    }

    /// The photos.
    pub fn crops(&self) -> &[ByteCrop] {
        &self.crops
    }

    /// How many photos.
    pub fn len(&self) -> usize {
        self.crops.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.crops.is_empty()
    }

    /// The mean losses of `paint`'s pictures of the photos; `byte_rgb` goes in and comes out. One photo at a time: a
    /// mean over photos does not depend on how they are batched.
    ///
    /// Where `temporal` has a weight, each photo is painted a second time, moved, in all validations of all trainings by the
    /// same motion, and the temporal losses count at their full height: totals of different steps stay comparable.
    ///
    /// `observe` hears before each photo how many are done and how many there are, and may break it off.
    pub fn mean_losses(
        &self,
        loss: &PerceptualLoss,
        temporal: TemporalSpec,
        device: Device,
        paint: &dyn Fn(&Tensor) -> Tensor,
        observe: &mut dyn FnMut(usize, usize) -> ControlFlow<()>,
    ) -> ControlFlow<(), LossValues> {
        let mut values = Vec::with_capacity(self.len());
        for (done, crop) in self.crops.iter().enumerate() {
            observe(done, self.len())?;
            values.push(tch::no_grad(|| {
                let photo = byte_rgb_from_interleaved(&crop.byte_rgb, 1, crop.side, crop.side, device);
                let painted = paint(&photo).clamp(0.0, 255.0);
                let mut terms = loss.evaluate(&painted, &photo);
                if temporal.is_on() {
                    let key = MotionKey { seed: 0, step: 0, batch: done as u64 };
                    let side = i64::from(crop.side);
                    let motion = Motion::draw(key, [1, side, side], temporal.noise, device);
                    let painted_moved = paint(&motion.move_photos(&photo)).clamp(0.0, 255.0);
                    let factors = temporal.full_factors();
                    terms.add_temporal(temporal_loss(&painted, &painted_moved, &motion), factors.pixels);
                    if temporal.feature_layer().is_some() {
                        let features = loss.temporal_feature_loss(&painted, &painted_moved, &motion);
                        terms.add_temporal_features(features, factors.features);
                    }
                }
                terms.values(loss.spec())
            }));
        }
        ControlFlow::Continue(LossValues::mean(&values))
    }
}
