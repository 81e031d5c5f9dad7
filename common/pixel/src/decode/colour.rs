//! Any layout and profile -> sRGB. Where the result takes no more room than what it is made of, it is made in place.

use std::sync::Arc;

use moxcms::{ColorProfile, DataColorSpace, Layout as CmsLayout, TransformExecutor, TransformOptions};

use super::raster::{Layout, Raster};
use crate::encode::srgb_profile;
use crate::in_place::{shrink, split_alpha};

/// The colours as `[height, width, 3]` in sRGB, and the alpha, `[height, width]`, where the layout has one.
pub(super) fn into_srgb(raster: Raster) -> (Vec<u8>, Option<Vec<u8>>) {
    let Raster { layout, samples, icc_profile, .. } = raster;
    // Ours is in every file that was painted before.
    let foreign = icc_profile.filter(|icc| icc != srgb_profile());
    let profile = foreign.and_then(|icc| ColorProfile::new_from_slice(&icc).ok());
    match layout {
        Layout::Gray => (gray_to_srgb(samples, profile.as_ref()), None),
        Layout::Rgb => (rgb_to_srgb(samples, profile.as_ref()), None),
        Layout::Cmyk => (cmyk_to_srgb(samples, profile.as_ref()), None),
        Layout::GrayAlpha => {
            let (gray, alpha) = split_alpha::<2, 1>(samples);
            (gray_to_srgb(gray, profile.as_ref()), Some(alpha))
        }
        Layout::Rgba => {
            let (rgb, alpha) = split_alpha::<4, 3>(samples);
            (rgb_to_srgb(rgb, profile.as_ref()), Some(alpha))
        }
    }
}

fn gray_to_srgb(gray: Vec<u8>, profile: Option<&ColorProfile>) -> Vec<u8> {
    let fitting = profile.filter(|profile| profile.color_space == DataColorSpace::Gray);
    if let Some(transform) = fitting.and_then(|profile| to_srgb(profile, CmsLayout::Gray)) {
        let mut rgb = vec![0; gray.len() * 3];
        if transform.transform(&gray, &mut rgb).is_ok() {
            return rgb;
        }
    }
    // Grey scans often carry the profile of a colour scanner; equal channels are what it describes.
    let mut rgb = Vec::with_capacity(gray.len() * 3);
    for value in gray {
        rgb.extend([value; 3]);
    }
    rgb_to_srgb(rgb, profile)
}

fn rgb_to_srgb(rgb: Vec<u8>, profile: Option<&ColorProfile>) -> Vec<u8> {
    let fitting = profile.filter(|profile| profile.color_space == DataColorSpace::Rgb);
    match fitting.and_then(|profile| to_srgb(profile, CmsLayout::Rgb)) {
        Some(transform) if !is_srgb(&*transform) => convert_in_place::<3>(rgb, &*transform),
        _ => rgb,
    }
}

fn cmyk_to_srgb(cmyk: Vec<u8>, profile: Option<&ColorProfile>) -> Vec<u8> {
    let fitting = profile.filter(|profile| profile.color_space == DataColorSpace::Cmyk);
    match fitting.and_then(|profile| to_srgb(profile, CmsLayout::Rgba)) {
        Some(transform) => convert_in_place::<4>(cmyk, &*transform),
        None => cmyk_without_profile(cmyk),
    }
}

/// Inks as plain filters: (1 - ink)(1 - black). What PIL and browsers do without a profile.
fn cmyk_without_profile(cmyk: Vec<u8>) -> Vec<u8> {
    shrink::<4, 3>(cmyk, |[c, m, y, k]| {
        let light = 255 - u32::from(k);
        [c, m, y].map(|ink| (((255 - u32::from(ink)) * light + 127) / 255) as u8)
    })
}

type Transform = dyn TransformExecutor<u8> + Send + Sync;

/// `None` where the profile cannot be used.
fn to_srgb(profile: &ColorProfile, layout: CmsLayout) -> Option<Arc<Transform>> {
    let srgb = ColorProfile::new_srgb();
    profile.create_transform_8bit(layout, &srgb, CmsLayout::Rgb, TransformOptions::default()).ok()
}

/// Whether a profile is another wording of sRGB, so that converting would only add rounding errors.
fn is_srgb(transform: &Transform) -> bool {
    const STEPS: [u8; 18] =
        [0, 15, 30, 45, 60, 75, 90, 105, 120, 135, 150, 165, 180, 195, 210, 225, 240, 255];
    let mut lattice = Vec::with_capacity(STEPS.len().pow(3) * 3);
    for r in STEPS {
        for g in STEPS {
            for b in STEPS {
                lattice.extend([r, g, b]);
            }
        }
    }
    let mut found = vec![0; lattice.len()];
    transform.transform(&lattice, &mut found).is_ok()
        && found.iter().zip(&lattice).all(|(found, value)| found.abs_diff(*value) <= 1)
}

/// Makes `[.., 3]` of `[.., CHANNELS]`, at least three channels.
fn convert_in_place<const CHANNELS: usize>(mut samples: Vec<u8>, transform: &Transform) -> Vec<u8> {
    /// Pixels at a time: few enough for the cache, enough for vector instructions.
    const BLOCK: usize = 4096;
    let pixels = samples.len() / CHANNELS;
    let mut block = Vec::with_capacity(BLOCK * CHANNELS);
    for start in (0..pixels).step_by(BLOCK) {
        let end = (start + BLOCK).min(pixels);
        block.clear();
        block.extend_from_slice(&samples[start * CHANNELS..end * CHANNELS]);
        transform
            .transform(&block, &mut samples[start * 3..end * 3])
            .expect("whole pixels, as many as there is room for");
    }
    samples.truncate(pixels * 3);
    samples.shrink_to_fit();
    samples
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: &[u8], expected: &[u8]) -> bool {
        found.len() == expected.len() && found.iter().zip(expected).all(|(a, b)| a.abs_diff(*b) <= 1)
    }

    #[test]
    fn srgb_in_any_wording_is_left_alone() {
        let rgb: Vec<u8> = (0..=255).flat_map(|v| [v, 255 - v, v / 2]).collect();
        let mut as_a_table = ColorProfile::new_srgb();
        let decoded = |v: f64| if v <= 0.04045 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) };
        let table: Vec<u16> =
            (0..1024).map(|i| (decoded(f64::from(i) / 1023.0) * 65535.0).round() as u16).collect();
        for curve in [&mut as_a_table.red_trc, &mut as_a_table.green_trc, &mut as_a_table.blue_trc] {
            *curve = Some(moxcms::ToneReprCurve::Lut(table.clone()));
        }
        for profile in [ColorProfile::new_srgb(), as_a_table] {
            assert_eq!(rgb_to_srgb(rgb.clone(), Some(&profile)), rgb);
        }
    }

    #[test]
    fn blocks_fit_together() {
        let one: Vec<u8> = (0..3 * 4097).map(|i| (i * 7 % 256) as u8).collect();
        let profile = ColorProfile::new_display_p3();
        let together = rgb_to_srgb(one.repeat(3), Some(&profile));
        let apart = rgb_to_srgb(one, Some(&profile));
        assert!(near(&together, &apart.repeat(3)));
        assert!(!near(&apart, &(0..3 * 4097).map(|i| (i * 7 % 256) as u8).collect::<Vec<u8>>()));
    }

    #[test]
    fn a_wide_gamut_changes_colours_but_not_white() {
        let found = rgb_to_srgb(vec![255, 255, 255, 100, 200, 100], Some(&ColorProfile::new_adobe_rgb()));
        assert!(near(&found[..3], &[255, 255, 255]), "{found:?}");
        assert!(found[3] < 60 && found[4] >= 199, "a more saturated green: {found:?}");
    }

    #[test]
    fn a_gray_profile_works_on_gray() {
        let linear = ColorProfile::new_gray_with_gamma(1.0);
        let found = gray_to_srgb(vec![0, 55, 255], Some(&linear));
        assert!(near(&found, &[0, 0, 0, 128, 128, 128, 255, 255, 255]), "{found:?}");
    }

    #[test]
    fn an_ill_fitting_profile_is_ignored() {
        let gray = ColorProfile::new_gray_with_gamma(1.0);
        assert_eq!(rgb_to_srgb(vec![1, 2, 3], Some(&gray)), [1, 2, 3]);
        assert_eq!(cmyk_to_srgb(vec![0, 0, 0, 0], Some(&gray)), [255, 255, 255]);
    }

    #[test]
    fn plain_cmyk() {
        let found = cmyk_without_profile(vec![0, 0, 0, 0, 255, 0, 0, 0, 0, 0, 0, 255, 0, 255, 255, 128]);
        assert_eq!(found, [255, 255, 255, 0, 255, 255, 0, 0, 0, 127, 0, 0]);
    }
}
