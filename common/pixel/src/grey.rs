//! [`Grey`]: a picture of one channel, for masks and other maps.

use std::ops::Range;

use image::{GrayImage, imageops};
use resample::Source;

use crate::{Filter, Picture, PictureError, Region};

/// One byte a pixel, row by row from the top left. Both sides are at least 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grey {
    width: u32,
    height: u32,
    values: Vec<u8>,
}

impl Grey {
    /// From `[height, width]` bytes.
    ///
    /// # Errors
    /// A zero side, or a buffer of another length than `width * height`.
    pub fn new(width: u32, height: u32, values: Vec<u8>) -> Result<Self, PictureError> {
        if width == 0 || height == 0 {
            return Err(PictureError::NoPixels { width, height });
        }
        let expected = u64::from(width) * u64::from(height);
        if values.len() as u64 != expected {
            let found = values.len();
            return Err(PictureError::WrongLength { what: "grey", width, height, expected, found });
        }
        Ok(Self { width, height, values })
    }

    /// How light a picture is (luma, BT.709), over black where it is transparent.
    pub fn from_picture(picture: &Picture) -> Self {
        let alpha = picture.alpha().unwrap_or_default().iter().copied().chain(std::iter::repeat(u8::MAX));
        let grey = |(&[red, green, blue], alpha): (&[u8; 3], u8)| {
            // Shares of 2^16 that add up to exactly that, so that grey keeps its value.
            let luma = (13_933 * u32::from(red) + 46_871 * u32::from(green) + 4_732 * u32::from(blue)) >> 8;
            ((luma * u32::from(alpha) + 255 * 128) / (255 * 256)) as u8
        };
        let values = picture.rgb().as_chunks::<3>().0.iter().zip(alpha).map(grey).collect();
        Self { width: picture.width(), height: picture.height(), values }
    }

    /// Pixels across, at least 1.
    pub const fn width(&self) -> u32 {
        self.width
    }

    /// Pixels down, at least 1.
    pub const fn height(&self) -> u32 {
        self.height
    }

    /// `[height, width]`
    pub fn values(&self) -> &[u8] {
        &self.values
    }

    /// The whole at another size.
    ///
    /// # Errors
    /// A zero side.
    pub fn resize(&self, width: u32, height: u32, filter: Filter) -> Result<Self, PictureError> {
        Self::new(width, height, self.resize_rows(width, height, 0..height, filter)?)
    }

    /// Some rows of the whole at another size: `[rows, width]`. `rows` are those of the result.
    ///
    /// # Errors
    /// A zero side, or rows that are none or lie outside.
    pub fn resize_rows(
        &self,
        width: u32,
        height: u32,
        rows: Range<u32>,
        filter: Filter,
    ) -> Result<Vec<u8>, PictureError> {
        let own = (self.width, self.height);
        let region = Region::of_rows(own, height, &rows);
        let count = rows.end.saturating_sub(rows.start);
        if width == 0 || count == 0 {
            return Err(PictureError::NoPixels { width, height: count });
        }
        if !region.lies_in(own.0, own.1) {
            let Region { x, y, width: part_width, height: part_height } = region;
            return Err(PictureError::OutOfBounds {
                x,
                y,
                part_width,
                part_height,
                width: own.0,
                height: own.1,
            });
        }
        if own == (width, height) {
            let span = rows.start as usize * width as usize..rows.end as usize * width as usize;
            return Ok(self.values[span].to_vec());
        }
        let source = Source { width: own.0, height: own.1, samples: &self.values };
        Ok(resample::grey(source, region, (width, count), filter))
    }

    /// Blurred by a Gaussian of this standard deviation in pixels, above 0.
    #[must_use]
    pub fn blur(self, deviation_px: f32) -> Self {
        let Self { width, height, values } = self;
        let sharp = GrayImage::from_raw(width, height, values).expect("a byte for each pixel");
        Self { width, height, values: imageops::blur(&sharp, deviation_px).into_raw() }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn grey_keeps_its_value_and_colours_have_their_luma() {
        let greys = Picture::from_rgb(256, 1, (0..=255).flat_map(|v| [v; 3]).collect()).unwrap();
        assert_eq!(Grey::from_picture(&greys).values(), (0..=255).collect::<Vec<u8>>());
        let colours = Picture::from_rgb(3, 1, vec![255, 0, 0, 0, 255, 0, 0, 0, 255]).unwrap();
        assert_eq!(Grey::from_picture(&colours).values(), [54, 182, 18]);
    }

    #[test]
    fn what_is_transparent_is_black() {
        let white = Picture::from_rgb(3, 1, vec![255; 9]).unwrap().with_alpha(vec![0, 128, 255]).unwrap();
        assert_eq!(Grey::from_picture(&white).values(), [0, 128, 255]);
    }

    #[test]
    fn lengths_and_rows_are_checked() {
        assert!(Grey::new(0, 1, vec![]).is_err());
        assert!(Grey::new(2, 2, vec![0; 3]).is_err());
        let grey = Grey::new(2, 2, vec![0; 4]).unwrap();
        let rows = |width, rows| grey.resize_rows(width, 4, rows, Filter::Bilinear);
        assert!(rows(4, 3..5).is_err() && rows(4, 2..2).is_err() && rows(0, 0..4).is_err());
        assert!(grey.resize(3, 0, Filter::Bilinear).is_err());
    }

    #[test]
    fn a_blurred_edge_fades_and_keeps_its_ends() {
        let values: Vec<u8> = [0u8; 20].into_iter().chain([255; 20]).collect();
        let blurred = Grey::new(40, 1, values).unwrap().blur(2.0);
        let values = blurred.values();
        assert_eq!((values[0], values[39]), (0, 255));
        assert!(values.is_sorted(), "{values:?}");
        // A Gaussian edge: one deviation beyond it, 84 % are reached.
        assert!((198..=226).contains(&values[21]), "{values:?}");
    }

    proptest! {
        #[test]
        fn rows_are_those_of_the_whole(
            size in (1u32..30, 1u32..30),
            target in (1u32..60, 2u32..60),
            cut in 0.0f64..1.0,
            seed: u64,
        ) {
            let value = |i: u64| (i.wrapping_mul(0x9e37_79b9).wrapping_add(seed) >> 7) as u8;
            let grey = Grey::new(size.0, size.1, (0..u64::from(size.0 * size.1)).map(value).collect()).unwrap();
            let cut = 1 + (f64::from(target.1 - 2) * cut) as u32;
            let rows = |rows| grey.resize_rows(target.0, target.1, rows, Filter::Bilinear).unwrap();
            let parts = [rows(0..cut), rows(cut..target.1)].concat();
            let whole = grey.resize(target.0, target.1, Filter::Bilinear).unwrap();
            // The weights are rounded to 16 bits in both.
            prop_assert!(parts.iter().zip(whole.values()).all(|(a, b)| a.abs_diff(*b) <= 1));
        }
    }
}
