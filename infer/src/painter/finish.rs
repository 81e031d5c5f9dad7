//! From painted rows to the result: colours, masks and strength, all pixel by pixel, and then the only rounding.
//!
//! Rows are worked on as they come, so that a large photo needs no copy of itself in floats.

use pixel::Picture;

use super::masks::Weights;
use super::sample::Sample;
use common::photo_colours::with_colour_of;

/// The photo, on which paintings are laid, one style after the other.
pub(super) struct Finish<'a, S: Sample> {
    /// At the size of the result.
    photo: &'a Picture,
    strength: f32,
    keeps_colours: bool,
    /// Without any, the style paints everywhere.
    weights: Option<Weights<'a>>,
    canvas: Canvas<S>,
}

/// What has been painted, `[height, width, 3]`.
enum Canvas<S: Sample> {
    /// Of one style: the result.
    Result(Vec<S>),
    /// Of several styles: by how much they change the photo together.
    Changes(Vec<S::Change>),
}

impl<'a, S: Sample> Finish<'a, S> {
    /// `weights` has as many masks as there are styles, or there is one style and no mask.
    pub(super) fn new(
        photo: &'a Picture,
        strength: f32,
        keeps_colours: bool,
        weights: Option<Weights<'a>>,
        style_count: usize,
    ) -> Self {
        let values = photo.rgb().len();
        let canvas = if style_count == 1 {
            Canvas::Result(vec![S::default(); values])
        } else {
            Canvas::Changes(vec![S::Change::default(); values])
        };
        Self { photo, strength, keeps_colours, weights, canvas }
    }

    /// Takes a row of a style's painting, `byte_rgb` `[width, 3]` within 0..255. Each style paints each row once.
    pub(super) fn take_row(&mut self, style: usize, row: u32, painted: &mut [f32]) {
        let values = painted.len();
        let span = row as usize * values..(row as usize + 1) * values;
        let photo = &self.photo.rgb()[span.clone()];
        let photo_pixels = photo.as_chunks::<3>().0;
        if self.keeps_colours {
            for (painted, photo) in painted.as_chunks_mut::<3>().0.iter_mut().zip(photo_pixels) {
                *painted = with_colour_of(photo.map(f32::from), *painted);
            }
        }
        let pixels = photo_pixels.iter().zip(painted.as_chunks::<3>().0);
        let strength = self.strength;
        match (&mut self.canvas, &mut self.weights) {
            (Canvas::Result(samples), None) => {
                for ((sample, &photo), &painted) in samples[span].iter_mut().zip(photo).zip(&*painted) {
                    *sample = S::from_byte_rgb(blend(photo, painted, strength));
                }
            }
            (Canvas::Result(samples), Some(weights)) => {
                let samples = samples[span].as_chunks_mut::<3>().0.iter_mut();
                for ((samples, (photo, painted)), weight) in
                    samples.zip(pixels).zip(weights.of_row(style, row))
                {
                    *samples = std::array::from_fn(|channel| {
                        S::from_byte_rgb(blend(photo[channel], painted[channel], strength * weight))
                    });
                }
            }
            (Canvas::Changes(changes), weights) => {
                let weights = weights.as_mut().expect("several styles have masks").of_row(style, row);
                let changes = changes[span].as_chunks_mut::<3>().0.iter_mut();
                for ((changes, (photo, painted)), weight) in changes.zip(pixels).zip(weights) {
                    for channel in 0..3 {
                        let change = painted[channel] - f32::from(photo[channel]);
                        S::add(&mut changes[channel], strength * weight * change);
                    }
                }
            }
        }
    }

    /// The result, with the photo's transparency.
    pub(super) fn into_picture(self) -> S::Picture {
        let rgb = match self.canvas {
            Canvas::Result(samples) => samples,
            Canvas::Changes(changes) => {
                let sample = |(&photo, change)| S::from_byte_rgb(f32::from(photo) + S::levels(change));
                self.photo.rgb().iter().zip(changes).map(sample).collect()
            }
        };
        let size = (self.photo.width(), self.photo.height());
        S::picture(size, rgb, self.photo.alpha().map(<[u8]>::to_vec))
            .expect("as many samples as the photo has")
    }
}

/// Exactly the photo at 0, and exactly the painting at 1.
fn blend(photo: u8, painted: f32, share: f32) -> f32 {
    f32::from(photo) * (1.0 - share) + painted * share
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use common::space::byte_from_byte_rgb;
    use pixel::Grey;
    use proptest::prelude::*;

    use super::*;

    /// One pixel of a photo under the paintings of several styles.
    fn pixel(photo: [u8; 3], strength: f32, keeps: bool, styles: &[([f32; 3], Option<u8>)]) -> [u8; 3] {
        finished::<u8>(photo, strength, keeps, styles).rgb().try_into().unwrap()
    }

    /// The same with 16 bits.
    fn deep_pixel(photo: [u8; 3], strength: f32, keeps: bool, styles: &[([f32; 3], Option<u8>)]) -> [u16; 3] {
        finished::<u16>(photo, strength, keeps, styles).rgb().try_into().unwrap()
    }

    fn finished<S: Sample>(
        photo: [u8; 3],
        strength: f32,
        keeps: bool,
        styles: &[([f32; 3], Option<u8>)],
    ) -> S::Picture {
        let photo = Picture::from_rgb(1, 1, photo.to_vec()).unwrap();
        let masks: Option<Vec<Cow<'_, Grey>>> = styles
            .iter()
            .map(|(_, mask)| mask.map(|mask| Cow::Owned(Grey::new(1, 1, vec![mask]).unwrap())))
            .collect();
        let weights = masks.map(|masks| Weights::new(masks, (1, 1)));
        let mut finish = Finish::<S>::new(&photo, strength, keeps, weights, styles.len());
        for (style, (painted, _)) in styles.iter().enumerate() {
            finish.take_row(style, 0, &mut painted.clone());
        }
        finish.into_picture()
    }

    #[test]
    fn strength_by_hand() {
        let at = |strength| pixel([100, 200, 0], strength, false, &[([200.0, 100.0, 30.2], None)]);
        assert_eq!(at(0.0), [100, 200, 0]);
        assert_eq!(at(0.25), [125, 175, 8]);
        assert_eq!(at(1.0), [200, 100, 30]);
        assert_eq!(at(2.0), [255, 0, 60], "beyond the painting, within what bytes hold");
    }

    #[test]
    fn masks_by_hand() {
        let painted = [200.0, 100.0, 0.0];
        let at = |mask| pixel([100, 100, 100], 1.0, false, &[(painted, Some(mask))]);
        assert_eq!([at(0), at(51), at(255)], [[100, 100, 100], [120, 100, 80], [200, 100, 0]]);
        let both = |a, b| {
            let styles = [([200.0, 100.0, 0.0], Some(a)), ([0.0, 100.0, 50.0], Some(b))];
            pixel([100, 100, 100], 1.0, false, &styles)
        };
        assert_eq!(both(0, 0), [100, 100, 100], "the photo");
        assert_eq!(both(255, 0), [200, 100, 0], "one style");
        assert_eq!(both(0, 255), [0, 100, 50], "the other");
        assert_eq!(both(255, 255), [100, 100, 25], "half of each");
        assert_eq!(both(102, 51), [120, 100, 50], "0.4 of one and 0.2 of the other");
    }

    #[test]
    fn several_strong_styles_clamp_only_their_sum() {
        let styles = [([255.0; 3], Some(255)), ([0.0; 3], Some(255))];
        // 100 + 2 (155 - 100) / 2, though one style alone goes far beyond 255.
        assert_eq!(pixel([100; 3], 2.0, false, &styles), [155; 3]);
    }

    #[test]
    fn transparency_returns_untouched() {
        let photo = Picture::from_rgb(2, 1, vec![9; 6]).unwrap().with_alpha(vec![3, 200]).unwrap();
        let mut finish = Finish::<u8>::new(&photo, 1.0, false, None, 1);
        finish.take_row(0, 0, &mut [50.0; 6]);
        let picture = finish.into_picture();
        assert_eq!((picture.rgb(), picture.alpha()), (&[50; 6][..], Some(&[3, 200][..])));
        let mut finish = Finish::<u16>::new(&photo, 1.0, false, None, 1);
        finish.take_row(0, 0, &mut [50.0; 6]);
        let picture = finish.into_picture();
        assert_eq!((picture.rgb(), picture.alpha()), (&[50 * 257; 6][..], Some(&[3, 200][..])));
    }

    #[test]
    fn a_ramp_keeps_its_16_bit_steps() {
        const WIDTH: u32 = 4096;
        let photo = Picture::from_rgb(WIDTH, 1, vec![90; 3 * WIDTH as usize]).unwrap();
        let black = Grey::new(1, 1, vec![0]).unwrap();
        let white = Grey::new(1, 1, vec![255]).unwrap();
        let masks = || Weights::new(vec![Cow::Borrowed(&white), Cow::Borrowed(&black)], (WIDTH, 1));
        let ramp: Vec<f32> = (0..WIDTH).flat_map(|x| [x as f32 * 255.0 / (WIDTH - 1) as f32; 3]).collect();
        for (weights, style_count) in [(None, 1), (Some(masks()), 2)] {
            let mut finish = Finish::<u16>::new(&photo, 1.0, false, weights, style_count);
            for style in 0..style_count {
                finish.take_row(style, 0, &mut ramp.clone());
            }
            let mut values = finish.into_picture().rgb().to_vec();
            assert!(values.is_sorted() && values[0] == 0 && values.last() == Some(&u16::MAX));
            values.dedup();
            assert_eq!(values.len(), WIDTH as usize, "of {style_count} styles");
        }
    }

    proptest! {
        #[test]
        fn nothing_and_black_masks_are_the_photo_exactly(
            photo: [u8; 3], painted in [0.0f32..=255.0, 0.0f32..=255.0, 0.0f32..=255.0],
            strength in 0.0f32..=3.0, keeps: bool,
        ) {
            prop_assert_eq!(pixel(photo, 0.0, keeps, &[(painted, None)]), photo);
            prop_assert_eq!(pixel(photo, strength, keeps, &[(painted, Some(0))]), photo);
            prop_assert_eq!(pixel(photo, strength, keeps, &[(painted, Some(0)), (painted, Some(0))]), photo);
        }

        #[test]
        fn both_depths_agree_within_half_a_level(
            photo: [u8; 3], first in [0.0f32..=255.0, 0.0f32..=255.0, 0.0f32..=255.0],
            second in [0.0f32..=255.0, 0.0f32..=255.0, 0.0f32..=255.0],
            masks: (u8, u8), strength in 0.0f32..=3.0, keeps: bool,
        ) {
            let both = |styles: &[([f32; 3], Option<u8>)]| {
                let bytes = pixel(photo, strength, keeps, styles).map(|byte| i32::from(byte) * 257);
                (bytes, deep_pixel(photo, strength, keeps, styles).map(i32::from))
            };
            let masked = (first, Some(masks.0));
            for (styles, limit) in [
                (&[(first, None)][..], 129),
                (&[masked], 129),
                // Each style's share of the bytes is rounded to 1/32 of a level before.
                (&[masked, (second, Some(masks.1))], 129 + 257 / 32 + 1),
            ] {
                let (bytes, deep) = both(styles);
                for (byte, deep) in bytes.iter().zip(deep) {
                    prop_assert!((byte - deep).abs() <= limit, "{} for {}", deep, byte);
                }
            }
            let black = [(first, Some(0)), (second, Some(0))];
            prop_assert_eq!(deep_pixel(photo, strength, keeps, &black), photo.map(|byte| u16::from(byte) * 257));
        }

        #[test]
        fn everything_is_the_painting_exactly(
            photo: [u8; 3], painted in [0.0f32..=255.0, 0.0f32..=255.0, 0.0f32..=255.0],
        ) {
            let rounded = painted.map(byte_from_byte_rgb);
            prop_assert_eq!(pixel(photo, 1.0, false, &[(painted, None)]), rounded);
            prop_assert_eq!(pixel(photo, 1.0, false, &[(painted, Some(255))]), rounded);
        }

        #[test]
        fn styles_that_agree_paint_like_one(
            photo: [u8; 3], painted: [u8; 3], masks: (u8, u8), strength in 0.0f32..=3.0,
        ) {
            let painted = painted.map(f32::from);
            let sum = masks.0.saturating_add(masks.1);
            let one = pixel(photo, strength, false, &[(painted, Some(sum))]);
            let two = pixel(photo, strength, false, &[(painted, Some(masks.0)), (painted, Some(masks.1))]);
            // Each share is rounded to 1/32 of a level.
            prop_assert!(one.iter().zip(two).all(|(one, two)| one.abs_diff(two) <= 1), "{:?} {:?}", one, two);
        }

        #[test]
        fn a_grey_painting_as_light_as_the_photo_changes_nothing(photo: [u8; 3], strength in 0.0f32..=3.0) {
            let light = common::photo_colours::luma(photo.map(f32::from));
            prop_assert_eq!(pixel(photo, strength, true, &[([light; 3], None)]), photo);
        }
    }
}
