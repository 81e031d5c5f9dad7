//! Photos that show nothing: failed downloads, covered lenses, empty scans.

use pixel::Picture;

use crate::skip::SkipReason;

/// Photos none of whose channels reaches this standard deviation, of 255, over all pixels are skipped as blank.
///
/// It is far below what shows anything: the flattest of 1,300 photos of everyday scenes has 18; fog that
/// brightens by 6 of 255 from top to bottom has 1.7, and 5 x 5 dark pixels on white, in a 640 x 480 photo, have 2.
/// A black frame with the noise of a sensor (a standard deviation of 2, saved as JPEG) has 1.
pub const MIN_STANDARD_DEVIATION: f64 = 1.5;

/// Depends on nothing but the photo: what is blank for one crop is blank for all.
pub(crate) fn check_not_blank(photo: &Picture) -> Result<(), SkipReason> {
    let pixels = u64::from(photo.width()) * u64::from(photo.height());
    let enough = MIN_STANDARD_DEVIATION.powi(2) * pixels as f64;
    let rows = || photo.rgb().chunks_exact(photo.width() as usize * 3);
    // All rows scatter at least as much as some of them, so that a look at a few lets most photos go.
    if scatter(rows().step_by(16), enough) >= enough {
        return Ok(());
    }
    let scatter = scatter(rows(), enough);
    if scatter >= enough {
        return Ok(());
    }
    Err(SkipReason::Blank { standard_deviation: (scatter / pixels as f64).sqrt() })
}

/// The sum of the squared deviations from the mean, of the channel where it is largest, as far as the row that
/// makes it reach `enough`.
fn scatter<'a>(rows: impl Iterator<Item = &'a [u8]>, enough: f64) -> f64 {
    let mut seen = 0;
    let mut sums = [0; 3];
    let mut sums_of_squares = [0; 3];
    let mut scatter = 0.0;
    for row in rows {
        let pixels = row.as_chunks::<3>().0;
        seen += pixels.len();
        for pixel in pixels {
            for channel in 0..3 {
                let value = u64::from(pixel[channel]);
                sums[channel] += value;
                sums_of_squares[channel] += value * value;
            }
        }
        let of_channel = |channel: usize| {
            let sum = sums[channel] as f64;
            sums_of_squares[channel] as f64 - sum * sum / seen as f64
        };
        scatter = [0, 1, 2].map(of_channel).into_iter().fold(0.0, f64::max);
        if scatter >= enough {
            break;
        }
    }
    scatter
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn gray(width: u32, height: u32, value: impl Fn(u32, u32) -> u8) -> Picture {
        let pixels = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
        let rgb = pixels.flat_map(|(x, y)| [value(x, y); 3]).collect();
        Picture::from_rgb(width, height, rgb).unwrap()
    }

    #[test]
    fn one_colour_and_a_trace_of_noise_are_blank() {
        for value in [0, 128, 255] {
            let found = check_not_blank(&gray(40, 30, |_, _| value));
            assert!(
                matches!(found, Err(SkipReason::Blank { standard_deviation: 0.0 })),
                "{value}: {found:?}"
            );
        }
        let noise = gray(64, 48, |x, y| ((x * 7 + y * 13) % 4) as u8);
        let message = check_not_blank(&noise).unwrap_err().to_string();
        assert_eq!(message, "the photo is blank: its values deviate by 1.12 of 255, at least 1.5 are needed");
    }

    #[test]
    fn fog_snow_and_a_distant_bird_are_not_blank() {
        let fog = gray(640, 480, |_, y| 229 + (y * 6 / 479) as u8);
        assert!(check_not_blank(&fog).is_ok());
        let snow = gray(640, 480, |x, y| 247 + ((x / 9 + y / 7) % 9) as u8);
        assert!(check_not_blank(&snow).is_ok());
        let bird =
            gray(640, 480, |x, y| if (300..305).contains(&x) && (470..475).contains(&y) { 20 } else { 250 });
        assert!(check_not_blank(&bird).is_ok());
    }

    #[test]
    fn one_varied_channel_is_enough() {
        let rgb = (0..256).flat_map(|i| [9, 9, i as u8]).collect();
        assert!(check_not_blank(&Picture::from_rgb(16, 16, rgb).unwrap()).is_ok());
    }

    proptest! {
        /// Leaving early never changes the answer.
        #[test]
        fn the_rule_is_the_standard_deviation(values in prop::collection::vec(100u8..106, 36)) {
            let photo = gray(6, 6, |x, y| values[(y * 6 + x) as usize]);
            let mean = values.iter().map(|&v| f64::from(v)).sum::<f64>() / 36.0;
            let variance = values.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>() / 36.0;
            prop_assume!((variance.sqrt() - MIN_STANDARD_DEVIATION).abs() > 1e-9);
            prop_assert_eq!(check_not_blank(&photo).is_ok(), variance.sqrt() >= MIN_STANDARD_DEVIATION);
        }
    }
}
