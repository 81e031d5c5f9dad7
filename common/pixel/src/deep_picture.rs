//! [`DeepPicture`]: what was computed finer than 8 bits, on its way into a file.

use crate::PictureError;
use crate::picture::check_length;

/// An upright sRGB picture with 16 bits a sample, 0..=65535, to be [written](crate::encode_deep) as PNG or TIFF.
///
/// Otherwise like [`Picture`](crate::Picture): `rgb` is `[height, width, 3]`; alpha, which is the photo's and not
/// computed, has 8 bits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeepPicture {
    width: u32,
    height: u32,
    rgb: Vec<u16>,
    alpha: Option<Vec<u8>>,
}

impl DeepPicture {
    /// An opaque picture from `[height, width, 3]` values.
    ///
    /// # Errors
    /// A zero side, or a buffer of another length than `width * height * 3`.
    pub fn from_rgb(width: u32, height: u32, rgb: Vec<u16>) -> Result<Self, PictureError> {
        if width == 0 || height == 0 {
            return Err(PictureError::NoPixels { width, height });
        }
        check_length("rgb", width, height, 6, rgb.len() * 2)?;
        Ok(Self { width, height, rgb, alpha: None })
    }

    /// The same picture with this straight alpha, `[height, width]`; one that is opaque everywhere is dropped.
    ///
    /// # Errors
    /// A buffer of another length than `width * height`.
    pub fn with_alpha(mut self, alpha: Vec<u8>) -> Result<Self, PictureError> {
        check_length("alpha", self.width, self.height, 1, alpha.len())?;
        self.alpha = alpha.iter().any(|&a| a != u8::MAX).then_some(alpha);
        Ok(self)
    }

    /// Pixels across, at least 1.
    pub const fn width(&self) -> u32 {
        self.width
    }

    /// Pixels down, at least 1.
    pub const fn height(&self) -> u32 {
        self.height
    }

    /// The colours, `[height, width, 3]`.
    pub fn rgb(&self) -> &[u16] {
        &self.rgb
    }

    /// The straight alpha, `[height, width]`; `None` is opaque.
    pub fn alpha(&self) -> Option<&[u8]> {
        self.alpha.as_deref()
    }
}
