//! How a picture is painted within the memory allowed.

use kernel::interleaved::TileConv;

use super::size::InnerSize;

/// What a picture is painted with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Each layer's result is kept whole: the fastest.
    Whole,
    /// Results at full and half resolution are made in bands, and made again where they are needed again.
    Bands {
        /// Rows of a band at quarter resolution.
        quarter_rows: usize,
        /// Whether what lies at quarter resolution is kept in a file.
        spill: bool,
    },
}

/// Not even the smallest bands fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooLittle {
    pub(super) needed_bytes: u64,
}

/// What threads keep for themselves, roughly.
const THREADS_BYTES: u64 = 16 << 20;

/// The three pictures at quarter resolution that a residual block works with: what it adds to, and what its two
/// convolutions make.
const QUARTER_PICTURES: u64 = 3;

impl Way {
    /// The fastest way that takes no more than `allowed_bytes`.
    pub(super) fn choose(size: &InnerSize, allowed_bytes: u64) -> Result<Self, TooLittle> {
        if whole_bytes(size) <= allowed_bytes {
            return Ok(Self::Whole);
        }
        let unit = band_unit(size);
        let quarters = QUARTER_PICTURES * 4 * size.values()[2] as u64;
        let rows_within = |bytes: u64| {
            let units = (1..=(size.height / 4).div_ceil(unit)).rev();
            units.map(|units| units * unit).find(|&rows| band_bytes(size, rows) <= bytes)
        };
        if let Some(quarter_rows) = allowed_bytes.checked_sub(quarters).and_then(rows_within) {
            return Ok(Self::Bands { quarter_rows, spill: false });
        }
        match rows_within(allowed_bytes) {
            Some(quarter_rows) => Ok(Self::Bands { quarter_rows, spill: true }),
            None => Err(TooLittle { needed_bytes: band_bytes(size, unit) }),
        }
    }
}

/// The rows at quarter resolution, of which bands are multiples: where the groups begin that statistics are kept of.
pub(super) fn band_unit(size: &InnerSize) -> usize {
    let (a, b) = (TileConv::row_group(size.width / 4), TileConv::row_group(size.width / 2));
    (1..=b).map(|times| times * a).find(|multiple| multiple.is_multiple_of(b)).expect("a times b is one")
}

/// What [`Way::Whole`] takes: one picture at each resolution; the others live where those are not in use.
pub(super) fn whole_bytes(size: &InnerSize) -> u64 {
    4 * size.values().iter().sum::<usize>() as u64 + THREADS_BYTES
}

/// What bands of this many rows at quarter resolution take at most, beside the pictures at quarter resolution: when the
/// painting is made, from which each convolution wants a few rows more than the next.
pub(super) fn band_bytes(size: &InnerSize, quarter_rows: usize) -> u64 {
    let [full, half, quarter] = size.row_values();
    let planes = 3 * size.width * 4 * quarter_rows;
    let values = full * (4 * quarter_rows + 16)
        + half * (2 * quarter_rows + 16)
        + quarter * (2 * quarter_rows + 10)
        + planes;
    4 * values as u64 + THREADS_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::NetConfig;

    fn size(height: u32, width: u32) -> InnerSize {
        InnerSize::new(height, width, &NetConfig::default())
    }

    #[test]
    fn the_fastest_way_that_fits_is_taken() {
        let photo = size(8000, 12000);
        assert_eq!(Way::choose(&photo, 30 << 30), Ok(Way::Whole));
        assert!(matches!(Way::choose(&photo, 12 << 30), Ok(Way::Bands { spill: false, .. })));
        assert!(matches!(Way::choose(&photo, 1 << 30), Ok(Way::Bands { spill: true, .. })));
        assert!(Way::choose(&photo, 100 << 20).is_err());
        assert_eq!(Way::choose(&size(512, 512), 1 << 30), Ok(Way::Whole));
    }

    #[test]
    fn bands_stay_within_what_is_allowed() {
        for megabytes in (100..4000).step_by(50) {
            let (photo, allowed) = (size(4000, 6000), megabytes << 20);
            let quarters = QUARTER_PICTURES * 4 * photo.values()[2] as u64;
            match Way::choose(&photo, allowed) {
                Ok(Way::Whole) => assert!(whole_bytes(&photo) <= allowed),
                Ok(Way::Bands { quarter_rows, spill }) => {
                    let kept = if spill { 0 } else { quarters };
                    assert!(band_bytes(&photo, quarter_rows) + kept <= allowed);
                    assert!(quarter_rows.is_multiple_of(band_unit(&photo)));
                }
                Err(TooLittle { needed_bytes }) => assert!(needed_bytes > allowed),
            }
        }
    }
}
