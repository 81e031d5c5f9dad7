//! A style network made ready to paint: weights prepared once, any size of picture in bounded memory.

use pixel::Picture;
use tch::Device;

use crate::net::StyleNet;
use crate::space::{byte_rgb_from_picture, picture_from_byte_rgb};

/// How an [`Engine`] works.
#[derive(Clone, Debug)]
pub struct EngineOptions {
    /// Where it computes.
    pub device: Device,
    /// Most bytes that painting may take beside the picture and the result; by default a sane share of what is free.
    pub memory_bytes: Option<u64>,
}

/// Why a picture could not be painted.
#[derive(Debug, thiserror::Error)]
pub enum PaintError {
    /// Not even the smallest way fits into the memory allowed.
    #[error(
        "painting {width}x{height} pixels takes at least {} MiB of memory, {} MiB are allowed; \
         allow more with --memory or make the picture smaller",
        needed_bytes >> 20,
        allowed_bytes >> 20
    )]
    TooLittleMemory {
        /// Pixels across.
        width: u32,
        /// Pixels down.
        height: u32,
        /// What the most frugal way takes.
        needed_bytes: u64,
        /// What is allowed.
        allowed_bytes: u64,
    },
}

/// A style that paints.
pub struct Engine {
    net: StyleNet,
}

/// Some rows of a painted picture, over its whole width.
#[derive(Clone, Copy, Debug)]
pub struct Band<'a> {
    /// The first row, counted from the picture's top.
    pub first_row: u32,
    /// How many rows.
    pub rows: u32,
    /// Pixels across, as the picture.
    pub width: u32,
    /// `byte_rgb` as planes, `[3, rows, width]`; values may leave 0..255.
    pub planes: &'a [f32],
}

impl Engine {
    /// Makes a network ready, on its own device.
    pub fn new(net: StyleNet, _options: &EngineOptions) -> Self {
        Self { net }
    }

    /// Paints a photo; transparency is left aside. `receive` gets the result in bands from top to bottom, which cover each
    /// row once.
    ///
    /// # Errors
    /// The memory allowed is too little.
    pub fn paint(&self, photo: &Picture, mut receive: impl FnMut(Band<'_>)) -> Result<(), PaintError> {
        let painted = tch::no_grad(|| self.net.forward(&byte_rgb_from_picture(photo, self.net.device())));
        let painted = painted.to_device(Device::Cpu).contiguous();
        let mut planes = vec![0.0f32; painted.numel()];
        let count = planes.len();
        painted.copy_data(&mut planes, count);
        receive(Band { first_row: 0, rows: photo.height(), width: photo.width(), planes: &planes });
        Ok(())
    }

    /// [`Engine::paint`] to a picture, rounded to the nearest byte; opaque.
    ///
    /// # Errors
    /// As [`Engine::paint`].
    pub fn paint_picture(&self, photo: &Picture) -> Result<Picture, PaintError> {
        let painted = tch::no_grad(|| self.net.forward(&byte_rgb_from_picture(photo, self.net.device())));
        Ok(picture_from_byte_rgb(&painted))
    }
}
