//! How large pictures become.

use std::borrow::Cow;

use anyhow::ensure;
use pixel::{DecodeLimits, Filter, Picture, PictureError};

/// The size of the result.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct OutputSize {
    /// To the photo's sides, above 0.
    pub(super) scale: f64,
    /// The longest side is at most this.
    pub(super) longest_px: Option<u32>,
}

impl OutputSize {
    /// Width and height for a photo of this size. It is never enlarged beyond `scale` to reach the longest side.
    pub(super) fn of(self, photo: (u32, u32)) -> (u32, u32) {
        let longest = f64::from(photo.0.max(photo.1));
        let cap = self.longest_px.map_or(f64::INFINITY, |longest_px| f64::from(longest_px) / longest);
        scaled(photo, self.scale.min(cap))
    }
}

/// The sides times `factor`, rounded, at least 1.
pub(super) fn scaled(size: (u32, u32), factor: f64) -> (u32, u32) {
    let times = |side: u32| ((f64::from(side) * factor).round() as u32).max(1);
    (times(size.0), times(size.1))
}

/// Refuses sizes beyond that of any photo that would be read.
pub(super) fn check_reasonable((width, height): (u32, u32)) -> anyhow::Result<()> {
    let limit = DecodeLimits::default().max_pixels;
    ensure!(
        u64::from(width) * u64::from(height) <= limit,
        "{width}x{height} pixels would have to be painted, at most {} megapixels are; lower --scale or raise --stroke",
        limit / 1_000_000
    );
    Ok(())
}

/// The photo at this size, with its transparency.
pub(super) fn resized(
    photo: &Picture,
    (width, height): (u32, u32),
) -> Result<Cow<'_, Picture>, PictureError> {
    if (width, height) == (photo.width(), photo.height()) {
        return Ok(Cow::Borrowed(photo));
    }
    Ok(Cow::Owned(photo.resize(width, height, Filter::Lanczos3)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scale_and_longest_side() {
        let size = |scale, longest_px| OutputSize { scale, longest_px }.of((400, 301));
        assert_eq!(size(1.0, None), (400, 301));
        assert_eq!(size(0.5, None), (200, 151));
        assert_eq!(size(2.0, None), (800, 602));
        assert_eq!(size(1.0, Some(100)), (100, 75));
        assert_eq!(size(1.0, Some(1000)), (400, 301), "it only shrinks");
        assert_eq!(size(4.0, Some(1000)), (1000, 753), "after the scale");
        assert_eq!(size(0.0001, None), (1, 1));
        assert_eq!(OutputSize { scale: 1.0, longest_px: Some(7) }.of((1, 5000)), (1, 7));
    }

    #[test]
    fn sizes_beyond_reason_are_refused() {
        assert!(check_reasonable((12_000, 8000)).is_ok());
        let message = check_reasonable((u32::MAX, u32::MAX)).unwrap_err().to_string();
        assert!(message.contains("at most 268 megapixels"), "{message}");
    }

    #[test]
    fn transparency_goes_along() {
        let photo = Picture::from_rgb(4, 4, vec![255; 48]).unwrap().with_alpha(vec![40; 16]).unwrap();
        let small = resized(&photo, (2, 3)).unwrap();
        assert_eq!((small.rgb(), small.alpha()), (&[255; 18][..], Some(&[40; 6][..])));
        assert!(matches!(resized(&photo, (4, 4)).unwrap(), Cow::Borrowed(_)));
    }
}
