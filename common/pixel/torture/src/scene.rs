//! The scene that good files show.

use pixel::Picture;

const WIDTH: u32 = 24;
const HEIGHT: u32 = 16;
const COLOURED: [[u8; 3]; 4] = [[220, 30, 40], [40, 180, 60], [30, 60, 200], [200, 200, 200]];
const GRAY: [[u8; 3]; 4] = [[88; 3], [124; 3], [67; 3], [200; 3]];

/// What a good file shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Good {
    /// Pixels across, once upright.
    pub width: u32,
    /// Pixels down, once upright.
    pub height: u32,
    /// The colours: top left, top right, bottom left, bottom right.
    pub fields: [[u8; 3]; 4],
    /// By how much a value may be off; at 0 every pixel is looked at, otherwise the middles of the fields.
    pub tolerance: u8,
    /// The alpha of the right half; the left is opaque.
    pub alpha_on_the_right: Option<u8>,
}

impl Good {
    /// The scene as most files show it: in colour, 24x16 pixels, opaque, nothing lost.
    pub const SCENE: Self =
        Self { width: WIDTH, height: HEIGHT, fields: COLOURED, tolerance: 0, alpha_on_the_right: None };
    pub(crate) const GRAY_SCENE: Self = Self { fields: GRAY, ..Self::SCENE };

    pub(crate) const fn within(self, tolerance: u8) -> Self {
        Self { tolerance, ..self }
    }

    pub(crate) const fn sized(self, width: u32, height: u32) -> Self {
        Self { width, height, ..self }
    }

    /// The colour of a pixel; a picture of one column has no right half.
    pub const fn colour(&self, x: u32, y: u32) -> [u8; 3] {
        self.fields[(2 * x >= self.width) as usize + 2 * (2 * y >= self.height) as usize]
    }

    /// The alpha of a pixel.
    pub fn alpha(&self, x: u32) -> u8 {
        self.alpha_on_the_right.filter(|_| 2 * x >= self.width).unwrap_or(u8::MAX)
    }

    /// In what a picture differs from what the file shows, in words.
    pub fn difference(&self, picture: &Picture) -> Option<String> {
        let size = (picture.width(), picture.height());
        if size != (self.width, self.height) {
            return Some(format!("has the size {size:?}"));
        }
        let middles = |side: u32| [side / 4, side * 3 / 4];
        let looked_at: Vec<(u32, u32)> = if self.tolerance == 0 {
            (0..self.height).flat_map(|y| (0..self.width).map(move |x| (x, y))).collect()
        } else {
            middles(self.height).into_iter().flat_map(|y| middles(self.width).map(|x| (x, y))).collect()
        };
        let pixels = picture.rgb().as_chunks::<3>().0;
        for (x, y) in looked_at {
            let at = (y * self.width + x) as usize;
            let (found, expected) = (pixels[at], self.colour(x, y));
            if found.iter().zip(expected).any(|(a, b)| a.abs_diff(b) > self.tolerance) {
                return Some(format!("has {found:?} at {x},{y}, not {expected:?}"));
            }
            let (found, expected) = (picture.alpha().map_or(u8::MAX, |alpha| alpha[at]), self.alpha(x));
            if found != expected {
                return Some(format!("has the alpha {found} at {x},{y}, not {expected}"));
            }
        }
        None
    }
}
