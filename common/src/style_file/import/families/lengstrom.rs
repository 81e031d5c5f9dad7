//! lengstrom/fast-style-transfer: TensorFlow's variables, numbered in the order they were made. A convolution's weight, then
//! its norm's shift and scale; no biases, and a norm behind the last convolution too.

use super::super::plan::{Part, Plan, Shapes};
use super::channels;
use crate::net::{NetConfig, OutputRange, Padding, Upsample};

/// Variables of a convolution with its norm.
const OF_A_LAYER: usize = 3;

/// Convolutions outside of residual blocks: three before them, three behind.
const AROUND_BLOCKS: usize = 6;

pub(super) fn plan(found: &Shapes) -> Option<Plan> {
    let [_, _, 3, width] = found.get(&variable(0))?.as_slice() else { return None };
    let width = channels(Some(width))?;
    let count = (0..1000).take_while(|&index| found.contains_key(&variable(index))).count();
    let residual_blocks = (count / OF_A_LAYER).saturating_sub(AROUND_BLOCKS) / 2;
    let config = NetConfig {
        width,
        residual_blocks,
        upsample: Upsample::Transposed,
        padding: Padding::ZeroSame,
        norm_eps: 1e-3,
        last_norm: true,
        output: OutputRange::Tanh150,
        ..NetConfig::default()
    };
    Some(Plan::new(config, |ours| part(ours, residual_blocks)))
}

/// What TensorFlow's optimiser keeps beside the variables.
pub(super) fn is_of_training(name: &str) -> bool {
    name.contains("/Adam")
        || ["beta1_power", "beta2_power", "global_step"].iter().any(|start| name.starts_with(start))
}

fn part(ours: &str, residual_blocks: usize) -> Part {
    let (module, which) = ours.split_once('.').expect("names have parts");
    let of_block = module.strip_prefix("res").map(|block| block.parse::<usize>().expect("a number"));
    let (module, which) = match of_block {
        Some(_) => which.split_once('.').expect("names in blocks have three parts"),
        None => (module, which),
    };
    let number = |start: &str| module.strip_prefix(start).and_then(|rest| rest.parse::<usize>().ok());
    let (kind, place) = number("conv")
        .map(|place| ("conv", place))
        .or_else(|| number("deconv").map(|place| ("deconv", place)))
        .or_else(|| number("in").map(|place| ("in", place)))
        .expect("layers are convolutions and norms");
    let layer = match (of_block, kind) {
        (Some(block), _) => 3 + 2 * (block - 1) + place - 1,
        // in1 to in3 are before the blocks, in4 to in6 behind them.
        (None, "in") if place > 3 => 2 * residual_blocks + place - 1,
        (None, "deconv") => 3 + 2 * residual_blocks + place - 1,
        (None, _) => place - 1,
    };
    let first = OF_A_LAYER * layer;
    match (kind, which) {
        ("in", "bias") => Part::Same(variable(first + 1)),
        ("in", _) => Part::Same(variable(first + 2)),
        (_, "conv2d.bias") => Part::Zeros,
        _ => Part::TensorFlow(variable(first)),
    }
}

fn variable(index: usize) -> String {
    if index == 0 { "Variable".to_owned() } else { format!("Variable_{index}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_numbered_as_they_were_made() {
        let name = |ours| match part(ours, 5) {
            Part::Same(name) | Part::TensorFlow(name) => name,
            Part::Zeros => "zeros".to_owned(),
        };
        for (ours, theirs) in [
            ("conv1.conv2d.weight", "Variable"),
            ("in1.bias", "Variable_1"),
            ("in1.weight", "Variable_2"),
            ("conv3.conv2d.weight", "Variable_6"),
            ("conv3.conv2d.bias", "zeros"),
            ("res1.conv1.conv2d.weight", "Variable_9"),
            ("res1.in1.weight", "Variable_11"),
            ("res5.conv2.conv2d.weight", "Variable_36"),
            ("res5.in2.bias", "Variable_37"),
            ("deconv1.conv2d.weight", "Variable_39"),
            ("in4.weight", "Variable_41"),
            ("deconv3.conv2d.weight", "Variable_45"),
            ("in6.bias", "Variable_46"),
            ("in6.weight", "Variable_47"),
        ] {
            assert_eq!(name(ours), theirs, "{ours}");
        }
    }
}
