//! Resizing of interleaved bytes, by convolution with a filter that widens when a picture shrinks (as PIL and
//! torchvision's `antialias=True` do).
//!
//! `fast_image_resize` is generic throughout, so that whoever calls it compiles it. Here that happens once, and not
//! again for each change of `pixel` and for its tests.
#![forbid(unsafe_code)]

use std::ops::Range;

use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::{U8, U8x3, U8x4};
use fast_image_resize::{FilterType, PixelTrait, ResizeAlg, ResizeOptions, Resizer};

/// How neighbouring pixels are weighed. There is no default: the choice changes pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filter {
    /// The mean of the covered pixels: exact for whole-number shrinking.
    Box,
    /// A triangle: fast, never overshoots; what torchvision's `Resize` does, so the one for training crops.
    Bilinear,
    /// A cubic (a = -0.5, PIL's `BICUBIC`): sharper, overshoots a little.
    CatmullRom,
    /// The sharpest and slowest; for pictures that people look at.
    Lanczos3,
}

impl From<Filter> for FilterType {
    fn from(filter: Filter) -> Self {
        match filter {
            Filter::Box => Self::Box,
            Filter::Bilinear => Self::Bilinear,
            Filter::CatmullRom => Self::CatmullRom,
            Filter::Lanczos3 => Self::Lanczos3,
        }
    }
}

/// A part of a picture in pixels, not bound to whole ones: pixel `i` covers `i..i + 1`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Region {
    /// Left edge.
    pub x: f64,
    /// Top edge.
    pub y: f64,
    /// From left to right, more than 0.
    pub width: f64,
    /// From top to bottom, more than 0.
    pub height: f64,
}

impl Region {
    /// What `rows` of a picture resized to `height` rows show, in the pixels of the picture of this size.
    pub fn of_rows((own_width, own_height): (u32, u32), height: u32, rows: &Range<u32>) -> Self {
        let own_row = |row: u32| f64::from(row) * f64::from(own_height) / f64::from(height);
        let (top, bottom) = (own_row(rows.start), own_row(rows.end));
        let mut region = Self { x: 0.0, y: top, width: f64::from(own_width), height: bottom - top };
        // Rounding may put the last row's end a trifle below the picture's.
        if rows.end == height && !region.lies_in(own_width, own_height) {
            region.height = (f64::from(own_height) - top).next_down();
        }
        region
    }

    /// Whether the region is not empty and lies inside a picture of this size.
    pub fn lies_in(&self, width: u32, height: u32) -> bool {
        // A NaN anywhere makes a comparison false.
        self.x >= 0.0
            && self.y >= 0.0
            && self.width > 0.0
            && self.height > 0.0
            && self.x + self.width <= f64::from(width)
            && self.y + self.height <= f64::from(height)
    }
}

/// Bytes of pixels, row by row, and how many there are across and down.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// `[height, width, channels]`.
    pub samples: &'a [u8],
}

/// A region of `[height, width]` bytes at the size (width, height) `target`, as bytes of that kind.
///
/// # Panics
/// As [`rgb`].
pub fn grey(source: Source<'_>, region: Region, target: (u32, u32), filter: Filter) -> Vec<u8> {
    convolve::<U8>(source, region, target, filter)
}

/// A region of `[height, width, 3]` bytes at the size (width, height) `target`, as bytes of that kind.
///
/// # Panics
/// `samples` is shorter than the size says, or the region does not [lie in](Region::lies_in) the source.
pub fn rgb(source: Source<'_>, region: Region, target: (u32, u32), filter: Filter) -> Vec<u8> {
    convolve::<U8x3>(source, region, target, filter)
}

/// As [`rgb`] for `[height, width, 4]` bytes with straight alpha, by which the colours are weighed.
///
/// # Panics
/// As [`rgb`].
pub fn rgba(source: Source<'_>, region: Region, target: (u32, u32), filter: Filter) -> Vec<u8> {
    convolve::<U8x4>(source, region, target, filter)
}

/// The pixel type is settled here and not by `Resizer::resize`, which would be compiled for all 13 that there are.
fn convolve<Pixel: PixelTrait>(
    source: Source<'_>,
    region: Region,
    (width, height): (u32, u32),
    filter: Filter,
) -> Vec<u8> {
    let mut resized = vec![0; width as usize * height as usize * Pixel::size()];
    let source = TypedImageRef::<Pixel>::from_buffer(source.width, source.height, source.samples)
        .expect("as many samples as the size says");
    let mut target = TypedImage::<Pixel>::from_buffer(width, height, &mut resized)
        .expect("the buffer was made for this size");
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(filter.into())).crop(
        region.x,
        region.y,
        region.width,
        region.height,
    );
    Resizer::new().resize_typed(&source, &mut target, &options).expect("a region inside the picture");
    resized
}
