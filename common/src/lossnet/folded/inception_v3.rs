//! Inception-v3 as torchvision builds it. The letters of the mixed blocks are those of torchvision's classes.

use super::conv::{ConvSpec, Window};
use super::node::Node;

pub(in crate::lossnet) const LAYER_NAMES: [&str; 18] = [
    "Conv2d_1a_3x3",
    "Conv2d_2a_3x3",
    "Conv2d_2b_3x3",
    "maxpool1",
    "Conv2d_3b_1x1",
    "Conv2d_4a_3x3",
    "maxpool2",
    "Mixed_5b",
    "Mixed_5c",
    "Mixed_5d",
    "Mixed_6a",
    "Mixed_6b",
    "Mixed_6c",
    "Mixed_6d",
    "Mixed_6e",
    "Mixed_7a",
    "Mixed_7b",
    "Mixed_7c",
];

type Chain = Vec<Node<ConvSpec>>;

/// What leads to the layer of this place, from 0, from the one before it.
pub(in crate::lossnet) fn layer(depth: usize) -> Node<ConvSpec> {
    let name = LAYER_NAMES[depth];
    let block = Block { name };
    match name {
        "Conv2d_1a_3x3" => conv(name, 3, 32, Window::square(3, 2, 0)),
        "Conv2d_2a_3x3" => conv(name, 32, 32, Window::square(3, 1, 0)),
        "Conv2d_2b_3x3" => conv(name, 32, 64, Window::keeping([3, 3])),
        "Conv2d_3b_1x1" => conv(name, 64, 80, Window::square(1, 1, 0)),
        "Conv2d_4a_3x3" => conv(name, 80, 192, Window::square(3, 1, 0)),
        "maxpool1" | "maxpool2" => Node::StemPool { padding: 0 },
        "Mixed_5b" => block.a(192, 32),
        "Mixed_5c" => block.a(256, 64),
        "Mixed_5d" => block.a(288, 64),
        "Mixed_6a" => block.b(288),
        "Mixed_6b" => block.c(128),
        "Mixed_6c" | "Mixed_6d" => block.c(160),
        "Mixed_6e" => block.c(192),
        "Mixed_7a" => block.d(),
        "Mixed_7b" => block.e(1280),
        _ => block.e(2048),
    }
}

fn conv(name: &str, inputs: i64, outputs: i64, window: Window) -> Node<ConvSpec> {
    Node::Conv(ConvSpec {
        conv: format!("{name}.conv"),
        norm: format!("{name}.bn"),
        norm_eps: 1e-3,
        inputs,
        outputs,
        window,
        is_rectified: true,
    })
}

/// A step of a branch: what it is called, its channels, and its window.
type Step = (&'static str, i64, Window);

const POINT: Window = Window::square(1, 1, 0);
const SQUARE: Window = Window::keeping([3, 3]);
const HALVING: Window = Window::square(3, 2, 0);

struct Block {
    name: &'static str,
}

impl Block {
    /// Convolutions one behind the other.
    fn chain(&self, inputs: i64, steps: &[Step]) -> Chain {
        let mut inputs = inputs;
        let steps = steps.iter().map(|&(step, outputs, window)| {
            let node = conv(&format!("{}.{step}", self.name), inputs, outputs, window);
            inputs = outputs;
            node
        });
        steps.collect()
    }

    /// The mean of the neighbourhood, then a convolution.
    fn pooled(&self, inputs: i64, outputs: i64) -> Chain {
        let mut chain = vec![Node::AveragePool];
        chain.extend(self.chain(inputs, &[("branch_pool", outputs, POINT)]));
        chain
    }

    fn a(&self, inputs: i64, pooled: i64) -> Node<ConvSpec> {
        Node::Concat(vec![
            self.chain(inputs, &[("branch1x1", 64, POINT)]),
            self.chain(inputs, &[("branch5x5_1", 48, POINT), ("branch5x5_2", 64, Window::keeping([5, 5]))]),
            self.chain(
                inputs,
                &[
                    ("branch3x3dbl_1", 64, POINT),
                    ("branch3x3dbl_2", 96, SQUARE),
                    ("branch3x3dbl_3", 96, SQUARE),
                ],
            ),
            self.pooled(inputs, pooled),
        ])
    }

    fn b(&self, inputs: i64) -> Node<ConvSpec> {
        Node::Concat(vec![
            self.chain(inputs, &[("branch3x3", 384, HALVING)]),
            self.chain(
                inputs,
                &[
                    ("branch3x3dbl_1", 64, POINT),
                    ("branch3x3dbl_2", 96, SQUARE),
                    ("branch3x3dbl_3", 96, HALVING),
                ],
            ),
            vec![Node::MaxPool],
        ])
    }

    fn c(&self, width: i64) -> Node<ConvSpec> {
        let (wide, tall) = (Window::keeping([1, 7]), Window::keeping([7, 1]));
        Node::Concat(vec![
            self.chain(768, &[("branch1x1", 192, POINT)]),
            self.chain(
                768,
                &[("branch7x7_1", width, POINT), ("branch7x7_2", width, wide), ("branch7x7_3", 192, tall)],
            ),
            self.chain(
                768,
                &[
                    ("branch7x7dbl_1", width, POINT),
                    ("branch7x7dbl_2", width, tall),
                    ("branch7x7dbl_3", width, wide),
                    ("branch7x7dbl_4", width, tall),
                    ("branch7x7dbl_5", 192, wide),
                ],
            ),
            self.pooled(768, 192),
        ])
    }

    fn d(&self) -> Node<ConvSpec> {
        let (wide, tall) = (Window::keeping([1, 7]), Window::keeping([7, 1]));
        Node::Concat(vec![
            self.chain(768, &[("branch3x3_1", 192, POINT), ("branch3x3_2", 320, HALVING)]),
            self.chain(
                768,
                &[
                    ("branch7x7x3_1", 192, POINT),
                    ("branch7x7x3_2", 192, wide),
                    ("branch7x7x3_3", 192, tall),
                    ("branch7x7x3_4", 192, HALVING),
                ],
            ),
            vec![Node::MaxPool],
        ])
    }

    fn e(&self, inputs: i64) -> Node<ConvSpec> {
        // Ends in two convolutions side by side.
        let fork = |a: &'static str, b: &'static str| {
            Node::Concat(vec![
                self.chain(384, &[(a, 384, Window::keeping([1, 3]))]),
                self.chain(384, &[(b, 384, Window::keeping([3, 1]))]),
            ])
        };
        let mut single = self.chain(inputs, &[("branch3x3_1", 384, POINT)]);
        single.push(fork("branch3x3_2a", "branch3x3_2b"));
        let mut double =
            self.chain(inputs, &[("branch3x3dbl_1", 448, POINT), ("branch3x3dbl_2", 384, SQUARE)]);
        double.push(fork("branch3x3dbl_3a", "branch3x3dbl_3b"));
        Node::Concat(vec![
            self.chain(inputs, &[("branch1x1", 320, POINT)]),
            single,
            double,
            self.pooled(inputs, 192),
        ])
    }
}
