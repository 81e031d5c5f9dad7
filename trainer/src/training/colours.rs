//! Paintings in the colours of the photos.

use common::colour_match::{ColourMatch, ColourStatistics, ColourSums};
use datasets::{PhotoFolder, StreamError, shuffled_centre_crops};
use pixel::Picture;
use tch::Tensor;

use crate::recipe::Recipe;

/// How many photos speak for all: samples of 200 from 2500 photos of COCO have means 2 levels (one standard deviation)
/// around that of all of them, and deviations 1 level around.
const PHOTOS_SAMPLED: usize = 200;

/// Mean and covariance of the photos' colours, by a sample that depends on the recipe alone; `None` if they are not
/// asked for.
pub(super) fn photo_colours(
    recipe: &Recipe,
    photos: &PhotoFolder,
) -> Result<Option<ColourStatistics>, StreamError> {
    if recipe.match_colors == ColourMatch::None {
        return Ok(None);
    }
    let mut sums = ColourSums::default();
    let mut broken = None;
    let crops = shuffled_centre_crops(photos, recipe.crop_px, recipe.seed);
    let good = crops.filter_map(|crop| crop.map_err(|photo| broken = Some(photo)).ok());
    good.take(PHOTOS_SAMPLED).for_each(|crop| sums.add(&crop.byte_rgb));
    match (sums.statistics(), broken) {
        (None, Some(example)) => Err(StreamError::NoUsablePhotos { count: photos.len(), example }),
        (colours, _) => Ok(colours),
    }
}

/// The painting in `byte_rgb` with the mean and covariance of these colours. What leaves 0..255 is cut off, since no
/// network's painting can be of such colours.
pub(super) fn recoloured(
    byte_rgb: &Tensor,
    painting: &Picture,
    by: ColourMatch,
    colours: &ColourStatistics,
) -> Tensor {
    let own = ColourStatistics::of_pixels(painting.rgb()).expect("a picture has pixels");
    match by.transfer(&own, colours) {
        Some(transfer) => transfer.apply(byte_rgb).clamp(0.0, 255.0),
        None => byte_rgb.shallow_clone(),
    }
}
