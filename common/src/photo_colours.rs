//! Light and dark of the painting, colours of the photo.

/// What red, green and blue count in luma: BT.709's weights, here on the encoded values of sRGB.
pub const LUMA_WEIGHTS: [f32; 3] = [0.2126, 0.7152, 0.0722];

/// The luma of sRGB values: how light a pixel looks, roughly.
pub fn luma([red, green, blue]: [f32; 3]) -> f32 {
    let [of_red, of_green, of_blue] = LUMA_WEIGHTS;
    of_red * red + of_green * green + of_blue * blue
}

/// The painted pixel's luma with the photo's chroma, both `byte_rgb` in 0..255: luminance-only transfer of Gatys et al.
/// 2016, "Preserving Color in Neural Artistic Style Transfer", section 4.2.
///
/// The space is luma and colour difference (R-Y, G-Y, B-Y) of the encoded values, which spans what YIQ does. Adding the
/// same to all channels keeps hue and colour difference. Where that leaves 0..255, the difference is shortened just as
/// much as is needed: hue and luma stay, saturation gives way. Clamping each channel would shift both. (Oklab keeps hues
/// less well: a red that is lightened turns to salmon.)
pub fn with_colour_of(photo: [f32; 3], painted: [f32; 3]) -> [f32; 3] {
    let (photo_luma, painted_luma) = (luma(photo), luma(painted));
    let chroma = photo.map(|value| value - photo_luma);
    let share = chroma.iter().fold(1.0f32, |share, &difference| {
        let room = if difference > 0.0 { 255.0 - painted_luma } else { painted_luma };
        // Without a difference 0 / 0 may arise; `min` passes over NaN.
        share.min(room / difference.abs())
    });
    chroma.map(|difference| painted_luma + share * difference)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn near(found: [f32; 3], expected: [f32; 3]) -> bool {
        found.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-3)
    }

    #[test]
    fn by_hand() {
        // 20 lighter, as there is room.
        assert!(near(
            with_colour_of([100.0, 50.0, 0.0], [luma([120.0, 70.0, 20.0]); 3]),
            [120.0, 70.0, 20.0]
        ));
        // A grey photo has no colour to keep.
        assert!(near(with_colour_of([9.0; 3], [255.0, 0.0, 0.0]), [54.213; 3]));
        // Black and white hold no colour.
        assert!(near(with_colour_of([255.0, 0.0, 0.0], [255.0; 3]), [255.0; 3]));
        assert!(near(with_colour_of([255.0, 0.0, 0.0], [0.0; 3]), [0.0; 3]));
        assert!(near(with_colour_of([0.0; 3], [0.0; 3]), [0.0; 3]));
    }

    proptest! {
        #[test]
        fn luma_is_the_paintings_and_hue_the_photos(photo: [u8; 3], painted: [u8; 3]) {
            let (photo, painted) = (photo.map(f32::from), painted.map(f32::from));
            let found = with_colour_of(photo, painted);
            prop_assert!(found.iter().all(|value| (-1e-3..=255.001).contains(value)), "{:?}", found);
            prop_assert!((luma(found) - luma(painted)).abs() < 1e-2, "{:?}", found);
            // The differences between channels are the photo's, all shortened alike.
            let spread = |pixel: [f32; 3]| [pixel[0] - pixel[1], pixel[1] - pixel[2], pixel[2] - pixel[0]];
            let (of_photo, of_found) = (spread(photo), spread(found));
            let longest = |spread: [f32; 3]| spread.iter().fold(0.0f32, |longest, side| longest.max(side.abs()));
            prop_assume!(longest(of_photo) > 0.0);
            let share = longest(of_found) / longest(of_photo);
            prop_assert!(share <= 1.0001);
            prop_assert!(near(of_found, of_photo.map(|difference| difference * share)), "{:?}", found);
        }

        #[test]
        fn a_painting_as_light_as_the_photo_gives_the_photo(photo: [u8; 3]) {
            let photo = photo.map(f32::from);
            prop_assert!(near(with_colour_of(photo, [luma(photo); 3]), photo));
        }
    }
}
