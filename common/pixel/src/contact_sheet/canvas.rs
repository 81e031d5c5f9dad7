//! A picture that others, and letters, are laid upon.

use std::convert::Infallible;

use embedded_graphics::Pixel;
use embedded_graphics::draw_target::DrawTarget;
use embedded_graphics::geometry::{OriginDimensions, Size};
use embedded_graphics::pixelcolor::{Rgb888, RgbColor as _};

use crate::Picture;

/// A picture in the making.
pub(super) struct Canvas {
    width: u32,
    height: u32,
    rgb: Vec<u8>,
}

impl Canvas {
    pub(super) fn new(width: u32, height: u32, ground: u8) -> Self {
        Self { width, height, rgb: vec![ground; width as usize * height as usize * 3] }
    }

    /// Lays a picture with its top left pixel at `left`, `top`; what sticks out is cut off, and where the picture is
    /// transparent the ground shows.
    pub(super) fn lay(&mut self, picture: &Picture, left: u32, top: u32) {
        for y in 0..picture.height().min(self.height.saturating_sub(top)) {
            for x in 0..picture.width().min(self.width.saturating_sub(left)) {
                let from = y as usize * picture.width() as usize + x as usize;
                let alpha = picture.alpha().map_or(255, |alpha| u32::from(alpha[from]));
                let to = self.offset(left + x, top + y);
                let colours = &picture.rgb()[from * 3..from * 3 + 3];
                for (below, &above) in self.rgb[to..to + 3].iter_mut().zip(colours) {
                    let mixed = u32::from(above) * alpha + u32::from(*below) * (255 - alpha) + 127;
                    *below = (mixed / 255) as u8;
                }
            }
        }
    }

    pub(super) fn into_picture(self) -> Picture {
        Picture::from_rgb(self.width, self.height, self.rgb).expect("as many bytes as pixels ask for")
    }

    fn offset(&self, x: u32, y: u32) -> usize {
        (y as usize * self.width as usize + x as usize) * 3
    }
}

impl OriginDimensions for Canvas {
    fn size(&self) -> Size {
        Size::new(self.width, self.height)
    }
}

impl DrawTarget for Canvas {
    type Color = Rgb888;
    type Error = Infallible;

    fn draw_iter<Pixels>(&mut self, pixels: Pixels) -> Result<(), Infallible>
    where
        Pixels: IntoIterator<Item = Pixel<Rgb888>>,
    {
        for Pixel(point, colour) in pixels {
            if let (Ok(x), Ok(y)) = (u32::try_from(point.x), u32::try_from(point.y))
                && x < self.width
                && y < self.height
            {
                let at = self.offset(x, y);
                self.rgb[at..at + 3].copy_from_slice(&[colour.r(), colour.g(), colour.b()]);
            }
        }
        Ok(())
    }
}
