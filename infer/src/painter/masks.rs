//! Where which style paints.

use std::borrow::Cow;
use std::ops::Range;
use std::path::Path;

use anyhow::Context as _;
use pixel::{DecodeLimits, Filter, Grey};

use super::size::scaled;

/// Rows of the masks that are made at a time.
const BAND_ROWS: u32 = 64;

/// The widest blur, in pixels of the picture that is blurred. What a wider one leaves, a smaller picture can show as
/// well, and it is blurred faster.
const BLUR_DEVIATION_PX: f32 = 2.0;

/// A mask as it is in its file: white paints, black does not, and neither does what is transparent.
pub(super) fn load(path: &Path) -> anyhow::Result<Grey> {
    let picture = pixel::decode_file(path, &DecodeLimits::default())
        .with_context(|| format!("the mask {}", path.display()))?;
    Ok(Grey::from_picture(&picture))
}

/// The mask with soft edges, for a photo of this size; its own size may be another. The edges fade over about `feather_px`
/// pixels of the photo to either side: two standard deviations of a Gaussian.
pub(super) fn feathered(mask: &Grey, photo: (u32, u32), feather_px: f32) -> Cow<'_, Grey> {
    if feather_px <= 0.0 {
        return Cow::Borrowed(mask);
    }
    let reduction = (feather_px / 2.0 / BLUR_DEVIATION_PX).max(1.0);
    let (width, height) = scaled(photo, 1.0 / f64::from(reduction));
    let small = mask.resize(width, height, Filter::Bilinear).expect("both sides are at least one pixel");
    Cow::Owned(small.blur(feather_px / 2.0 / reduction))
}

/// The weights of all styles at each pixel of a photo, made row by row, from the top or anew from any row.
pub(super) struct Weights<'a> {
    masks: Vec<Cow<'a, Grey>>,
    size: (u32, u32),
    rows: Range<u32>,
    /// For each mask `[rows, width]`.
    values: Vec<Vec<u8>>,
}

impl<'a> Weights<'a> {
    pub(super) fn new(masks: Vec<Cow<'a, Grey>>, size: (u32, u32)) -> Self {
        Self { masks, size, rows: 0..0, values: Vec::new() }
    }

    /// The weights of a style at a row's pixels, 0 to 1: its mask there. Where all masks together make more than 1, they are
    /// divided by their sum; where they make less, the rest is the photo's.
    pub(super) fn of_row(&mut self, style: usize, row: u32) -> impl Iterator<Item = f32> + '_ {
        if !self.rows.contains(&row) {
            self.make_rows_from(row);
        }
        let start = (row - self.rows.start) as usize * self.size.0 as usize;
        let columns = start..start + self.size.0 as usize;
        columns.map(move |at| {
            let sum: u32 = self.values.iter().map(|mask| u32::from(mask[at])).sum();
            f32::from(self.values[style][at]) / sum.max(255) as f32
        })
    }

    fn make_rows_from(&mut self, row: u32) {
        let (width, height) = self.size;
        self.rows = row..(row + BAND_ROWS).min(height);
        let rows =
            |mask: &Cow<'_, Grey>| mask.resize_rows(width, height, self.rows.clone(), Filter::Bilinear);
        self.values = self.masks.iter().map(|mask| rows(mask).expect("rows of the photo")).collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grey(width: u32, values: &[u8]) -> Grey {
        Grey::new(width, values.len() as u32 / width, values.to_vec()).unwrap()
    }

    #[test]
    fn overlapping_masks_share_and_gaps_are_the_photos() {
        let masks = [grey(4, &[255, 255, 51, 0]), grey(4, &[0, 255, 102, 0])];
        let mut weights = Weights::new(masks.iter().map(Cow::Borrowed).collect(), (4, 1));
        let mut row = |style| weights.of_row(style, 0).collect::<Vec<f32>>();
        assert_eq!(row(0), [1.0, 0.5, 0.2, 0.0]);
        assert_eq!(row(1), [0.0, 0.5, 0.4, 0.0]);
    }

    #[test]
    fn rows_are_those_of_the_mask_at_the_photos_size() {
        let mask = grey(3, &(0..=255).step_by(17).take(12).map(|value| value as u8).collect::<Vec<u8>>());
        let whole = mask.resize(5, 150, Filter::Bilinear).unwrap();
        let mut weights = Weights::new(vec![Cow::Borrowed(&mask)], (5, 150));
        for row in (0..150).chain([3, 149, 0]) {
            let expected = &whole.values()[row as usize * 5..][..5];
            for (found, &expected) in weights.of_row(0, row).zip(expected) {
                // Bands may round to the other neighbour.
                assert!((found * 255.0 - f32::from(expected)).abs() < 1.01, "row {row}");
            }
        }
    }

    #[test]
    fn feathering_softens_in_the_photos_pixels_whatever_the_masks_size() {
        for mask_width in [20, 200] {
            let half: Vec<u8> = (0..mask_width).map(|x| if x < mask_width / 2 { 0 } else { 255 }).collect();
            let mask = grey(mask_width, &half);
            let soft = feathered(&mask, (1000, 40), 60.0);
            let mut weights = Weights::new(vec![soft], (1000, 40));
            let row: Vec<f32> = weights.of_row(0, 20).collect();
            assert!(row[420] < 0.03 && row[580] > 0.97, "{mask_width}: {} {}", row[420], row[580]);
            // One deviation of 30 pixels to either side.
            assert!((row[470] - 0.16).abs() < 0.04 && (row[530] - 0.84).abs() < 0.04, "{mask_width}");
            assert!(row.is_sorted());
        }
        let mask = grey(2, &[0, 255]);
        assert!(matches!(feathered(&mask, (10, 10), 0.0), Cow::Borrowed(_)));
    }
}
