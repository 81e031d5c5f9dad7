//! How well a network paints photos that it was not trained on.

use common::loss::{LossValues, PerceptualLoss};
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
    pub fn mean_losses(
        &self,
        loss: &PerceptualLoss,
        device: Device,
        paint: impl Fn(&Tensor) -> Tensor,
    ) -> LossValues {
        let each: Vec<LossValues> = self
            .crops
            .iter()
            .map(|crop| {
                tch::no_grad(|| {
                    let photo = byte_rgb_from_interleaved(&crop.byte_rgb, 1, crop.side, crop.side, device);
                    loss.evaluate(&paint(&photo).clamp(0.0, 255.0), &photo).values()
                })
            })
            .collect();
        LossValues::mean(&each)
    }
}
