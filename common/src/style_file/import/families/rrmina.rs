//! rrmina/fast-neural-style-pytorch: B, G, R in and out, transposed convolutions, and two kinds of residual blocks. Its variant
//! with tanh has the same names and shapes as that without, which is the one that its published weights are of.

use super::super::plan::{Part, Plan, Shapes};
use super::{channels, count};
use crate::net::{InputSpace, NetConfig, OutputRange, Residual, Upsample};

pub(super) fn plan(found: &Shapes) -> Option<Plan> {
    let width = channels(found.get("ConvBlock.0.conv_layer.weight")?.first())?;
    let is_bottleneck = found.contains_key("ResidualBlock.0.conv3.conv_layer.weight");
    let config = NetConfig {
        width,
        residual_blocks: count(found, |block| format!("ResidualBlock.{}.conv1.conv_layer.weight", block - 1)),
        residual: if is_bottleneck { Residual::Bottleneck } else { Residual::Basic },
        upsample: Upsample::Transposed,
        input: InputSpace::ByteBgr,
        output: OutputRange::Linear,
        ..NetConfig::default()
    };
    Some(Plan::new(config, |ours| Part::Same(name(ours))))
}

fn name(ours: &str) -> String {
    let (module, which) = ours.split_once('.').expect("names have parts");
    if let Some(block) = module.strip_prefix("res") {
        let block: usize = block.parse().expect("a number");
        let (part, which) = which.split_once('.').expect("names in blocks have three parts");
        let (layer, place) = layer_of(part, which, "conv_layer");
        return format!("ResidualBlock.{}.conv{place}.{layer}", block - 1);
    }
    // ReLUs stand between the layers.
    let (group, index, conv) = match module {
        "conv1" | "in1" => ("ConvBlock", 0, "conv_layer"),
        "conv2" | "in2" => ("ConvBlock", 2, "conv_layer"),
        "conv3" | "in3" => ("ConvBlock", 4, "conv_layer"),
        "deconv1" | "in4" => ("DeconvBlock", 0, "conv_transpose"),
        "deconv2" | "in5" => ("DeconvBlock", 2, "conv_transpose"),
        _ => ("DeconvBlock", 4, "conv_layer"),
    };
    format!("{group}.{index}.{}", layer_of(module, which, conv).0)
}

/// The rest of a name, and which convolution it is or follows.
fn layer_of<'a>(module: &'a str, which: &str, conv: &str) -> (String, &'a str) {
    match (which.strip_prefix("conv2d."), module.strip_prefix("in")) {
        (None, Some(place)) => (format!("norm_layer.{which}"), place),
        (rest, _) => (format!("{conv}.{}", rest.unwrap_or(which)), module.trim_start_matches("conv")),
    }
}

#[cfg(test)]
mod tests {
    use super::name;

    #[test]
    fn layers_lie_in_three_groups() {
        for (ours, theirs) in [
            ("conv1.conv2d.weight", "ConvBlock.0.conv_layer.weight"),
            ("in3.bias", "ConvBlock.4.norm_layer.bias"),
            ("res1.conv1.conv2d.weight", "ResidualBlock.0.conv1.conv_layer.weight"),
            ("res5.in3.weight", "ResidualBlock.4.conv3.norm_layer.weight"),
            ("deconv1.conv2d.bias", "DeconvBlock.0.conv_transpose.bias"),
            ("in5.weight", "DeconvBlock.2.norm_layer.weight"),
            ("deconv3.conv2d.weight", "DeconvBlock.4.conv_layer.weight"),
        ] {
            assert_eq!(name(ours), theirs);
        }
    }
}
