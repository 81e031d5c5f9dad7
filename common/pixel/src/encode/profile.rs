//! The colour profile that goes into every file.

use std::ops::Range;
use std::sync::LazyLock;

use moxcms::ColorProfile;

/// Where a profile's header has the date of its making.
const DATE: Range<usize> = 24..36;

/// sRGB as an ICC profile: the same bytes always and everywhere.
pub(crate) fn srgb_profile() -> &'static Vec<u8> {
    static PROFILE: LazyLock<Vec<u8>> = LazyLock::new(|| {
        let mut profile = ColorProfile::new_srgb();
        // Would say once more what the curves and primaries say.
        profile.cicp = None;
        let mut bytes = profile.encode().expect("sRGB is a profile");
        // The encoder writes the time of day.
        bytes[DATE].copy_from_slice(&[2026, 1, 1, 0, 0, 0].map(u16::to_be_bytes).concat());
        bytes
    });
    &PROFILE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_profile_is_small_and_can_be_read() {
        let bytes = srgb_profile();
        assert!(bytes.len() < 1000, "{} bytes", bytes.len());
        let read = ColorProfile::new_from_slice(bytes).unwrap();
        let date = read.creation_date_time;
        assert_eq!((date.year, date.month, date.day_of_the_month, date.seconds), (2026, 1, 1, 0));
    }
}
