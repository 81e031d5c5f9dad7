//! pytorch/examples, whose names are ours. There are forks of other widths.

use super::super::plan::{Part, Plan, Shapes};
use super::{channels, count};
use crate::net::{NetConfig, OutputRange};

pub(super) fn plan(found: &Shapes) -> Option<Plan> {
    let width = channels(found.get("conv1.conv2d.weight")?.first())?;
    let config = NetConfig {
        width,
        residual_blocks: count(found, |block| format!("res{block}.conv1.conv2d.weight")),
        output: OutputRange::Linear,
        ..NetConfig::default()
    };
    Some(Plan::new(config, |ours| Part::Same(ours.to_owned())))
}
