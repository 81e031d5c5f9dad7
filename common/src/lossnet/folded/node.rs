//! What a network is made of.

use tch::Tensor;

use super::conv::{ConvSpec, FoldedConv, Window};
use crate::lossnet::Pooling;
use crate::tensor_file::ExpectedTensor;

/// A part of a network; `C` is a convolution, as it is described or as it computes.
pub(in crate::lossnet) enum Node<C> {
    /// A convolution with all that follows it.
    Conv(C),
    /// A pooling of the stem: 3x3, stride 2, whose kind the user may choose.
    StemPool {
        /// Around the input; it is not counted.
        padding: i64,
    },
    /// The largest of 3x3, stride 2, no padding.
    MaxPool,
    /// The mean of 3x3, stride 1, zeros around counted.
    AveragePool,
    /// Chains that begin with the same input, and whose channels are put one behind the other.
    Concat(Vec<Vec<Node<C>>>),
    /// What a chain adds to its input, or to what the shortcut makes of it; then ReLU.
    Residual {
        /// The chain.
        body: Vec<Node<C>>,
        /// A change of channels and resolution.
        shortcut: Option<C>,
    },
}

impl<C> Node<C> {
    /// The same with other convolutions.
    pub(super) fn map<D>(&self, convert: &impl Fn(&C) -> D) -> Node<D> {
        let of_chain = |chain: &Vec<Self>| chain.iter().map(|node| node.map(convert)).collect();
        match self {
            Self::Conv(conv) => Node::Conv(convert(conv)),
            Self::StemPool { padding } => Node::StemPool { padding: *padding },
            Self::MaxPool => Node::MaxPool,
            Self::AveragePool => Node::AveragePool,
            Self::Concat(branches) => Node::Concat(branches.iter().map(of_chain).collect()),
            Self::Residual { body, shortcut } => {
                Node::Residual { body: of_chain(body), shortcut: shortcut.as_ref().map(convert) }
            }
        }
    }

    /// Every convolution in it.
    fn convs(&self) -> Vec<&C> {
        match self {
            Self::Conv(conv) => vec![conv],
            Self::StemPool { .. } | Self::MaxPool | Self::AveragePool => Vec::new(),
            Self::Concat(branches) => branches.iter().flatten().flat_map(Self::convs).collect(),
            Self::Residual { body, shortcut } => body.iter().flat_map(Self::convs).chain(shortcut).collect(),
        }
    }
}

impl Node<ConvSpec> {
    /// The names and shapes of all that it needs.
    pub(in crate::lossnet) fn expected_tensors(&self) -> Vec<ExpectedTensor> {
        self.convs().into_iter().flat_map(ConvSpec::expected_tensors).collect()
    }

    /// The side of an input that gives an output of this side, at least.
    pub(super) fn smallest_input(&self, output: i64) -> i64 {
        let of_chain =
            |chain: &Vec<Self>| chain.iter().rev().fold(output, |side, node| node.smallest_input(side));
        match self {
            Self::Conv(conv) => conv.window.smallest_input(output),
            Self::StemPool { padding } => Window::square(3, 2, *padding).smallest_input(output),
            Self::MaxPool => Window::square(3, 2, 0).smallest_input(output),
            Self::AveragePool => output,
            Self::Concat(branches) => branches.iter().map(of_chain).max().unwrap_or(output),
            Self::Residual { body, .. } => of_chain(body),
        }
    }
}

impl Node<FoldedConv> {
    pub(super) fn forward(&self, x: &Tensor, pooling: Pooling) -> Tensor {
        let of_chain =
            |chain: &Vec<Self>| chain.iter().fold(x.shallow_clone(), |x, node| node.forward(&x, pooling));
        match self {
            Self::Conv(conv) => conv.forward(x),
            Self::StemPool { padding } => match pooling {
                Pooling::Max => x.max_pool2d(3, 2, *padding, 1, /*ceil_mode=*/ false),
                Pooling::Average => {
                    x.avg_pool2d(3, 2, *padding, false, /*count_include_pad=*/ false, None)
                }
            },
            Self::MaxPool => x.max_pool2d(3, 2, 0, 1, /*ceil_mode=*/ false),
            Self::AveragePool => x.avg_pool2d(3, 1, 1, false, /*count_include_pad=*/ true, None),
            Self::Concat(branches) => {
                let outputs: Vec<Tensor> = branches.iter().map(of_chain).collect();
                Tensor::cat(&outputs, 1)
            }
            Self::Residual { body, shortcut } => {
                let mut sum = of_chain(body);
                sum += shortcut.as_ref().map_or_else(|| x.shallow_clone(), |conv| conv.forward(x));
                sum.relu_()
            }
        }
    }
}
