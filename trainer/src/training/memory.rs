//! Trainings that do not fit into memory end in a sentence that says what would fit.

use common::loss::PerceptualLoss;
use common::memory::{available_bytes, catching};
use common::precision::Precision;
use tch::{Device, Kind, Tensor};

use super::TrainingError;
use super::learner::Learner;
use super::photos::PhotoBatch;
use crate::recipe::Recipe;

/// What a step takes on the CPU for each pixel of its batch, with VGG-19 to relu5_1 and a network of width 32, and apart from
/// that; by measurement (docs/records/2026-11-21-training.md).
const F32_BYTES_PER_PIXEL: u64 = 4000;
const BF16_BYTES_PER_PIXEL: u64 = 2900;
const BYTES_APART_FROM_PIXELS: u64 = 800 << 20;

/// Refuses a training whose steps would not fit into the computer's memory: the system would kill the program, or swap.
/// A GPU says so itself.
pub(super) fn check_room(recipe: &Recipe, device: Device) -> Result<(), TrainingError> {
    match available_bytes() {
        Some(available) if device == Device::Cpu => check_room_in(recipe, available),
        _ => Ok(()),
    }
}

fn check_room_in(recipe: &Recipe, available: u64) -> Result<(), TrainingError> {
    let bytes_per_pixel = match recipe.precision {
        Precision::F32 | Precision::Tf32 => F32_BYTES_PER_PIXEL,
        Precision::Bf16 => BF16_BYTES_PER_PIXEL,
    };
    let photo = u64::from(recipe.crop_px).pow(2) * bytes_per_pixel;
    let needed = BYTES_APART_FROM_PIXELS + photo * recipe.batch as u64;
    if needed <= available {
        return Ok(());
    }
    let fits = (available.saturating_sub(BYTES_APART_FROM_PIXELS) / photo) as usize;
    Err(out_of_memory(recipe, Some(fits).filter(|&batch| batch > 0)))
}

/// Does some work of a step; where the memory does not suffice, tries out how many photos would fit.
///
/// libtorch says that it has no memory by an exception, which arrives here as a panic. The training is of no use after it.
pub(super) fn guarded<T>(
    recipe: &Recipe,
    learner: &mut Learner,
    loss: &PerceptualLoss,
    device: Device,
    work: impl FnOnce(&mut Learner) -> T,
) -> Result<T, TrainingError> {
    if let Ok(done) = catching(|| work(learner)) {
        return Ok(done);
    }
    let side = i64::from(recipe.crop_px);
    let fits = std::iter::successors(Some(recipe.batch / 2), |batch| Some(batch / 2))
        .take_while(|&batch| batch > 0)
        .find(|&batch| {
            let photos = || PhotoBatch {
                byte_rgb: Tensor::zeros([batch as i64, 3, side, side], (Kind::Float, device)),
                zooms: vec![1.0; batch],
            };
            catching(|| learner.gradient(&photos(), loss)).is_ok()
        });
    Err(out_of_memory(recipe, fits))
}

fn out_of_memory(recipe: &Recipe, fits: Option<usize>) -> TrainingError {
    let advice = match fits {
        Some(batch) => {
            let accumulate = recipe.images_per_step().div_ceil(batch as u64);
            format!("--batch {batch} fits (with --accumulate {accumulate} for as many photos in a step)")
        }
        None => "not even one photo fits: choose a smaller --size".to_owned(),
    };
    TrainingError::OutOfMemory { batch: recipe.batch, crop_px: recipe.crop_px, advice }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_refused_with_what_would() {
        let recipe = Recipe { batch: 64, crop_px: 512, ..Recipe::default() };
        assert!(check_room_in(&recipe, 1 << 40).is_ok());
        let message = check_room_in(&recipe, 8 << 30).unwrap_err().to_string();
        assert!(
            message.contains("64 photos of 512 pixels") && message.contains("--batch 7 fits"),
            "{message}"
        );
        assert!(message.contains("--accumulate 10"), "{message}");
        let message = check_room_in(&recipe, 1 << 30).unwrap_err().to_string();
        assert!(message.contains("smaller --size"), "{message}");
    }
}
