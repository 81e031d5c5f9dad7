//! ResNet-50 as torchvision builds it.

use super::conv::{ConvSpec, Window};
use super::node::Node;

pub(in crate::lossnet) const LAYER_NAMES: [&str; 18] = [
    "relu", "maxpool", "layer1.0", "layer1.1", "layer1.2", "layer2.0", "layer2.1", "layer2.2", "layer2.3",
    "layer3.0", "layer3.1", "layer3.2", "layer3.3", "layer3.4", "layer3.5", "layer4.0", "layer4.1",
    "layer4.2",
];
const BLOCKS: [usize; 4] = [3, 4, 6, 3];

/// What leads to the layer of this place, from 0, from the one before it.
pub(in crate::lossnet) fn layer(depth: usize) -> Node<ConvSpec> {
    match depth {
        0 => Node::Conv(conv(["conv1", "bn1"], 3, 64, Window::square(7, 2, 3), true)),
        1 => Node::StemPool { padding: 1 },
        _ => {
            let mut block = depth - 2;
            let stage = BLOCKS.iter().position(|&blocks| {
                let is_here = block < blocks;
                block -= if is_here { 0 } else { blocks };
                is_here
            });
            bottleneck(stage.expect("a layer of ResNet-50"), block)
        }
    }
}

/// Both from 0.
fn bottleneck(stage: usize, block: usize) -> Node<ConvSpec> {
    let width = 64 << stage;
    let (inputs, stride) = match (stage, block) {
        (0, 0) => (64, 1),
        (_, 0) => (width * 2, 2),
        _ => (width * 4, 1),
    };
    let name = format!("layer{}.{block}", stage + 1);
    let numbered = |number: u8, inputs, outputs, window, is_rectified| {
        let names = [format!("{name}.conv{number}"), format!("{name}.bn{number}")];
        conv(names.each_ref().map(String::as_str), inputs, outputs, window, is_rectified)
    };
    let shortcut = || {
        let names = [format!("{name}.downsample.0"), format!("{name}.downsample.1")];
        conv(names.each_ref().map(String::as_str), inputs, width * 4, Window::square(1, stride, 0), false)
    };
    Node::Residual {
        body: [
            numbered(1, inputs, width, Window::square(1, 1, 0), true),
            numbered(2, width, width, Window::square(3, stride, 1), true),
            numbered(3, width, width * 4, Window::square(1, 1, 0), false),
        ]
        .map(Node::Conv)
        .into(),
        shortcut: (block == 0).then(shortcut),
    }
}

fn conv([conv, norm]: [&str; 2], inputs: i64, outputs: i64, window: Window, is_rectified: bool) -> ConvSpec {
    ConvSpec {
        conv: conv.to_owned(),
        norm: norm.to_owned(),
        norm_eps: 1e-5,
        inputs,
        outputs,
        window,
        is_rectified,
    }
}
