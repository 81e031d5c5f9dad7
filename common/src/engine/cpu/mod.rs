//! Painting on the CPU, by the kernels of our own ([`kernel::interleaved`]); libtorch has no part in it.

mod bands;
mod layers;
mod planes;
mod size;
mod store;
mod way;
mod whole;

#[cfg(test)]
mod tests;

use std::ops::Range;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use kernel::interleaved::Statistics;
use pixel::Picture;

use self::layers::Layers;
use self::size::InnerSize;
use self::way::{TooLittle, Way};
use super::shared_norms::PassNorms;
use super::{Band, LayerClock, PaintError, SharedNorms};
use crate::net::{NetConfig, StyleNet, reflected};
use crate::space;

/// A style network on the CPU.
pub(super) struct CpuEngine {
    config: NetConfig,
    layers: Layers,
    /// Kept from picture to picture: fresh memory costs time.
    buffers: Mutex<Buffers>,
}

/// The norms of one painting.
type CpuNorms<'a> = PassNorms<'a, Vec<Statistics>>;

/// What lies between the layers, at each resolution.
#[derive(Default)]
struct Buffers {
    full: Vec<f32>,
    half: Vec<f32>,
    quarter: Vec<f32>,
}

impl Buffers {
    fn bytes(&self) -> u64 {
        4 * (self.full.capacity() + self.half.capacity() + self.quarter.capacity()) as u64
    }
}

impl CpuEngine {
    pub(super) fn new(net: &StyleNet) -> Self {
        Self { config: net.config().clone(), layers: Layers::prepare(net), buffers: Mutex::default() }
    }

    /// Memory that is kept from picture to picture.
    pub(super) fn kept_bytes(&self) -> u64 {
        self.buffers.lock().unwrap_or_else(PoisonError::into_inner).bytes()
    }

    /// Paints with at most `allowed_bytes` beside the photo; what does not fit goes into a file in `spill_folder`.
    pub(super) fn paint(
        &self,
        photo: &Picture,
        allowed_bytes: u64,
        spill_folder: &Path,
        norms: Option<&mut SharedNorms>,
        clock: &mut LayerClock,
        receive: &mut dyn FnMut(Band<'_>),
    ) -> Result<(), PaintError> {
        let inner = InnerSize::of(photo, &self.config);
        let way = Way::choose(&inner, allowed_bytes).map_err(|TooLittle { needed_bytes }| {
            PaintError::TooLittleMemory {
                width: photo.width(),
                height: photo.height(),
                needed_bytes,
                allowed_bytes,
            }
        })?;
        self.paint_by(way, photo, spill_folder, norms, clock, receive)
    }

    fn paint_by(
        &self,
        way: Way,
        photo: &Picture,
        spill_folder: &Path,
        norms: Option<&mut SharedNorms>,
        clock: &mut LayerClock,
        receive: &mut dyn FnMut(Band<'_>),
    ) -> Result<(), PaintError> {
        let photo = Photo { picture: photo, inner: InnerSize::of(photo, &self.config) };
        let norms = norms.map_or_else(CpuNorms::alone, SharedNorms::on_cpu);
        // Taken out for the time being: several threads may paint, each with memory of its own.
        let mut buffers = std::mem::take(&mut *self.buffers.lock().unwrap_or_else(PoisonError::into_inner));
        match way {
            Way::Whole => {
                whole::paint(self, &photo, &mut buffers, norms, clock, receive);
                *self.buffers.lock().unwrap_or_else(PoisonError::into_inner) = buffers;
                Ok(())
            }
            Way::Bands { quarter_rows, spill } => {
                drop(buffers);
                bands::paint(self, &photo, quarter_rows, spill.then_some(spill_folder), norms, receive)
                    .map_err(|cause| PaintError::Spill { folder: spill_folder.to_owned(), cause })
            }
        }
    }
}

/// As many threads as libtorch would take: what the user asked for.
fn threads() -> usize {
    tch::get_num_threads().max(1) as usize
}

/// A photo as the network sees it: continued by its own reflection to sides that can be halved twice.
struct Photo<'a> {
    picture: &'a Picture,
    inner: InnerSize,
}

impl Photo<'_> {
    fn height(&self) -> usize {
        self.picture.height() as usize
    }

    /// Fills `colours` `[rows, inner width, 3]` with these rows of the inner picture.
    fn fill_rows(&self, rows: &Range<usize>, colours: &mut [f32], threads: usize) {
        let (height, width) = (self.height(), self.picture.width() as usize);
        let row_values = 3 * self.inner.width;
        kernel::for_each_row(colours, row_values, threads, |index, target| {
            let row = reflected((rows.start + index) as i64, height as i64) as usize;
            let source = &self.picture.rgb()[3 * row * width..][..3 * width];
            let (inside, beyond) = target.split_at_mut(3 * width);
            space::byte_rgb_from_bytes(source, inside);
            for (index, pixel) in beyond.chunks_exact_mut(3).enumerate() {
                let column = reflected((width + index) as i64, width as i64) as usize;
                space::byte_rgb_from_bytes(&source[3 * column..][..3], pixel);
            }
        });
    }

    /// Hands planes `[3, rows, inner width]` over, cut to the photo's width.
    fn hand_over(&self, rows: &Range<usize>, planes: &mut [f32], receive: &mut dyn FnMut(Band<'_>)) {
        let (inner, width) = (self.inner.width, self.picture.width() as usize);
        let mut length = planes.len();
        if inner != width {
            for row in 0..3 * rows.len() {
                planes.copy_within(row * inner..row * inner + width, row * width);
            }
            length = 3 * rows.len() * width;
        }
        receive(Band {
            first_row: rows.start as u32,
            rows: rows.len() as u32,
            width: width as u32,
            planes: &planes[..length],
        });
    }
}
