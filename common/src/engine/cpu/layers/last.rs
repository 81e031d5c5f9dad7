//! The layer that makes the painting.

use std::ops::Range;

use kernel::interleaved::{Border, Norm, RowSumConv, Rows, stored_channels};

use super::super::planes::{PlaneNorm, PlaneStatistics};
use super::{CpuNorms, NormParameters, Source, swap_ends};
use crate::net::{InputSpace, OutputRange, Padding};

/// The convolution to colours.
pub(in super::super) struct LastLayer {
    conv: RowSumConv,
    border: Border,
    norm: Option<NormParameters>,
    output: OutputRange,
}

impl Source<'_> {
    pub(super) fn last(&self, inputs: usize) -> LastLayer {
        const KERNEL: usize = 9;
        let mut weight = self.values("deconv3.conv2d.weight");
        let mut bias = self.values("deconv3.conv2d.bias");
        if self.config.input == InputSpace::ByteBgr {
            swap_ends(&mut weight, inputs * KERNEL * KERNEL);
            bias.reverse();
        }
        let bias = bias.try_into().expect("three colours");
        let border = match self.config.padding {
            Padding::Reflect => Border::Reflect,
            Padding::ZeroSame => Border::Zero,
        };
        let conv = RowSumConv::prepare(&weight, bias, inputs, stored_channels(inputs), KERNEL);
        let norm = self.config.last_norm.then(|| {
            let mut norm = self.norm("in6");
            if self.config.input == InputSpace::ByteBgr {
                norm.scale.reverse();
                norm.shift.reverse();
            }
            norm
        });
        LastLayer { conv, border, norm, output: self.config.output }
    }
}

impl LastLayer {
    pub(in super::super) fn needed_rows(&self, rows: &Range<usize>, height: usize) -> Range<usize> {
        self.conv.needed_rows(rows, height)
    }

    /// Whether statistics of all rows must be known before one can be painted.
    pub(in super::super) fn has_norm(&self) -> bool {
        self.norm.is_some()
    }

    /// The norm behind it, if there is one; to be asked for once in a painting, after all others.
    pub(in super::super) fn norm(
        &self,
        statistics: &PlaneStatistics,
        norms: &mut CpuNorms<'_>,
    ) -> Option<PlaneNorm> {
        let NormParameters { scale, shift, eps } = self.norm.as_ref()?;
        Some(PlaneNorm::new(&norms.settle_frame(statistics.merged()), scale, shift, *eps))
    }

    /// What [`LastLayer::paint`] takes before the norm.
    pub(in super::super) fn convolve(
        &self,
        input: Rows<'_>,
        norm: &Norm,
        rows: &Range<usize>,
        planes: &mut [f32],
        threads: usize,
    ) {
        self.conv.convolve(input, norm, self.border, rows, planes, threads);
    }

    /// Rows `rows` of the painting, `byte_rgb` as planes `[3, rows, width]`.
    pub(in super::super) fn paint(
        &self,
        input: Rows<'_>,
        norm: &Norm,
        last_norm: Option<&PlaneNorm>,
        rows: &Range<usize>,
        planes: &mut [f32],
        threads: usize,
    ) {
        self.convolve(input, norm, rows, planes, threads);
        if let Some(last_norm) = last_norm {
            last_norm.apply(planes);
        }
        match self.output {
            OutputRange::Linear => {}
            OutputRange::Tanh150 => kernel::interleaved::scaled_tanh(planes, 150.0, 127.5, threads),
        }
    }
}
