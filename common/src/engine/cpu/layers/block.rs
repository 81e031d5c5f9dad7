//! The layers of a residual block.

use std::ops::Range;

use kernel::interleaved::{Norm, RowStatistics, Rows};

use super::{CpuNorms, StridedLayer, TileLayer};

/// A convolution in a residual block.
pub(in super::super) enum BlockLayer {
    /// 3x3.
    Tile(TileLayer),
    /// 1x1.
    Pointwise(StridedLayer),
}

impl BlockLayer {
    /// Values of a pixel of the result.
    pub(in super::super) fn outputs(&self) -> usize {
        match self {
            Self::Tile(layer) => layer.conv.stored_outputs(),
            Self::Pointwise(layer) => layer.conv.stored_outputs(),
        }
    }

    /// For an input of this size.
    pub(in super::super) fn statistics(&self, height: usize, width: usize) -> RowStatistics {
        match self {
            Self::Tile(layer) => layer.statistics(height, width),
            Self::Pointwise(layer) => layer.statistics(height),
        }
    }

    /// The norm behind it; to be asked for once in a painting, in the order of the layers.
    pub(in super::super) fn norm(&self, statistics: &RowStatistics, norms: &mut CpuNorms<'_>) -> Norm {
        match self {
            Self::Tile(layer) => layer.norm(statistics, norms),
            Self::Pointwise(layer) => layer.norm(statistics, norms),
        }
    }

    pub(in super::super) fn needed_rows(&self, rows: &Range<usize>, height: usize) -> Range<usize> {
        match self {
            Self::Tile(layer) => layer.needed_rows(rows, height),
            Self::Pointwise(_) => rows.clone(),
        }
    }

    /// Rows `rows` of the result into `output`.
    pub(in super::super) fn convolve(
        &self,
        input: Rows<'_>,
        norm: Option<&Norm>,
        rows: &Range<usize>,
        output: &mut [f32],
        statistics: Option<&mut RowStatistics>,
        threads: usize,
    ) {
        match self {
            Self::Tile(layer) => layer.convolve(input, norm, rows, output, statistics, threads),
            Self::Pointwise(layer) => layer.convolve(input, norm, rows.clone(), output, statistics, threads),
        }
    }
}
