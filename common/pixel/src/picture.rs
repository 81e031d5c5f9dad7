//! [`Picture`]: the one in-memory form of a picture.

use thiserror::Error;

use crate::in_place::split_alpha;

/// An upright 8-bit sRGB picture, row by row from the top left, three interleaved bytes a pixel.
///
/// `rgb` is `[height, width, 3]`; `alpha`, where a file had one that is not fully opaque, is
/// `[height, width]` and straight (not premultiplied). Both sides are at least 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    width: u32,
    height: u32,
    rgb: Vec<u8>,
    alpha: Option<Vec<u8>>,
}

/// Why a picture cannot be made from these numbers.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum PictureError {
    /// A side is zero.
    #[error("a picture needs at least one pixel, found a size of {width}x{height}")]
    NoPixels {
        /// Pixels across.
        width: u32,
        /// Pixels down.
        height: u32,
    },
    /// A buffer does not hold what the size promises.
    #[error("{width}x{height} pixels need {expected} bytes of {what}, found {found}")]
    WrongLength {
        /// `rgb` or `alpha`.
        what: &'static str,
        /// Pixels across.
        width: u32,
        /// Pixels down.
        height: u32,
        /// Bytes that the size promises.
        expected: u64,
        /// Bytes in the buffer.
        found: usize,
    },
    /// The part asked for is empty or sticks out of the picture.
    #[error(
        "the part of {part_width}x{part_height} at {x},{y} does not lie inside the {width}x{height} picture"
    )]
    OutOfBounds {
        /// Left edge of the part, in pixels.
        x: f64,
        /// Top edge of the part, in pixels.
        y: f64,
        /// Width of the part, in pixels.
        part_width: f64,
        /// Height of the part, in pixels.
        part_height: f64,
        /// Width of the picture.
        width: u32,
        /// Height of the picture.
        height: u32,
    },
}

impl Picture {
    /// An opaque picture from `[height, width, 3]` bytes.
    ///
    /// # Errors
    /// A zero side, or a buffer of another length than `width * height * 3`.
    pub fn from_rgb(width: u32, height: u32, rgb: Vec<u8>) -> Result<Self, PictureError> {
        if width == 0 || height == 0 {
            return Err(PictureError::NoPixels { width, height });
        }
        check_length("rgb", width, height, 3, rgb.len())?;
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

    /// The same picture, opaque.
    #[must_use]
    pub fn without_alpha(mut self) -> Self {
        self.alpha = None;
        self
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
    pub fn rgb(&self) -> &[u8] {
        &self.rgb
    }

    /// The straight alpha, `[height, width]`; `None` is opaque.
    pub fn alpha(&self) -> Option<&[u8]> {
        self.alpha.as_deref()
    }

    /// The colours, `[height, width, 3]`, without a copy.
    pub fn into_rgb(self) -> Vec<u8> {
        self.rgb
    }

    /// `[height, width, 4]`, opaque where there is no alpha.
    pub fn to_rgba(&self) -> Vec<u8> {
        let mut rgba = Vec::with_capacity(self.rgb.len() / 3 * 4);
        let alpha = self.alpha.iter().flatten().copied().chain(std::iter::repeat(u8::MAX));
        for (&[r, g, b], a) in self.rgb.as_chunks::<3>().0.iter().zip(alpha) {
            rgba.extend_from_slice(&[r, g, b, a]);
        }
        rgba
    }

    /// A picture from `[height, width, 4]` bytes.
    pub(crate) fn from_rgba(width: u32, height: u32, rgba: Vec<u8>) -> Result<Self, PictureError> {
        check_length("rgba", width, height, 4, rgba.len())?;
        let (rgb, alpha) = split_alpha::<4, 3>(rgba);
        Self::from_rgb(width, height, rgb)?.with_alpha(alpha)
    }

    /// The part of `width` x `height` pixels whose top left pixel is `x`, `y`.
    ///
    /// # Errors
    /// A part that is empty or sticks out of the picture.
    pub fn crop(&self, x: u32, y: u32, width: u32, height: u32) -> Result<Self, PictureError> {
        let inside = |start: u32, length: u32, side: u32| {
            length > 0 && start.checked_add(length).is_some_and(|end| end <= side)
        };
        if !inside(x, width, self.width) || !inside(y, height, self.height) {
            return Err(PictureError::OutOfBounds {
                x: x.into(),
                y: y.into(),
                part_width: width.into(),
                part_height: height.into(),
                width: self.width,
                height: self.height,
            });
        }
        let cut = |plane: &[u8], channels: usize| -> Vec<u8> {
            let columns = x as usize * channels..(x + width) as usize * channels;
            plane
                .chunks_exact(self.width as usize * channels)
                .skip(y as usize)
                .take(height as usize)
                .flat_map(|row| &row[columns.clone()])
                .copied()
                .collect()
        };
        let picture = Self::from_rgb(width, height, cut(&self.rgb, 3))?;
        match &self.alpha {
            Some(alpha) => picture.with_alpha(cut(alpha, 1)),
            None => Ok(picture),
        }
    }

    /// The picture as in a mirror: left and right swapped.
    #[must_use]
    pub fn flip_horizontal(mut self) -> Self {
        let width = self.width as usize;
        for row in self.rgb.chunks_exact_mut(width * 3) {
            row.as_chunks_mut::<3>().0.reverse();
        }
        for row in self.alpha.iter_mut().flat_map(|alpha| alpha.chunks_exact_mut(width)) {
            row.reverse();
        }
        self
    }
}

pub(crate) fn check_length(
    what: &'static str,
    width: u32,
    height: u32,
    channels: u64,
    found: usize,
) -> Result<(), PictureError> {
    // u32::MAX squared times 4 does not fit into 64 bits; such a buffer cannot exist either.
    let expected = (u64::from(width) * u64::from(height)).saturating_mul(channels);
    if found as u64 == expected {
        Ok(())
    } else {
        Err(PictureError::WrongLength { what, width, height, expected, found })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 3x2, every byte different, alpha too.
    fn sample() -> Picture {
        Picture::from_rgb(3, 2, (0..18).collect()).unwrap().with_alpha((100..106).collect()).unwrap()
    }

    #[test]
    fn lengths_are_checked() {
        assert_eq!(
            Picture::from_rgb(0, 4, vec![]),
            Err(PictureError::NoPixels { width: 0, height: 4 }),
            "a zero side"
        );
        assert_eq!(
            Picture::from_rgb(2, 2, vec![0; 11]),
            Err(PictureError::WrongLength { what: "rgb", width: 2, height: 2, expected: 12, found: 11 })
        );
        assert!(Picture::from_rgb(u32::MAX, u32::MAX, vec![0; 3]).is_err(), "no overflow");
        let picture = Picture::from_rgb(2, 2, vec![0; 12]).unwrap();
        assert!(picture.with_alpha(vec![0; 5]).is_err());
    }

    #[test]
    fn opaque_alpha_is_dropped() {
        let picture = Picture::from_rgb(2, 1, vec![0; 6]).unwrap();
        assert_eq!(picture.clone().with_alpha(vec![255, 255]).unwrap().alpha(), None);
        assert_eq!(picture.with_alpha(vec![255, 254]).unwrap().alpha(), Some(&[255, 254][..]));
    }

    #[test]
    fn crop_takes_the_named_pixels() {
        let part = sample().crop(1, 1, 2, 1).unwrap();
        assert_eq!((part.width(), part.height()), (2, 1));
        assert_eq!(part.rgb(), [12, 13, 14, 15, 16, 17]);
        assert_eq!(part.alpha(), Some(&[104, 105][..]));
        assert_eq!(sample().crop(0, 0, 3, 2).unwrap(), sample());
    }

    #[test]
    fn crop_refuses_what_lies_outside() {
        for (x, y, width, height) in [(2, 0, 2, 1), (0, 0, 0, 1), (0, 2, 1, 1), (u32::MAX, 0, 2, 1)] {
            let found = sample().crop(x, y, width, height);
            assert!(matches!(found, Err(PictureError::OutOfBounds { .. })), "{x},{y} {width}x{height}");
        }
    }

    #[test]
    fn flip_swaps_left_and_right_and_twice_is_nothing() {
        let flipped = sample().flip_horizontal();
        assert_eq!(flipped.rgb()[..9], [6, 7, 8, 3, 4, 5, 0, 1, 2]);
        assert_eq!(flipped.alpha().unwrap()[..3], [102, 101, 100]);
        assert_eq!(flipped.flip_horizontal(), sample());
    }

    #[test]
    fn rgba_goes_there_and_back() {
        let picture = sample();
        assert_eq!(Picture::from_rgba(3, 2, picture.to_rgba()).unwrap(), picture);
        let opaque = picture.without_alpha();
        assert_eq!(Picture::from_rgba(3, 2, opaque.to_rgba()).unwrap(), opaque);
    }
}
