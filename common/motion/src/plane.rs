//! [`Plane`]: one number a pixel, for what is computed on brightness alone.

use pixel::Picture;

/// Brightness as a field of numbers, `[height, width]`. Both sides are at least 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Plane {
    width: usize,
    height: usize,
    values: Vec<f32>,
}

impl Plane {
    /// The luma (BT.601) of a photo, 0..255; transparency is left aside.
    pub fn luma(photo: &Picture) -> Self {
        let values = photo.rgb().as_chunks::<3>().0.iter().map(luma).collect();
        Self { width: photo.width() as usize, height: photo.height() as usize, values }
    }

    /// A plane from its values.
    ///
    /// # Panics
    /// A side is zero, or there are not as many values as pixels.
    pub fn new(width: usize, height: usize, values: Vec<f32>) -> Self {
        assert!(width > 0 && height > 0 && values.len() == width * height, "{width}x{height} values");
        Self { width, height, values }
    }

    /// Pixels across, at least 1.
    pub const fn width(&self) -> usize {
        self.width
    }

    /// Pixels down, at least 1.
    pub const fn height(&self) -> usize {
        self.height
    }

    /// `[height, width]`
    pub fn values(&self) -> &[f32] {
        &self.values
    }
}

/// Luma (BT.601, as films have it) of R, G and B.
pub(crate) fn luma(&[red, green, blue]: &[u8; 3]) -> f32 {
    0.299 * f32::from(red) + 0.587 * f32::from(green) + 0.114 * f32::from(blue)
}
