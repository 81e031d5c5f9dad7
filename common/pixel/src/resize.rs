//! Resizing, by convolution with a filter that widens when a picture shrinks (as PIL and torchvision's
//! `antialias=True` do).
//!
//! Works on the sRGB-encoded values, not on linear light, as PIL, OpenCV and torchvision do: the networks
//! were trained on pictures made that way.

use std::ops::Range;

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};

use crate::{Picture, PictureError};

/// How neighbouring pixels are weighed. There is no default: the choice changes pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filter {
    /// The mean of the covered pixels: exact for whole-number shrinking.
    Box,
    /// A triangle: fast, never overshoots; what torchvision's `Resize` does, so the one for training crops.
    Bilinear,
    /// A cubic (a = -0.5, PIL's `BICUBIC`): sharper, overshoots a little.
    CatmullRom,
    /// The sharpest and slowest; for pictures that people look at.
    Lanczos3,
}

impl From<Filter> for FilterType {
    fn from(filter: Filter) -> Self {
        match filter {
            Filter::Box => Self::Box,
            Filter::Bilinear => Self::Bilinear,
            Filter::CatmullRom => Self::CatmullRom,
            Filter::Lanczos3 => Self::Lanczos3,
        }
    }
}

/// A part of a picture in pixels, not bound to whole ones: pixel `i` covers `i..i + 1`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Region {
    /// Left edge.
    pub x: f64,
    /// Top edge.
    pub y: f64,
    /// From left to right, more than 0.
    pub width: f64,
    /// From top to bottom, more than 0.
    pub height: f64,
}

impl Region {
    /// What `rows` of a picture resized to `height` rows show, in the pixels of the picture of this size.
    pub(crate) fn of_rows((own_width, own_height): (u32, u32), height: u32, rows: &Range<u32>) -> Self {
        let own_row = |row: u32| f64::from(row) * f64::from(own_height) / f64::from(height);
        let (top, bottom) = (own_row(rows.start), own_row(rows.end));
        let mut region = Self { x: 0.0, y: top, width: f64::from(own_width), height: bottom - top };
        // Rounding may put the last row's end a trifle below the picture's.
        if rows.end == height && !region.lies_in(own_width, own_height) {
            region.height = (f64::from(own_height) - top).next_down();
        }
        region
    }

    /// Whether the region is not empty and lies inside a picture of this size.
    pub(crate) fn lies_in(&self, width: u32, height: u32) -> bool {
        // A NaN anywhere makes a comparison false.
        self.x >= 0.0
            && self.y >= 0.0
            && self.width > 0.0
            && self.height > 0.0
            && self.x + self.width <= f64::from(width)
            && self.y + self.height <= f64::from(height)
    }
}

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
        if self.alpha().is_some() {
            let (rgba, size) = (self.to_rgba(), (self.width(), self.height()));
            let rgba = convolve(&rgba, size, PixelType::U8x4, region, (width, height), filter);
            Self::from_rgba(width, height, &rgba)
        } else {
            let size = (self.width(), self.height());
            let rgb = convolve(self.rgb(), size, PixelType::U8x3, region, (width, height), filter);
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

/// A part of `samples`, whose picture has the size `from`, at the size `to`; the region has been checked.
pub(crate) fn convolve(
    samples: &[u8],
    from: (u32, u32),
    pixel_type: PixelType,
    region: Region,
    to: (u32, u32),
    filter: Filter,
) -> Vec<u8> {
    let source = ImageRef::new(from.0, from.1, samples, pixel_type)
        .expect("a picture's buffers have the length of its size");
    let mut target = Image::new(to.0, to.1, pixel_type);
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(filter.into())).crop(
        region.x,
        region.y,
        region.width,
        region.height,
    );
    Resizer::new()
        .resize(&source, &mut target, &options)
        .expect("both sides have one pixel type and the region lies inside");
    target.into_vec()
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
