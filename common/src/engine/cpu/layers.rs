//! A style network's layers, made ready for the kernels.

use std::ops::Range;

use kernel::interleaved::{
    Border, DirectConv, Norm, RowStatistics, RowSumConv, Rows, RowsMut, TileConv, stored_channels,
};
use tch::{Device, Kind};

use super::planes::{PlaneNorm, PlaneStatistics};
use super::{CpuNorms, threads};
use crate::net::{InputSpace, NetConfig, OutputRange, Padding, Parameters, Residual, StyleNet, Upsample};

/// All layers, in order.
pub(super) struct Layers {
    pub(super) conv1: StridedLayer,
    pub(super) conv2: StridedLayer,
    pub(super) conv3: StridedLayer,
    pub(super) blocks: Vec<Vec<BlockLayer>>,
    pub(super) up1: TileLayer,
    pub(super) up2: TileLayer,
    pub(super) last: LastLayer,
}

/// A direct convolution and the norm behind it.
pub(super) struct StridedLayer {
    pub(super) conv: DirectConv,
    border: Border,
    /// Pixels before the picture that the first result sees.
    before: usize,
    stride: usize,
    norm: NormParameters,
}

/// A 3x3 convolution, perhaps to double the size, and the norm behind it.
pub(super) struct TileLayer {
    pub(super) conv: TileConv,
    border: Border,
    norm: NormParameters,
}

/// A convolution in a residual block.
pub(super) enum BlockLayer {
    /// 3x3.
    Tile(TileLayer),
    /// 1x1.
    Pointwise(StridedLayer),
}

/// The convolution to colours.
pub(super) struct LastLayer {
    conv: RowSumConv,
    border: Border,
    norm: Option<NormParameters>,
    output: OutputRange,
}

/// What an instance norm has learnt.
struct NormParameters {
    scale: Vec<f32>,
    shift: Vec<f32>,
    eps: f64,
}

impl NormParameters {
    fn fold(&self, statistics: &RowStatistics, norms: &mut CpuNorms<'_>) -> Norm {
        Norm::new(&norms.settle_frame(statistics.merged()), &self.scale, &self.shift, self.eps)
    }
}

impl Layers {
    pub(super) fn prepare(net: &StyleNet) -> Self {
        let config = net.config();
        let source = Source { config, parameters: net.parameters() };
        let width = config.width as usize;
        let blocks = (1..=config.residual_blocks).map(|block| {
            let names = |part| (format!("res{block}.conv{part}"), format!("res{block}.in{part}"));
            let tile = |part, channels| {
                let (conv, norm) = names(part);
                BlockLayer::Tile(source.tile(&conv, &norm, channels))
            };
            let pointwise = |part, channels| {
                let (conv, norm) = names(part);
                BlockLayer::Pointwise(source.strided(&conv, &norm, channels, 1, 1))
            };
            match config.residual {
                Residual::Basic => vec![tile(1, 4 * width), tile(2, 4 * width)],
                Residual::Bottleneck => vec![
                    pointwise(1, [2 * width, 4 * width]),
                    tile(2, 2 * width),
                    pointwise(3, [4 * width, 2 * width]),
                ],
            }
        });
        Self {
            conv1: source.strided("conv1", "in1", [width, 3], 9, 1),
            conv2: source.strided("conv2", "in2", [2 * width, width], 3, 2),
            conv3: source.strided("conv3", "in3", [4 * width, 2 * width], 3, 2),
            blocks: blocks.collect(),
            up1: source.doubling("deconv1", "in4", [2 * width, 4 * width]),
            up2: source.doubling("deconv2", "in5", [width, 2 * width]),
            last: source.last(width),
        }
    }
}

/// Where layers are made from.
struct Source<'a> {
    config: &'a NetConfig,
    parameters: &'a Parameters,
}

impl Source<'_> {
    fn values(&self, name: &str) -> Vec<f32> {
        let tensor = self.parameters.get(name).to_kind(Kind::Float).to_device(Device::Cpu).contiguous();
        let mut values = vec![0.0; tensor.numel()];
        let count = values.len();
        tensor.copy_data(&mut values, count);
        values
    }

    fn norm(&self, name: &str) -> NormParameters {
        NormParameters {
            scale: self.values(&format!("{name}.weight")),
            shift: self.values(&format!("{name}.bias")),
            eps: self.config.norm_eps,
        }
    }

    fn strided(
        &self,
        conv: &str,
        norm: &str,
        [outputs, inputs]: [usize; 2],
        kernel: usize,
        stride: usize,
    ) -> StridedLayer {
        let mut weight = self.values(&format!("{conv}.conv2d.weight"));
        let mut stored_inputs = stored_channels(inputs);
        if conv == "conv1" {
            // The photo: its three values a pixel, and the space that the network wants to see them in.
            stored_inputs = inputs;
            if self.config.input == InputSpace::UnitRgb {
                for weight in &mut weight {
                    *weight /= 255.0;
                }
            }
            if self.config.input == InputSpace::ByteBgr {
                for kernels in weight.chunks_exact_mut(3 * kernel * kernel) {
                    swap_ends(kernels, kernel * kernel);
                }
            }
        }
        let (border, before) = match self.config.padding {
            Padding::Reflect => (Border::Reflect, kernel / 2),
            // On an even side, TensorFlow's SAME pads a strided convolution only at the end.
            Padding::ZeroSame if stride == 2 => (Border::Zero, 0),
            Padding::ZeroSame => (Border::Zero, kernel / 2),
        };
        let conv = DirectConv::prepare(&weight, outputs, inputs, stored_inputs, kernel, stride);
        StridedLayer { conv, border, before, stride, norm: self.norm(norm) }
    }

    fn tile(&self, conv: &str, norm: &str, channels: usize) -> TileLayer {
        let weight = self.values(&format!("{conv}.conv2d.weight"));
        let border = match self.config.padding {
            Padding::Reflect => Border::Reflect,
            Padding::ZeroSame => Border::Zero,
        };
        TileLayer {
            conv: TileConv::prepare(&weight, channels, channels, threads()),
            border,
            norm: self.norm(norm),
        }
    }

    fn doubling(&self, conv: &str, norm: &str, [outputs, inputs]: [usize; 2]) -> TileLayer {
        let weight = self.values(&format!("{conv}.conv2d.weight"));
        let (border, conv) = match (self.config.upsample, self.config.padding) {
            (Upsample::Nearest, Padding::Reflect) => {
                (Border::Replicate, TileConv::prepare_doubling(&weight, outputs, inputs, threads()))
            }
            (Upsample::Nearest, Padding::ZeroSame) => {
                (Border::Zero, TileConv::prepare_doubling(&weight, outputs, inputs, threads()))
            }
            // PyTorch's padding 1 with output padding 1, and TensorFlow's SAME, as in `net::layers`.
            (Upsample::Transposed, Padding::Reflect) => {
                (Border::Zero, TileConv::prepare_transposed(&weight, outputs, inputs, 1, threads()))
            }
            (Upsample::Transposed, Padding::ZeroSame) => {
                (Border::Zero, TileConv::prepare_transposed(&weight, outputs, inputs, 0, threads()))
            }
        };
        TileLayer { conv, border, norm: self.norm(norm) }
    }

    fn last(&self, inputs: usize) -> LastLayer {
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

/// Exchanges the first and the last of three parts of this length: R, G, B and B, G, R.
fn swap_ends(values: &mut [f32], length: usize) {
    let (first, last) = values.split_at_mut(2 * length);
    first[..length].swap_with_slice(last);
}

impl StridedLayer {
    pub(super) fn needed_rows(&self, rows: &Range<usize>, input_height: usize) -> Range<usize> {
        self.conv.needed_rows(rows, self.before, input_height)
    }

    /// For an input of this height.
    pub(super) fn statistics(&self, input_height: usize) -> RowStatistics {
        self.conv.statistics(input_height / self.stride)
    }

    /// The norm behind it; to be asked for once in a painting, in the order of the layers.
    pub(super) fn norm(&self, statistics: &RowStatistics, norms: &mut CpuNorms<'_>) -> Norm {
        self.norm.fold(statistics, norms)
    }

    /// Rows `rows` of the result into `output`.
    pub(super) fn convolve(
        &self,
        input: Rows<'_>,
        norm: Option<&Norm>,
        rows: Range<usize>,
        output: &mut [f32],
        statistics: Option<&mut RowStatistics>,
        threads: usize,
    ) {
        let width = input.width / self.stride;
        let output = RowsMut { values: output, rows };
        self.conv.convolve(input, norm, (self.border, self.before), output, width, statistics, threads);
    }
}

impl TileLayer {
    /// For an input of this size.
    pub(super) fn statistics(&self, height: usize, width: usize) -> RowStatistics {
        self.conv.statistics(height, width)
    }

    /// The norm behind it; to be asked for once in a painting, in the order of the layers.
    pub(super) fn norm(&self, statistics: &RowStatistics, norms: &mut CpuNorms<'_>) -> Norm {
        self.norm.fold(statistics, norms)
    }

    pub(super) fn needed_rows(&self, rows: &Range<usize>, input_height: usize) -> Range<usize> {
        self.conv.needed_rows(rows, input_height)
    }

    /// What becomes of rows `rows` of the input, into `output`.
    pub(super) fn convolve(
        &self,
        input: Rows<'_>,
        norm: Option<&Norm>,
        rows: &Range<usize>,
        output: &mut [f32],
        statistics: Option<&mut RowStatistics>,
        threads: usize,
    ) {
        self.conv.convolve(input, norm, self.border, rows, output, statistics, threads);
    }
}

impl BlockLayer {
    /// Values of a pixel of the result.
    pub(super) fn outputs(&self) -> usize {
        match self {
            Self::Tile(layer) => layer.conv.stored_outputs(),
            Self::Pointwise(layer) => layer.conv.stored_outputs(),
        }
    }

    /// For an input of this size.
    pub(super) fn statistics(&self, height: usize, width: usize) -> RowStatistics {
        match self {
            Self::Tile(layer) => layer.statistics(height, width),
            Self::Pointwise(layer) => layer.statistics(height),
        }
    }

    /// The norm behind it; to be asked for once in a painting, in the order of the layers.
    pub(super) fn norm(&self, statistics: &RowStatistics, norms: &mut CpuNorms<'_>) -> Norm {
        match self {
            Self::Tile(layer) => layer.norm(statistics, norms),
            Self::Pointwise(layer) => layer.norm(statistics, norms),
        }
    }

    pub(super) fn needed_rows(&self, rows: &Range<usize>, height: usize) -> Range<usize> {
        match self {
            Self::Tile(layer) => layer.needed_rows(rows, height),
            Self::Pointwise(_) => rows.clone(),
        }
    }

    /// Rows `rows` of the result into `output`.
    pub(super) fn convolve(
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

impl LastLayer {
    pub(super) fn needed_rows(&self, rows: &Range<usize>, height: usize) -> Range<usize> {
        self.conv.needed_rows(rows, height)
    }

    /// Whether statistics of all rows must be known before one can be painted.
    pub(super) fn has_norm(&self) -> bool {
        self.norm.is_some()
    }

    /// The norm behind it, if there is one; to be asked for once in a painting, after all others.
    pub(super) fn norm(&self, statistics: &PlaneStatistics, norms: &mut CpuNorms<'_>) -> Option<PlaneNorm> {
        let NormParameters { scale, shift, eps } = self.norm.as_ref()?;
        Some(PlaneNorm::new(&norms.settle_frame(statistics.merged()), scale, shift, *eps))
    }

    /// What [`LastLayer::paint`] takes before the norm.
    pub(super) fn convolve(
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
    pub(super) fn paint(
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
