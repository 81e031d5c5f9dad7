//! A style network made ready to paint: weights prepared once, any size of picture in bounded memory.
//!
//! On the CPU it is our own kernels that paint (`cpu`), on other devices libtorch (`libtorch`). What [`StyleNet::forward`] paints is
//! the reference for both. Frames of a film may share the statistics of their norms ([`SharedNorms`]) and, on a GPU, a pass.

mod clock;
mod cpu;
mod libtorch;
mod rounded;
mod shared_norms;

#[cfg(test)]
mod tests;

use std::io;
use std::path::PathBuf;

use pixel::Picture;
use tch::{Device, Kind};

pub use self::clock::LayerClock;
use self::cpu::CpuEngine;
use self::libtorch::LibtorchEngine;
use self::rounded::Rounded;
use self::shared_norms::EngineId;
pub use self::shared_norms::SharedNorms;
use crate::net::StyleNet;
use crate::{cache_folder, memory};

/// How an [`Engine`] works.
#[derive(Clone, Debug)]
pub struct EngineOptions {
    /// Where it computes.
    pub device: Device,
    /// What a GPU computes in; on a CPU it is always f32.
    pub precision: PaintPrecision,
    /// Most bytes that the process may take while it paints; by default a sane share of what is free.
    pub memory_bytes: Option<u64>,
}

/// What a GPU paints in. Sums and the statistics of norms are f32 in all of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PaintPrecision {
    /// Weights and activations in f16 (11 bits of mantissa): as fast as bf16, and nearer to f32.
    #[default]
    F16,
    /// In bf16 (8 bits of mantissa).
    Bf16,
    /// In f32.
    F32,
}

impl PaintPrecision {
    fn kind(self) -> Kind {
        match self {
            Self::F16 => Kind::Half,
            Self::Bf16 => Kind::BFloat16,
            Self::F32 => Kind::Float,
        }
    }
}

/// Why a picture could not be painted.
#[derive(Debug, thiserror::Error)]
pub enum PaintError {
    /// Not even the smallest way fits into the memory allowed.
    #[error(
        "painting {width}x{height} pixels takes at least {} MiB of memory beside the picture, {} MiB are left; \
         allow more with --memory or make the picture smaller",
        needed_bytes.div_ceil(1 << 20),
        allowed_bytes >> 20
    )]
    TooLittleMemory {
        /// Pixels across.
        width: u32,
        /// Pixels down.
        height: u32,
        /// What the most frugal way takes.
        needed_bytes: u64,
        /// What is left of what is allowed.
        allowed_bytes: u64,
    },
    /// The device's memory does not hold the smallest bands.
    #[error("{width}x{height} pixels do not fit into the device's memory, use --device cpu: {reason}")]
    Device {
        /// Pixels across.
        width: u32,
        /// Pixels down.
        height: u32,
        /// What libtorch said.
        reason: String,
    },
    /// What does not fit into memory cannot be kept in a file either.
    #[error("cannot keep on disk what does not fit into memory ({cause}); allow more with --memory: {}", folder.display())]
    Spill {
        /// Where the file was to be.
        folder: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
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

/// A style that paints.
pub struct Engine {
    id: EngineId,
    way: Way,
    memory_bytes: Option<u64>,
}

enum Way {
    Cpu(Box<CpuEngine>),
    Libtorch(Box<LibtorchEngine>),
}

/// What is taken of the memory that is free, in percent.
const FREE_MEMORY_PERCENT: u64 = 60;

/// Set aside for the result: 16 bits a colour, and transparency.
const RESULT_BYTES_PER_PIXEL: u64 = 7;

/// What is taken where the system does not say how much is free.
const UNKNOWN_MEMORY_BYTES: u64 = 2 << 30;

impl Engine {
    /// Makes a network ready, on its own device.
    pub fn new(net: StyleNet, options: &EngineOptions) -> Self {
        let way = match net.device() {
            Device::Cpu => Way::Cpu(Box::new(CpuEngine::new(&net))),
            _ => Way::Libtorch(Box::new(LibtorchEngine::new(net, options.precision.kind()))),
        };
        Self { id: EngineId::unique(), way, memory_bytes: options.memory_bytes }
    }

    /// Paints a photo; transparency is left aside. `receive` gets the result in bands from top to bottom, which cover each
    /// row once.
    ///
    /// # Errors
    /// The memory allowed is too little, and there is no place for a file in its stead.
    pub fn paint(&self, photo: &Picture, receive: impl FnMut(Band<'_>)) -> Result<(), PaintError> {
        self.paint_frame(photo, None, receive)
    }

    /// [`Engine::paint`] for a frame of a film: with `norms`, its norms use the statistics of the scene so far. The frames of
    /// a scene are to come in their order; at a cut, [`SharedNorms::reset`] is for the caller to call.
    ///
    /// # Errors
    /// As [`Engine::paint`].
    pub fn paint_frame(
        &self,
        photo: &Picture,
        norms: Option<&mut SharedNorms>,
        mut receive: impl FnMut(Band<'_>),
    ) -> Result<(), PaintError> {
        self.paint_any(photo, norms, &mut LayerClock::default(), &mut receive)
    }

    /// [`Engine::paint_frame`] for frames of one size that follow each other; shared statistics move on from frame to frame
    /// as if they came one by one. A GPU paints as many of them in one pass as its memory holds, a CPU one after the other.
    ///
    /// `receive` also gets the frame's place in `photos`. Each frame's bands come from top to bottom, but where frames share a
    /// pass that is done in bands, a band of each frame may come before the next band of the first.
    ///
    /// # Errors
    /// As [`Engine::paint`], for the first frame that could not be painted; `norms` have then moved on as far as the frames
    /// that were.
    ///
    /// # Panics
    /// If the photos differ in size.
    pub fn paint_frames(
        &self,
        photos: &[Picture],
        mut norms: Option<&mut SharedNorms>,
        mut receive: impl FnMut(usize, Band<'_>),
    ) -> Result<(), PaintError> {
        let size = |photo: &Picture| (photo.width(), photo.height());
        assert!(photos.windows(2).all(|pair| size(&pair[0]) == size(&pair[1])), "frames: of one size");
        match &self.way {
            Way::Cpu(_) => photos.iter().enumerate().try_for_each(|(frame, photo)| {
                self.paint_frame(photo, norms.as_deref_mut(), |band| receive(frame, band))
            }),
            Way::Libtorch(engine) => engine.paint(photos, self.owned(norms), &mut receive),
        }
    }

    /// How many frames of this size [`Engine::paint_frames`] is best given at once: 1 on a CPU, which one frame keeps busy. A
    /// GPU gets eight of 1080p, more smaller ones, and no more than have turned out to fit into its memory.
    pub fn preferred_batch(&self, width: u32, height: u32) -> usize {
        match &self.way {
            Way::Cpu(_) => 1,
            Way::Libtorch(engine) => engine.preferred_batch(width, height),
        }
    }

    /// [`Engine::paint`] that tells how long each layer took.
    ///
    /// # Errors
    /// As [`Engine::paint`].
    pub fn paint_timed(
        &self,
        photo: &Picture,
        clock: &mut LayerClock,
        mut receive: impl FnMut(Band<'_>),
    ) -> Result<(), PaintError> {
        self.paint_any(photo, None, clock, &mut receive)
    }

    fn paint_any(
        &self,
        photo: &Picture,
        norms: Option<&mut SharedNorms>,
        clock: &mut LayerClock,
        receive: &mut dyn FnMut(Band<'_>),
    ) -> Result<(), PaintError> {
        let norms = self.owned(norms);
        match &self.way {
            Way::Cpu(engine) => {
                // Where the system keeps temporary files may be memory, too.
                let folder = cache_folder::standard().unwrap_or_else(|| PathBuf::from("."));
                let allowed = self.allowed_bytes(photo, engine.kept_bytes());
                engine.paint(photo, allowed, &folder, norms, clock, receive)
            }
            Way::Libtorch(engine) => {
                engine.paint(std::slice::from_ref(photo), norms, &mut |_, band| receive(band))
            }
        }
    }

    /// `norms` as this engine's own.
    fn owned<'a>(&self, norms: Option<&'a mut SharedNorms>) -> Option<&'a mut SharedNorms> {
        let norms = norms?;
        norms.belong_to(self.id);
        Some(norms)
    }

    /// [`Engine::paint`] to a picture, rounded to the nearest byte; opaque.
    ///
    /// # Errors
    /// As [`Engine::paint`].
    pub fn paint_picture(&self, photo: &Picture) -> Result<Picture, PaintError> {
        self.paint_frame_picture(photo, None)
    }

    /// [`Engine::paint_frame`] to a picture, rounded to the nearest byte; opaque.
    ///
    /// # Errors
    /// As [`Engine::paint`].
    pub fn paint_frame_picture(
        &self,
        photo: &Picture,
        norms: Option<&mut SharedNorms>,
    ) -> Result<Picture, PaintError> {
        let mut rounded = Rounded::of(photo);
        self.paint_frame(photo, norms, |band| rounded.take(&band))?;
        Ok(rounded.into_picture())
    }

    /// [`Engine::paint_picture`] that tells how long each layer took.
    ///
    /// # Errors
    /// As [`Engine::paint`].
    pub fn paint_picture_timed(
        &self,
        photo: &Picture,
        clock: &mut LayerClock,
    ) -> Result<Picture, PaintError> {
        let mut rounded = Rounded::of(photo);
        self.paint_timed(photo, clock, |band| rounded.take(&band))?;
        Ok(rounded.into_picture())
    }

    /// What painting may take beside the photo and its result. Memory that the engine keeps is counted as free.
    fn allowed_bytes(&self, photo: &Picture, kept_bytes: u64) -> u64 {
        match self.memory_bytes {
            Some(total) => {
                let others = memory::resident_bytes().unwrap_or(0).saturating_sub(kept_bytes);
                let pixels = u64::from(photo.width()) * u64::from(photo.height());
                let result = RESULT_BYTES_PER_PIXEL * pixels;
                total.saturating_sub(others + result)
            }
            None => memory::available_bytes()
                .map_or(UNKNOWN_MEMORY_BYTES, |free| (free + kept_bytes) / 100 * FREE_MEMORY_PERCENT),
        }
    }
}
