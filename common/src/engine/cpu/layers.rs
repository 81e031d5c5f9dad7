//! A style network's layers, made ready for the kernels.

mod block;
mod last;

use std::ops::Range;

use kernel::interleaved::{
    Border, DirectConv, Norm, RowStatistics, Rows, RowsMut, TileConv, stored_channels,
};
use tch::{Device, Kind};

pub(super) use self::block::BlockLayer;
pub(super) use self::last::LastLayer;
use super::{CpuNorms, threads};
use crate::net::{InputSpace, NetConfig, Padding, Parameters, Residual, StyleNet, Upsample};

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
