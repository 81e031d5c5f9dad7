//! How many products a training step takes, counted from the shapes as the papers write them.

use common::loss::PerceptualLossSpec;
use common::lossnet::{Arch, Layer};
use common::net::NetConfig;

use crate::recipe::Recipe;

/// Products of one step. Back through a convolution they are taken twice, once for the weights and once for the input;
/// the loss network's weights are frozen, and nobody asks for the photo's gradient.
pub(super) fn of_step(recipe: &Recipe, loss_net: Arch) -> f64 {
    let side = f64::from(recipe.crop_px);
    let spec = &recipe.loss;
    let loss_net_forward = of_loss_net(loss_net, spec.layers().into_iter().max(), side);
    let content_pass = of_loss_net(loss_net, spec.content_layers.layers().max(), side);
    let (net, first_layer) = of_net(&recipe.net, side);
    let per_photo = 3.0 * net - first_layer + 2.0 * loss_net_forward + content_pass + of_grams(spec, side);
    per_photo * recipe.batch as f64
}

/// Products of a pass up to `deepest`.
fn of_loss_net(arch: Arch, deepest: Option<Layer>, side: f64) -> f64 {
    arch.layers()
        .take_while(|&layer| Some(layer) <= deepest)
        .map(|layer| {
            let (_, shape) = &arch.expected_tensors(layer)[0];
            shape.iter().product::<i64>() as f64 * side_at(layer, side).powi(2)
        })
        .sum()
}

/// Products of the Gram matrices and of the way back through them.
fn of_grams(spec: &PerceptualLossSpec, side: f64) -> f64 {
    let channels = |layer: Layer| f64::from(64 << (block(layer) - 1).min(3));
    spec.style_layers.layers().map(|layer| 2.0 * channels(layer).powi(2) * side_at(layer, side).powi(2)).sum()
}

fn side_at(layer: Layer, side: f64) -> f64 {
    (side / f64::from(1 << (block(layer) - 1))).floor()
}

/// The named recipes, and nothing else is measured, look at VGG networks.
fn block(layer: Layer) -> u8 {
    layer.vgg_place().expect("a layer of VGG").0
}

/// Products of a pass through the style network, and those of its first layer.
fn of_net(config: &NetConfig, side: f64) -> (f64, f64) {
    let width = config.width as f64;
    let conv =
        |inputs: f64, outputs: f64, kernel: f64, side: f64| inputs * outputs * kernel * kernel * side * side;
    let (half, quarter) = (side / 2.0, side / 4.0);
    let first_layer = conv(3.0, width, 9.0, side);
    let down = conv(width, 2.0 * width, 3.0, half) + conv(2.0 * width, 4.0 * width, 3.0, quarter);
    let residual = 2.0 * config.residual_blocks as f64 * conv(4.0 * width, 4.0 * width, 3.0, quarter);
    let up = conv(4.0 * width, 2.0 * width, 3.0, half) + conv(2.0 * width, width, 3.0, side);
    (first_layer + down + residual + up + conv(width, 3.0, 9.0, side), first_layer)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(name: &str) -> Layer {
        name.parse().unwrap()
    }

    #[test]
    fn the_published_networks_have_their_published_costs() {
        let giga = |products: f64| (products / 1e8).round() / 10.0;
        assert_eq!(giga(of_net(&NetConfig::default(), 256.0).0), 10.1);
        assert_eq!(giga(of_loss_net(Arch::Vgg16, Some(layer("relu4_3")), 256.0)), 18.2);
        assert_eq!(giga(of_loss_net(Arch::Vgg19, Some(layer("relu5_1")), 256.0)), 23.7);
        // VGG-16 at 224: 15.3 billion products in its convolutions.
        assert_eq!(giga(of_loss_net(Arch::Vgg16, Some(layer("relu5_3")), 224.0)), 15.3);
    }

    #[test]
    fn a_step_is_made_of_all_passes() {
        let recipe = Recipe { batch: 2, crop_px: 256, ..Recipe::default() };
        let per_photo = of_step(&recipe, Arch::Vgg19) / 2.0 / 1e9;
        // 3 * 10.1 + 2 * 23.7 + 13.9 for the content pass, and a few for the Grams.
        assert!((90.0..100.0).contains(&per_photo), "{per_photo}");
    }
}
