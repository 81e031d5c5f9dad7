//! Resizing; see the crate `resample` for how.
//!
//! Works on the sRGB-encoded values, not on linear light, as PIL, OpenCV and torchvision do: the networks
//! were trained on pictures made that way.

use std::ops::Range;

use resample::Source;
pub use resample::{Filter, Region};

use crate::{Picture, PictureError};

impl Picture {
    /// The whole picture at another size.
    ///
    /// Colours are weighed by alpha, so that what hides under transparent pixels does not bleed out.
    ///
    /// # Errors
    /// A zero side.
    pub fn resize(&self, width: u32, height: u32, filter: Filter) -> Result<Self, PictureError> {
        if (width, height) == (self.width(), self.height()) {
            return Ok(self.clone());
        }
        let all = Region { x: 0.0, y: 0.0, width: f64::from(self.width()), height: f64::from(self.height()) };
        self.resize_region(all, width, height, filter)
    }

    /// Only a part of the picture, at another size: the work and memory of the part, not of the whole.
    ///
    /// At the border of the region the filter looks at the pixels beyond it, so that the result is a crop of
    /// the resized whole.
    ///
    /// # Errors
    /// A zero side, or a region that is empty or sticks out of the picture.
    pub fn resize_region(
        &self,
        region: Region,
        width: u32,
        height: u32,
        filter: Filter,
    ) -> Result<Self, PictureError> {
        if width == 0 || height == 0 {
            return Err(PictureError::NoPixels { width, height });
        }
        if !region.lies_in(self.width(), self.height()) {
            return Err(PictureError::OutOfBounds {
                x: region.x,
                y: region.y,
                part_width: region.width,
                part_height: region.height,
                width: self.width(),
                height: self.height(),
            });
        }
        let source = |samples| Source { width: self.width(), height: self.height(), samples };
        if self.alpha().is_some() {
            let rgba = resample::rgba(source(&self.to_rgba()), region, (width, height), filter);
            Self::from_rgba(width, height, rgba)
        } else {
            let rgb = resample::rgb(source(self.rgb()), region, (width, height), filter);
            Self::from_rgb(width, height, rgb)
        }
    }

    /// Some rows of the whole picture at another size: for pictures that are too large to be held twice. `rows` are those of
    /// the result.
    ///
    /// # Errors
    /// A zero side, or rows that are none or lie outside.
    pub fn resize_rows(
        &self,
        width: u32,
        height: u32,
        rows: Range<u32>,
        filter: Filter,
    ) -> Result<Self, PictureError> {
        let region = Region::of_rows((self.width(), self.height()), height, &rows);
        self.resize_region(region, width, rows.end.saturating_sub(rows.start), filter)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FILTERS: [Filter; 4] = [Filter::Box, Filter::Bilinear, Filter::CatmullRom, Filter::Lanczos3];

    #[test]
    fn box_is_the_mean_of_the_covered_pixels() {
        let picture = Picture::from_rgb(4, 2, [0, 10, 100, 110].repeat(6)).unwrap();
        let half = picture.resize(2, 1, Filter::Box).unwrap();
        // Column means over 2x2 blocks of the interleaved pattern.
        let mean = |offsets: [usize; 4]| {
            (offsets.iter().map(|&i| f64::from(picture.rgb()[i])).sum::<f64>() / 4.0).round() as u8
        };
        let expected: Vec<u8> = [0, 6]
            .iter()
            .flat_map(|&x| (0..3).map(move |c| mean([x + c, x + c + 3, x + c + 12, x + c + 15])))
            .collect();
        assert_eq!(half.rgb(), expected);
    }

    #[test]
    fn transparent_colour_does_not_bleed() {
        // A red pixel beside a fully transparent green one: the mean is half-transparent red.
        let picture =
            Picture::from_rgb(2, 1, vec![255, 0, 0, 0, 255, 0]).unwrap().with_alpha(vec![255, 0]).unwrap();
        let one = picture.resize(1, 1, Filter::Box).unwrap();
        assert_eq!(one.rgb(), [255, 0, 0]);
        assert!(matches!(one.alpha(), Some([127 | 128])), "{:?}", one.alpha());
    }

    #[test]
    fn bad_sizes_and_regions_are_refused() {
        let picture = Picture::from_rgb(4, 4, vec![0; 48]).unwrap();
        assert!(matches!(picture.resize(0, 4, Filter::Box), Err(PictureError::NoPixels { .. })));
        let whole = Region { x: 0.0, y: 0.0, width: 4.0, height: 4.0 };
        for region in [
            Region { x: 0.5, ..whole },
            Region { y: -0.1, ..whole },
            Region { width: 0.0, ..whole },
            Region { height: f64::NAN, ..whole },
        ] {
            let found = picture.resize_region(region, 2, 2, Filter::Bilinear);
            assert!(matches!(found, Err(PictureError::OutOfBounds { .. })), "{region:?}");
        }
    }

    #[test]
    fn a_region_of_whole_pixels_at_its_own_size_is_a_crop() {
        let picture = Picture::from_rgb(6, 5, (0..90).map(|i| (i * 7 % 256) as u8).collect()).unwrap();
        let region = Region { x: 2.0, y: 1.0, width: 3.0, height: 4.0 };
        for filter in FILTERS {
            let found = picture.resize_region(region, 3, 4, filter).unwrap();
            assert_eq!(found, picture.crop(2, 1, 3, 4).unwrap(), "{filter:?}");
        }
    }

    #[test]
    fn a_resized_region_is_a_crop_of_the_resized_whole() {
        let picture = Picture::from_rgb(24, 16, (0..1152).map(|i| (i * 37 % 251) as u8).collect()).unwrap();
        let region = Region { x: 8.0, y: 4.0, width: 12.0, height: 8.0 };
        for filter in FILTERS {
            let found = picture.resize_region(region, 6, 4, filter).unwrap();
            let expected = picture.resize(12, 8, filter).unwrap().crop(4, 2, 6, 4).unwrap();
            assert_eq!(found, expected, "{filter:?}");
        }
    }

    #[test]
    fn rows_come_without_the_others() {
        let picture = Picture::from_rgb(24, 16, (0..1152).map(|i| (i * 37 % 251) as u8).collect()).unwrap();
        for filter in FILTERS {
            let whole = picture.resize(30, 8, filter).unwrap();
            let found = picture.resize_rows(30, 8, 2..7, filter).unwrap();
            assert_eq!(found, whole.crop(0, 2, 30, 5).unwrap(), "{filter:?}");
        }
        assert!(picture.resize_rows(30, 8, 2..9, Filter::Box).is_err());
        assert!(picture.resize_rows(30, 8, 3..3, Filter::Box).is_err());
    }

    proptest! {
        #[test]
        fn a_flat_colour_stays_flat(
            colour: [u8; 3],
            size in (1u32..40, 1u32..40),
            target in (1u32..40, 1u32..40),
            which in 0usize..4,
        ) {
            let pixels = (size.0 * size.1) as usize;
            let picture = Picture::from_rgb(size.0, size.1, colour.repeat(pixels)).unwrap();
            let resized = picture.resize(target.0, target.1, FILTERS[which]).unwrap();
            prop_assert_eq!((resized.width(), resized.height()), target);
            prop_assert!(resized.rgb().as_chunks::<3>().0.iter().all(|pixel| *pixel == colour));
        }
    }
}
