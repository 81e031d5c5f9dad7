//! Any layout and profile -> sRGB.

use moxcms::{ColorProfile, DataColorSpace, Layout as CmsLayout, TransformOptions};

use super::raster::{Layout, Raster};
use crate::picture::split_alpha;

/// The colours as `[height, width, 3]` in sRGB, and the alpha, `[height, width]`, where the layout has one.
pub(super) fn into_srgb(raster: Raster) -> (Vec<u8>, Option<Vec<u8>>) {
    let Raster { layout, samples, icc_profile, .. } = raster;
    let profile = icc_profile.and_then(|icc| ColorProfile::new_from_slice(&icc).ok());
    match layout {
        Layout::Gray => (gray_to_srgb(samples, profile.as_ref()), None),
        Layout::Rgb => (rgb_to_srgb(samples, profile.as_ref()), None),
        Layout::Cmyk => (cmyk_to_srgb(&samples, profile.as_ref()), None),
        Layout::GrayAlpha => {
            let (gray, alpha) = split_alpha::<2, 1>(&samples);
            (gray_to_srgb(gray, profile.as_ref()), Some(alpha))
        }
        Layout::Rgba => {
            let (rgb, alpha) = split_alpha::<4, 3>(&samples);
            (rgb_to_srgb(rgb, profile.as_ref()), Some(alpha))
        }
    }
}

fn gray_to_srgb(gray: Vec<u8>, profile: Option<&ColorProfile>) -> Vec<u8> {
    if let Some(profile) = profile
        && profile.color_space == DataColorSpace::Gray
        && let Some(rgb) = transform(profile, CmsLayout::Gray, &gray)
    {
        return rgb;
    }
    // Grey scans often carry the profile of a colour scanner; equal channels are what it describes.
    let rgb = gray.into_iter().flat_map(|value| [value; 3]).collect();
    rgb_to_srgb(rgb, profile)
}

fn rgb_to_srgb(rgb: Vec<u8>, profile: Option<&ColorProfile>) -> Vec<u8> {
    let fitting = profile.filter(|profile| profile.color_space == DataColorSpace::Rgb);
    fitting.and_then(|profile| transform(profile, CmsLayout::Rgb, &rgb)).unwrap_or(rgb)
}

fn cmyk_to_srgb(cmyk: &[u8], profile: Option<&ColorProfile>) -> Vec<u8> {
    let fitting = profile.filter(|profile| profile.color_space == DataColorSpace::Cmyk);
    fitting
        .and_then(|profile| transform(profile, CmsLayout::Rgba, cmyk))
        .unwrap_or_else(|| cmyk_without_profile(cmyk))
}

/// Inks as plain filters: (1 - ink)(1 - black). What PIL and browsers do without a profile.
fn cmyk_without_profile(cmyk: &[u8]) -> Vec<u8> {
    let pixels = cmyk.as_chunks::<4>().0.iter();
    pixels
        .flat_map(|&[c, m, y, k]| {
            let light = 255 - u32::from(k);
            [c, m, y].map(|ink| (((255 - u32::from(ink)) * light + 127) / 255) as u8)
        })
        .collect()
}

/// `None` where the profile cannot be used.
fn transform(profile: &ColorProfile, layout: CmsLayout, samples: &[u8]) -> Option<Vec<u8>> {
    let channels = match layout {
        CmsLayout::Gray => 1,
        CmsLayout::Rgb => 3,
        _ => 4,
    };
    let srgb = ColorProfile::new_srgb();
    let transform =
        profile.create_transform_8bit(layout, &srgb, CmsLayout::Rgb, TransformOptions::default()).ok()?;
    let mut rgb = vec![0; samples.len() / channels * 3];
    transform.transform(samples, &mut rgb).ok()?;
    Some(rgb)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: &[u8], expected: &[u8]) -> bool {
        found.len() == expected.len() && found.iter().zip(expected).all(|(a, b)| a.abs_diff(*b) <= 1)
    }

    #[test]
    fn srgb_through_its_own_profile_is_itself() {
        let rgb: Vec<u8> = (0..=255).flat_map(|v| [v, 255 - v, v / 2]).collect();
        let found = rgb_to_srgb(rgb.clone(), Some(&ColorProfile::new_srgb()));
        assert!(near(&found, &rgb), "{found:?}");
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
        assert_eq!(cmyk_to_srgb(&[0, 0, 0, 0], Some(&gray)), [255, 255, 255]);
    }

    #[test]
    fn plain_cmyk() {
        let found = cmyk_without_profile(&[0, 0, 0, 0, 255, 0, 0, 0, 0, 0, 0, 255, 0, 255, 255, 128]);
        assert_eq!(found, [255, 255, 255, 0, 255, 255, 0, 0, 0, 127, 0, 0]);
    }
}
