//! A convolution with its batch norm.

use tch::{Kind, Tensor};

use crate::channels_last::channels_last;
use crate::tensor_file::ExpectedTensor;

/// A convolution without a bias, and the batch norm behind it.
pub(in crate::lossnet) struct ConvSpec {
    /// What the convolution's tensors are called.
    pub(super) conv: String,
    /// What the norm's tensors are called.
    pub(super) norm: String,
    /// What the norm adds to the variance.
    pub(super) norm_eps: f64,
    pub(super) inputs: i64,
    pub(super) outputs: i64,
    pub(super) window: Window,
    /// Whether a ReLU follows.
    pub(super) is_rectified: bool,
}

/// What of the input each output sees.
#[derive(Clone, Copy)]
pub(super) struct Window {
    /// Height and width.
    pub(super) kernel: [i64; 2],
    pub(super) stride: i64,
    /// Zeros above and below, left and right.
    pub(super) padding: [i64; 2],
}

impl Window {
    /// A square one.
    pub(super) const fn square(kernel: i64, stride: i64, padding: i64) -> Self {
        Self { kernel: [kernel; 2], stride, padding: [padding; 2] }
    }

    /// One of stride 1 that keeps the size.
    pub(super) const fn keeping([height, width]: [i64; 2]) -> Self {
        Self { kernel: [height, width], stride: 1, padding: [height / 2, width / 2] }
    }

    /// The side of an input that gives an output of this side, at least.
    pub(super) fn smallest_input(self, output: i64) -> i64 {
        let of_direction = |direction: usize| {
            (output - 1) * self.stride + self.kernel[direction] - 2 * self.padding[direction]
        };
        of_direction(0).max(of_direction(1)).max(1)
    }
}

impl ConvSpec {
    const NORM: [&'static str; 4] = ["weight", "bias", "running_mean", "running_var"];

    pub(super) fn expected_tensors(&self) -> impl Iterator<Item = ExpectedTensor> {
        let [height, width] = self.window.kernel;
        let weight = (format!("{}.weight", self.conv), vec![self.outputs, self.inputs, height, width]);
        let norm = Self::NORM.map(|part| (format!("{}.{part}", self.norm), vec![self.outputs]));
        std::iter::once(weight).chain(norm)
    }

    /// The convolution and its norm in one.
    pub(super) fn folded(&self, tensor: &impl Fn(&str, &[i64]) -> Tensor) -> FoldedConv {
        let mut tensors =
            self.expected_tensors().map(|(name, shape)| tensor(&name, &shape).to_kind(Kind::Double));
        let mut next = || tensors.next().expect("a weight and four parts of a norm");
        let (weight, factor, summand, mean, variance) = (next(), next(), next(), next(), next());
        let factor = factor / (variance + self.norm_eps).sqrt();
        let weight = weight * factor.view([-1, 1, 1, 1]);
        let bias = summand - mean * factor;
        let (weight, bias) = (channels_last(&weight, Kind::Float), bias.to_kind(Kind::Float));
        FoldedConv { weight, bias, window: self.window, is_rectified: self.is_rectified }
    }
}

/// A convolution that has taken its norm in.
pub(super) struct FoldedConv {
    weight: Tensor, // channels last
    bias: Tensor,
    window: Window,
    is_rectified: bool,
}

impl FoldedConv {
    pub(super) fn forward(&self, x: &Tensor) -> Tensor {
        let Self { weight, bias, window: Window { stride, padding, .. }, is_rectified } = self;
        let mut y = x.conv2d(weight, Some(bias), *stride, padding, 1, 1);
        if *is_rectified { y.relu_() } else { y }
    }
}
