//! How well a network paints photos that it was not trained on.

use std::ops::ControlFlow;

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
    /// `observe` hears before each photo how many are done and how many there are, and may break it off.
    pub fn mean_losses(
        &self,
        loss: &PerceptualLoss,
        device: Device,
        paint: &dyn Fn(&Tensor) -> Tensor,
        observe: &mut dyn FnMut(usize, usize) -> ControlFlow<()>,
    ) -> ControlFlow<(), LossValues> {
        let mut values = Vec::with_capacity(self.len());
        for (done, crop) in self.crops.iter().enumerate() {
            observe(done, self.len())?;
            values.push(tch::no_grad(|| {
                let photo = byte_rgb_from_interleaved(&crop.byte_rgb, 1, crop.side, crop.side, device);
                loss.evaluate(&paint(&photo).clamp(0.0, 255.0), &photo).values(loss.spec())
            }));
        }
        ControlFlow::Continue(LossValues::mean(&values))
    }
}
