//! pytorch/examples, whose names are ours. There are forks of other widths.

use super::super::plan::{Part, Plan, Shapes};
use super::{channels, count};
use crate::net::{NetConfig, OutputRange, Parameters};

pub(super) fn plan(found: &Shapes) -> Option<Plan> {
    let Some(first) = found.get("conv1.conv2d.weight") else { return numbered(found) };
    let blocks = count(found, |block| format!("res{block}.conv1.conv2d.weight"));
    Some(Plan::of_ours(config(channels(first.first())?, blocks)))
}

/// In ONNX of PyTorch 0.4 parameters are numbered from 1, in the order of the network's `state_dict`, which is that of ours.
fn numbered(found: &Shapes) -> Option<Plan> {
    /// Of the layers around the residual blocks, and of each block.
    const AROUND_BLOCKS: usize = 22;
    const OF_A_BLOCK: usize = 8;
    let width = channels(found.get("1")?.first())?;
    let parameters = count(found, |index| index.to_string());
    let config = config(width, parameters.saturating_sub(AROUND_BLOCKS) / OF_A_BLOCK);
    let names: Vec<String> =
        Parameters::expected_tensors(&config).into_iter().map(|(name, _)| name).collect();
    let number = |ours: &str| 1 + names.iter().position(|name| name == ours).expect("a name of ours");
    Some(Plan::new(config, |ours| Part::Same(number(ours).to_string())))
}

fn config(width: i64, residual_blocks: usize) -> NetConfig {
    NetConfig { width, residual_blocks, output: OutputRange::Linear, ..NetConfig::default() }
}
