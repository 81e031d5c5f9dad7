//! Which square of a photo becomes the crop.

use pixel::{Filter, Picture, PictureError, Region};

use crate::order::Draw;

/// A square to cut, drawn before the photo's size is known.
///
/// It fits every photo: one that is smaller than the crop is enlarged.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CropPlan {
    /// Pixels a side of the result.
    side: u32,
    /// What the photo's short side is resized to, at least `side`.
    short_side: u32,
    /// Where in the free play from left to right, 0.0 to 1.0.
    across: f64,
    /// Where in the free play from top to bottom, 0.0 to 1.0.
    down: f64,
    mirrored: bool,
}

impl CropPlan {
    /// The middle of the photo, short side resized to `side`: Resize and CenterCrop of pytorch/examples.
    pub const fn centre(side: u32) -> Self {
        Self { side, short_side: side, across: 0.5, down: 0.5, mirrored: false }
    }

    /// A random square of a photo whose short side is resized to `side..=side * zoom`, mirrored every other time.
    pub(crate) fn random(side: u32, zoom: f64, mut draw: Draw) -> Self {
        let play = longest_short_side(side, zoom) - side;
        Self {
            side,
            short_side: side + draw.below(u64::from(play) + 1) as u32,
            across: draw.unit(),
            down: draw.unit(),
            mirrored: draw.coin(),
        }
    }

    /// Pixels a side of the result.
    pub const fn side(&self) -> u32 {
        self.side
    }

    /// How far it goes into the photo: the photo's short side over that of the square, from 1.
    pub fn zoom(&self) -> f64 {
        f64::from(self.short_side) / f64::from(self.side)
    }

    /// Whether the result is the mirror image of the square.
    pub const fn is_mirrored(&self) -> bool {
        self.mirrored
    }

    /// The square in the pixels of a photo of this size, to be resized to `side` x `side`.
    ///
    /// Cutting first and resizing only the square saves most of the work of resizing the whole; a photo
    /// that is smaller than the crop is enlarged by the same rule. The square shows the same part of a photo
    /// that was resized as a whole.
    pub fn region(&self, width: u32, height: u32) -> Region {
        let short = f64::from(width.min(height));
        // At most `short`, in spite of rounding, as side <= short_side.
        let side = (short * f64::from(self.side) / f64::from(self.short_side)).min(short);
        let place = |free: f64, share: f64| (free * share).clamp(0.0, free);
        Region {
            x: place(f64::from(width) - side, self.across),
            y: place(f64::from(height) - side, self.down),
            width: side,
            height: side,
        }
    }

    /// `[side, side, 3]` bytes of an opaque photo.
    pub(crate) fn cut(&self, photo: &Picture) -> Result<Vec<u8>, PictureError> {
        let region = self.region(photo.width(), photo.height());
        let square = photo.resize_region(region, self.side, self.side, Filter::Bilinear)?;
        Ok(if self.mirrored { square.flip_horizontal() } else { square }.into_rgb())
    }
}

/// The most pixels that a random plan for crops of `side` pixels asks of a photo's short side: `side * zoom`.
pub(crate) fn longest_short_side(side: u32, zoom: f64) -> u32 {
    ((f64::from(side) * zoom) as u32).max(side)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::A_LITTLE_ZOOM;
    use crate::order::{StreamPosition, crop_draw};

    #[test]
    fn the_centre_of_a_wide_photo() {
        let region = CropPlan::centre(10).region(60, 20);
        assert_eq!(region, Region { x: 20.0, y: 0.0, width: 20.0, height: 20.0 });
    }

    #[test]
    fn the_centre_shows_the_middle() {
        // 10 black columns, 14 white ones, 10 black ones; the filter looks 2 columns beyond the square.
        let row: Vec<u8> = (0..34).flat_map(|x| [if (10..24).contains(&x) { 255 } else { 0 }; 3]).collect();
        let photo = Picture::from_rgb(34, 10, row.repeat(10)).unwrap();
        assert_eq!(CropPlan::centre(5).cut(&photo).unwrap(), [255; 75]);
    }

    #[test]
    fn a_small_photo_is_enlarged() {
        let photo = Picture::from_rgb(20, 16, vec![90; 20 * 16 * 3]).unwrap();
        assert_eq!(CropPlan::centre(64).cut(&photo).unwrap(), vec![90; 64 * 64 * 3]);
    }

    #[test]
    fn random_plans_use_their_whole_range() {
        let plans = |zoom| -> Vec<CropPlan> {
            (0..400)
                .map(|index| CropPlan::random(64, zoom, crop_draw(3, StreamPosition { epoch: 0, index })))
                .collect()
        };
        let sizes = |plans: &[CropPlan]| -> std::collections::BTreeSet<u32> {
            plans.iter().map(|plan| plan.short_side).collect()
        };
        assert_eq!(sizes(&plans(2.0)), (64..=128).collect());
        assert_eq!(sizes(&plans(1.0)), [64].into());
        assert!(plans(2.0).iter().all(|plan| plan.zoom() == f64::from(plan.short_side) / 64.0));
        assert_eq!(CropPlan::centre(64).zoom(), 1.0);
        let plans = plans(A_LITTLE_ZOOM);
        assert_eq!(sizes(&plans), (64..=72).collect());
        let mirrored = plans.iter().filter(|plan| plan.mirrored).count();
        assert!((150..250).contains(&mirrored), "{mirrored}");
        let left = plans.iter().filter(|plan| plan.across < 0.5).count();
        assert!((150..250).contains(&left), "{left}");
    }

    proptest! {
        #[test]
        fn every_plan_fits_every_photo(
            seed: u64, index: u64, side in 1u32..600, width in 1u32..9000, height in 1u32..9000,
            zoom in 1.0..9.0,
        ) {
            let plan = CropPlan::random(side, zoom, crop_draw(seed, StreamPosition { epoch: 0, index }));
            let region = plan.region(width, height);
            prop_assert!(region.width > 0.0 && region.x >= 0.0 && region.y >= 0.0, "{:?}", region);
            prop_assert!(region.x + region.width <= f64::from(width), "{:?}", region);
            prop_assert!(region.y + region.height <= f64::from(height), "{:?}", region);
        }
    }
}
