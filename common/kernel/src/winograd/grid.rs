//! How the 4x4 output tiles of a batch lie in its pictures, and how they are taken sixteen at a time.

use super::transform::OUT;
use super::{Padding, Pictures};
use crate::simd::LANES;

/// The tiles of a batch, counted through pictures, tile rows and tile columns.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grid {
    pub(super) input: Pictures,
    pub(super) output: Pictures,
    padding: Padding,
    tiles_down: usize,
    tiles_across: usize,
}

/// Neighbouring tiles of one tile row.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Run {
    /// The lane of the first one.
    pub(super) lane: usize,
    /// How many.
    pub(super) len: usize,
    pub(super) picture: usize,
    /// The first output row and column.
    pub(super) top: usize,
    pub(super) left: usize,
}

/// Sixteen tiles in a row of counting, or those that are left at the end: a vector's worth.
#[derive(Clone, Copy, Debug)]
pub(super) struct Group {
    runs: [Run; LANES],
    len: usize,
}

impl Group {
    pub(super) fn runs(&self) -> &[Run] {
        &self.runs[..self.len]
    }

    /// The only run, where all sixteen tiles lie side by side.
    pub(super) fn straight(&self) -> Option<&Run> {
        self.runs().first().filter(|run| run.len == LANES)
    }
}

impl Grid {
    pub(super) fn new(input: Pictures, padding: Padding) -> Self {
        let output = padding.output(input);
        Self {
            input,
            output,
            padding,
            tiles_down: output.height.div_ceil(OUT),
            tiles_across: output.width.div_ceil(OUT),
        }
    }

    pub(super) fn groups(&self) -> usize {
        self.tiles().div_ceil(LANES)
    }

    fn tiles(&self) -> usize {
        self.input.count * self.tiles_down * self.tiles_across
    }

    pub(super) fn group(&self, index: usize) -> Group {
        let mut group = Group { runs: [Run::default(); LANES], len: 0 };
        let first = index * LANES;
        let end = (first + LANES).min(self.tiles());
        let mut tile = first;
        while tile < end {
            let (tile_row, column) = (tile / self.tiles_across, tile % self.tiles_across);
            let len = (self.tiles_across - column).min(end - tile);
            group.runs[group.len] = Run {
                lane: tile - first,
                len,
                picture: tile_row / self.tiles_down,
                top: tile_row % self.tiles_down * OUT,
                left: column * OUT,
            };
            group.len += 1;
            tile += len;
        }
        group
    }

    /// The row of `plane` that output row `top` needs as its input row number `row` of a tile; none for zeros.
    #[inline(always)]
    pub(super) fn input_row<'a>(&self, plane: &'a [f32], top: usize, row: usize) -> Option<&'a [f32]> {
        let width = self.input.width;
        let row = self.source(top + row, self.input.height)?;
        Some(&plane[row * width..][..width])
    }

    /// Fills `to` with the columns of `row` that outputs from column `left` on need.
    #[inline(always)]
    pub(super) fn fill_columns(&self, to: &mut [f32], row: Option<&[f32]>, left: usize) {
        let Some(row) = row else {
            to.fill(0.0);
            return;
        };
        // Columns before, within and after the picture.
        let margin = self.padding.margin();
        let before = margin.saturating_sub(left).min(to.len());
        let start = (left + before).saturating_sub(margin);
        let within = row.len().saturating_sub(start).min(to.len() - before);
        to[before..before + within].copy_from_slice(&row[start.min(row.len())..][..within]);
        for column in (0..before).chain(before + within..to.len()) {
            to[column] = self.source(left + column, row.len()).map_or(0.0, |source| row[source]);
        }
    }

    /// [`Grid::fill_columns`] for 66 columns, the common case of 64 pixels within the picture done quickly.
    #[inline(always)]
    pub(super) fn fill_straight(&self, to: &mut [f32; 80], row: Option<&[f32]>, left: usize) {
        const WITHIN: usize = LANES * OUT;
        if let (Some(row), 1) = (row, self.padding.margin())
            && let Some(within) = row.get(left..left + WITHIN)
        {
            to[1..=WITHIN].copy_from_slice(within);
            let pixel = |column| self.source(column, row.len()).map_or(0.0, |source| row[source]);
            to[0] = pixel(left);
            to[WITHIN + 1] = pixel(left + WITHIN + 1);
        } else {
            self.fill_columns(&mut to[..WITHIN + 2], row, left);
        }
    }

    /// The pixel at padded coordinate `at` of a side of `length` pixels; none for a zero.
    #[inline(always)]
    fn source(&self, at: usize, length: usize) -> Option<usize> {
        let margin = self.padding.margin();
        if at >= margin && at - margin < length {
            return Some(at - margin);
        }
        match self.padding {
            Padding::Zero | Padding::Full => None,
            Padding::Reflect if at == 0 => Some(1),
            // Further out lies only what whole tiles have too much.
            Padding::Reflect => (at == length + 1).then(|| length - 2),
        }
    }
}
