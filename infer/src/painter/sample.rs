//! Results of 8 and of 16 bits.

use common::space::{byte_from_byte_rgb, u16_from_byte_rgb};
use pixel::{DeepPicture, Picture, PictureError};

/// One colour of one pixel of a result.
pub(crate) trait Sample: Copy + Default {
    /// The picture that is made of such samples.
    type Picture;
    /// By how much several styles change the photo together, so that their sum is rounded once.
    type Change: Copy + Default;

    /// The only rounding of a result; `value` is `byte_rgb`.
    fn from_byte_rgb(value: f32) -> Self;

    /// Adds a change in levels of `byte_rgb`.
    fn add(change: &mut Self::Change, levels: f32);

    /// The change in levels of `byte_rgb`.
    fn levels(change: Self::Change) -> f32;

    /// # Errors
    /// Buffers of other lengths than the size promises.
    fn picture(
        size: (u32, u32),
        rgb: Vec<Self>,
        alpha: Option<Vec<u8>>,
    ) -> Result<Self::Picture, PictureError>;
}

/// Parts of a level that changes of 8-bit results are kept in: three times 255 to either side, the most that strength can
/// make, fits into 16 bits.
const STEPS_A_LEVEL: f32 = 32.0;

impl Sample for u8 {
    type Picture = Picture;
    type Change = i16;

    #[inline]
    fn from_byte_rgb(value: f32) -> Self {
        byte_from_byte_rgb(value)
    }

    #[inline]
    fn add(change: &mut i16, levels: f32) {
        *change += (levels * STEPS_A_LEVEL).round() as i16;
    }

    #[inline]
    fn levels(change: i16) -> f32 {
        f32::from(change) / STEPS_A_LEVEL
    }

    fn picture(
        (width, height): (u32, u32),
        rgb: Vec<Self>,
        alpha: Option<Vec<u8>>,
    ) -> Result<Picture, PictureError> {
        let picture = Picture::from_rgb(width, height, rgb)?;
        match alpha {
            Some(alpha) => picture.with_alpha(alpha),
            None => Ok(picture),
        }
    }
}

impl Sample for u16 {
    type Picture = DeepPicture;
    type Change = f32;

    #[inline]
    fn from_byte_rgb(value: f32) -> Self {
        u16_from_byte_rgb(value)
    }

    #[inline]
    fn add(change: &mut f32, levels: f32) {
        *change += levels;
    }

    #[inline]
    fn levels(change: f32) -> f32 {
        change
    }

    fn picture(
        (width, height): (u32, u32),
        rgb: Vec<Self>,
        alpha: Option<Vec<u8>>,
    ) -> Result<DeepPicture, PictureError> {
        let picture = DeepPicture::from_rgb(width, height, rgb)?;
        match alpha {
            Some(alpha) => picture.with_alpha(alpha),
            None => Ok(picture),
        }
    }
}

/// A result, of either depth.
pub(crate) enum FinishedPicture {
    Eight(Picture),
    Sixteen(DeepPicture),
}

impl FinishedPicture {
    pub(crate) fn size(&self) -> (u32, u32) {
        match self {
            Self::Eight(picture) => (picture.width(), picture.height()),
            Self::Sixteen(picture) => (picture.width(), picture.height()),
        }
    }

    /// What its colours take in memory.
    pub(crate) fn bytes(&self) -> u64 {
        match self {
            Self::Eight(picture) => picture.rgb().len() as u64,
            Self::Sixteen(picture) => size_of_val(picture.rgb()) as u64,
        }
    }
}
