//! [`Mask`]: which pixels count.

/// A yes or no for each pixel, `[height, width]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mask {
    width: u32,
    height: u32,
    values: Vec<bool>,
}

impl Mask {
    /// Yes or no by column and row.
    pub fn from_fn(width: u32, height: u32, mut counts: impl FnMut(u32, u32) -> bool) -> Self {
        let mut values = Vec::with_capacity(width as usize * height as usize);
        for y in 0..height {
            values.extend((0..width).map(|x| counts(x, y)));
        }
        Self { width, height, values }
    }

    /// All pixels count.
    pub fn all(width: u32, height: u32) -> Self {
        Self { width, height, values: vec![true; width as usize * height as usize] }
    }

    /// Pixels across.
    pub const fn width(&self) -> u32 {
        self.width
    }

    /// Pixels down.
    pub const fn height(&self) -> u32 {
        self.height
    }

    /// `[height, width]`
    pub fn values(&self) -> &[bool] {
        &self.values
    }

    /// What counts here and there.
    ///
    /// # Panics
    /// The masks differ in size.
    #[must_use]
    pub fn and(mut self, other: &Self) -> Self {
        assert_eq!((self.width, self.height), (other.width, other.height), "masks of one size");
        for (own, &other) in self.values.iter_mut().zip(&other.values) {
            *own &= other;
        }
        self
    }

    /// How many pixels count.
    pub fn count(&self) -> usize {
        self.values.iter().filter(|&&counts| counts).count()
    }
}
