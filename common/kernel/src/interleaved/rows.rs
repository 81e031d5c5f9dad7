//! Rows of pictures, whole ones or bands of them.

use std::ops::Range;

/// What lies beyond a picture's border.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Border {
    /// The picture mirrored at its border pixels.
    Reflect,
    /// The border pixel, again and again.
    Replicate,
    /// Zeros.
    Zero,
}

impl Border {
    /// Which of `length` pixels stands at `at`; none for a zero. Beyond what one reflection reaches, any pixel will do:
    /// only results that are thrown away look there.
    #[inline(always)]
    pub(super) fn source(self, at: isize, length: usize) -> Option<usize> {
        let last = length as isize - 1;
        if (0..=last).contains(&at) {
            return Some(at as usize);
        }
        match self {
            Self::Zero => None,
            Self::Replicate => Some(at.clamp(0, last) as usize),
            Self::Reflect => Some((if at < 0 { -at } else { 2 * last - at }).clamp(0, last) as usize),
        }
    }
}

/// Some rows of a picture, `[rows, width, channels]`.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a> {
    /// The values of the rows that are there.
    pub values: &'a [f32],
    /// Which rows of the picture are there.
    pub first: usize,
    /// Rows of the whole picture.
    pub height: usize,
    /// Pixels across.
    pub width: usize,
    /// Values of a pixel.
    pub channels: usize,
}

impl<'a> Rows<'a> {
    /// One row of the picture.
    ///
    /// # Panics
    /// If it is not among those that are there.
    #[inline(always)]
    pub(super) fn row(&self, row: usize) -> &'a [f32] {
        let length = self.width * self.channels;
        &self.values[(row - self.first) * length..][..length]
    }

    /// The row at `at` of a picture continued by `border`; none for zeros.
    #[inline(always)]
    pub(super) fn bordered_row(&self, at: isize, border: Border) -> Option<&'a [f32]> {
        border.source(at, self.height).map(|row| self.row(row))
    }
}

/// Rows of a picture to be written, `[rows, width, channels]`.
#[derive(Debug)]
pub struct RowsMut<'a> {
    /// The values of `rows`.
    pub values: &'a mut [f32],
    /// Which rows of the picture.
    pub rows: Range<usize>,
}
