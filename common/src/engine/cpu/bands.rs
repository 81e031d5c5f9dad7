//! The frugal way: only pictures at quarter resolution are kept, in memory or in a file; what is larger is made in bands,
//! and made again for each norm that needs it. As statistics are those of the whole picture, and tiles lie where they
//! always lie, the result is that of the fast way, bit for bit.

use std::io;
use std::ops::Range;
use std::path::Path;

use kernel::interleaved::{Norm, RowStatistics, Rows, add_normalised, normalise};

use super::layers::BlockLayer;
use super::planes::PlaneStatistics;
use super::size::InnerSize;
use super::store::Store;
use super::{CpuEngine, CpuNorms, Photo, threads};
use crate::engine::Band;

/// Memory for the bands, used again from band to band.
#[derive(Default)]
struct Buffers {
    photo: Vec<f32>,
    full: Vec<f32>,
    half: Vec<f32>,
    read: Vec<f32>,
    written: Vec<f32>,
    planes: Vec<f32>,
}

/// The norms whose results are made again, as far as they are known.
#[derive(Default)]
struct Norms {
    in1: Option<Norm>,
    in2: Option<Norm>,
    in4: Option<Norm>,
}

struct Painting<'a> {
    engine: &'a CpuEngine,
    photo: &'a Photo<'a>,
    size: InnerSize,
    quarter_rows: usize,
    buffers: Buffers,
    norms: Norms,
    frame_norms: CpuNorms<'a>,
}

/// Paints with bands of `quarter_rows` rows at quarter resolution; in `spill`, if given, files are kept meanwhile.
pub(super) fn paint(
    engine: &CpuEngine,
    photo: &Photo<'_>,
    quarter_rows: usize,
    spill: Option<&Path>,
    frame_norms: CpuNorms<'_>,
    receive: &mut dyn FnMut(Band<'_>),
) -> io::Result<()> {
    let size = photo.inner;
    let (rows, row_values) = (size.height / 4, size.row_values()[2]);
    let store = || match spill {
        None => Ok(Store::in_memory(rows, row_values)),
        Some(folder) => Store::in_file(folder, row_values),
    };
    let (mut x, mut first, mut second) = (store()?, store()?, store()?);
    let mut painting = Painting {
        engine,
        photo,
        size,
        quarter_rows,
        buffers: Buffers::default(),
        norms: Norms::default(),
        frame_norms,
    };
    painting.shrink(&mut x)?;
    for block in &engine.layers.blocks {
        painting.block(block, &mut x, &mut first, &mut second)?;
    }
    drop((first, second));
    painting.enlarge(&mut x, receive)?;
    painting.frame_norms.keep();
    Ok(())
}

impl Painting<'_> {
    fn bands(&self) -> impl Iterator<Item = Range<usize>> + use<> {
        let (height, band) = (self.size.height / 4, self.quarter_rows);
        (0..height).step_by(band).map(move |start| start..height.min(start + band))
    }

    /// The photo to quarter resolution.
    fn shrink(&mut self, x: &mut Store) -> io::Result<()> {
        let (layers, threads) = (&self.engine.layers, threads());
        let height = self.size.height;

        let mut statistics = layers.conv1.statistics(height);
        for band in self.bands() {
            self.full_rows_of_photo(&scaled(&band, 4), Some(&mut statistics));
        }
        self.norms.in1 = Some(layers.conv1.norm(&statistics, &mut self.frame_norms));

        let mut statistics = layers.conv2.statistics(height);
        for band in self.bands() {
            self.half_rows_of_photo(&scaled(&band, 2), Some(&mut statistics));
        }
        self.norms.in2 = Some(layers.conv2.norm(&statistics, &mut self.frame_norms));

        let mut statistics = layers.conv3.statistics(height / 2);
        for band in self.bands() {
            let needed = layers.conv3.needed_rows(&band, height / 2);
            self.half_rows_of_photo(&needed, None);
            let Self { buffers: Buffers { half, written, .. }, norms, size, .. } = self;
            let input = size.half(half, needed.start);
            x.write(&band, written, |output| {
                let norm = norms.in2.as_ref();
                layers.conv3.convolve(input, norm, band.clone(), output, Some(&mut statistics), threads);
            })?;
        }
        let norm = layers.conv3.norm(&statistics, &mut self.frame_norms);
        for band in self.bands() {
            x.update(&band, &mut self.buffers.written, |values| normalise(values, &norm, threads))?;
        }
        Ok(())
    }

    /// Makes `buffers.full` the first convolution's rows.
    fn full_rows_of_photo(&mut self, rows: &Range<usize>, statistics: Option<&mut RowStatistics>) {
        let (layers, threads) = (&self.engine.layers, threads());
        let Self { buffers: Buffers { photo: colours, full, .. }, size, photo, .. } = self;
        let needed = layers.conv1.needed_rows(rows, size.height);
        colours.resize(3 * needed.len() * size.width, 0.0);
        photo.fill_rows(&needed, colours, threads);
        full.resize(rows.len() * size.row_values()[0], 0.0);
        let input = size.colours(colours, needed.start);
        layers.conv1.convolve(input, None, rows.clone(), full, statistics, threads);
    }

    /// Makes `buffers.half` the second convolution's rows.
    fn half_rows_of_photo(&mut self, rows: &Range<usize>, statistics: Option<&mut RowStatistics>) {
        let (layers, threads) = (&self.engine.layers, threads());
        let needed = layers.conv2.needed_rows(rows, self.size.height);
        self.full_rows_of_photo(&needed, None);
        let Self { buffers: Buffers { full, half, .. }, norms, size, .. } = self;
        half.resize(rows.len() * size.row_values()[1], 0.0);
        let input = size.full(full, needed.start);
        layers.conv2.convolve(input, norms.in1.as_ref(), rows.clone(), half, statistics, threads);
    }

    /// One residual block.
    fn block(
        &mut self,
        block: &[BlockLayer],
        x: &mut Store,
        first: &mut Store,
        second: &mut Store,
    ) -> io::Result<()> {
        let (mut made, mut next) = (first, second);
        let mut norm = None;
        for (index, layer) in block.iter().enumerate() {
            let from = if index == 0 { &mut *x } else { &mut *made };
            norm = Some(self.block_layer(layer, from, norm.as_ref(), next)?);
            std::mem::swap(&mut made, &mut next);
        }
        let norm = norm.expect("a block has layers");
        for band in self.bands() {
            let Buffers { read, written, .. } = &mut self.buffers;
            let addend = made.read(&band, read)?;
            x.update(&band, written, |values| {
                add_normalised(values, addend, &norm, threads());
            })?;
        }
        Ok(())
    }

    fn block_layer(
        &mut self,
        layer: &BlockLayer,
        from: &mut Store,
        norm: Option<&Norm>,
        to: &mut Store,
    ) -> io::Result<Norm> {
        let (height, width) = (self.size.height / 4, self.size.width / 4);
        let mut statistics = layer.statistics(height, width);
        let channels = from.row_values() / width;
        to.set_row_values(width * layer.outputs());
        for band in self.bands() {
            let needed = layer.needed_rows(&band, height);
            let Buffers { read, written, .. } = &mut self.buffers;
            let values = from.read(&needed, read)?;
            let input = Rows { values, first: needed.start, height, width, channels };
            to.write(&band, written, |output| {
                layer.convolve(input, norm, &band, output, Some(&mut statistics), threads());
            })?;
        }
        Ok(layer.norm(&statistics, &mut self.frame_norms))
    }

    /// Quarter resolution to the painting.
    fn enlarge(&mut self, x: &mut Store, receive: &mut dyn FnMut(Band<'_>)) -> io::Result<()> {
        let (layers, threads) = (&self.engine.layers, threads());
        let InnerSize { height, width, .. } = self.size;

        let mut statistics = layers.up1.statistics(height / 4, width / 4);
        for band in self.bands() {
            self.half_rows_of_quarter(&band, x, Some(&mut statistics))?;
        }
        self.norms.in4 = Some(layers.up1.norm(&statistics, &mut self.frame_norms));

        let mut statistics = layers.up2.statistics(height / 2, width / 2);
        for band in self.bands() {
            self.full_rows_of_quarter(&scaled(&band, 2), x, Some(&mut statistics))?;
        }
        let in5 = layers.up2.norm(&statistics, &mut self.frame_norms);

        let mut in6 = None;
        if layers.last.has_norm() {
            let mut statistics = PlaneStatistics::default();
            for band in self.bands() {
                let rows = scaled(&band, 4);
                let first = self.rows_for_last(&rows, x)?;
                let Self { buffers: Buffers { full, planes, .. }, size, .. } = self;
                planes.resize(3 * rows.len() * width, 0.0);
                layers.last.convolve(size.full(full, first), &in5, &rows, planes, threads);
                statistics.add(planes, width);
            }
            in6 = layers.last.norm(&statistics, &mut self.frame_norms);
        }

        for band in self.bands() {
            let rows = scaled(&band, 4);
            let rows = rows.start..rows.end.min(self.photo.height());
            if rows.is_empty() {
                break;
            }
            let first = self.rows_for_last(&rows, x)?;
            let Self { buffers: Buffers { full, planes, .. }, size, photo, .. } = self;
            planes.resize(3 * rows.len() * width, 0.0);
            layers.last.paint(size.full(full, first), &in5, in6.as_ref(), &rows, planes, threads);
            photo.hand_over(&rows, planes, receive);
        }
        Ok(())
    }

    /// Makes `buffers.full` what the last convolution needs for rows of the painting; gives the first row there.
    fn rows_for_last(&mut self, rows: &Range<usize>, x: &mut Store) -> io::Result<usize> {
        let height = self.size.height;
        let needed = self.engine.layers.last.needed_rows(rows, height);
        // Of whole tiles at half resolution.
        let half_rows = tiles_around(&(needed.start / 2..needed.end.div_ceil(2)), height / 2);
        self.full_rows_of_quarter(&half_rows, x, None)?;
        Ok(2 * half_rows.start)
    }

    /// Makes `buffers.half` what becomes of rows at quarter resolution.
    fn half_rows_of_quarter(
        &mut self,
        rows: &Range<usize>,
        x: &mut Store,
        statistics: Option<&mut RowStatistics>,
    ) -> io::Result<()> {
        let (layers, threads) = (&self.engine.layers, threads());
        let Self { buffers: Buffers { half, read, .. }, size, .. } = self;
        let needed = layers.up1.needed_rows(rows, size.height / 4);
        half.resize(2 * rows.len() * size.row_values()[1], 0.0);
        let input = size.quarter(x.read(&needed, read)?, needed.start);
        layers.up1.convolve(input, None, rows, half, statistics, threads);
        Ok(())
    }

    /// Makes `buffers.full` what becomes of rows at half resolution.
    fn full_rows_of_quarter(
        &mut self,
        rows: &Range<usize>,
        x: &mut Store,
        statistics: Option<&mut RowStatistics>,
    ) -> io::Result<()> {
        let (layers, threads) = (&self.engine.layers, threads());
        let needed = layers.up2.needed_rows(rows, self.size.height / 2);
        let quarter_rows = tiles_around(&(needed.start / 2..needed.end.div_ceil(2)), self.size.height / 4);
        self.half_rows_of_quarter(&quarter_rows, x, None)?;
        let Self { buffers: Buffers { full, half, .. }, norms, size, .. } = self;
        full.resize(2 * rows.len() * size.row_values()[0], 0.0);
        let input = size.half(half, 2 * quarter_rows.start);
        layers.up2.convolve(input, norms.in4.as_ref(), rows, full, statistics, threads);
        Ok(())
    }
}

/// The same rows at a resolution `factor` times as high.
fn scaled(rows: &Range<usize>, factor: usize) -> Range<usize> {
    rows.start * factor..rows.end * factor
}

/// The rows of the tiles that `rows` lie in.
fn tiles_around(rows: &Range<usize>, height: usize) -> Range<usize> {
    rows.start / 4 * 4..rows.end.next_multiple_of(4).min(height)
}
