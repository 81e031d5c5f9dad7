//! What presets are made of.

use common::gatys::{AdamSettings, Colours, GatysSettings, Ladder, Optimizer, Parametrization, Start};
use common::loss::{LayerWeights, LossWeights, PerceptualLossSpec, StyleUnit, TotalVariation};
use common::lossnet::Layer;
use common::optim::{AdamConfig, LbfgsConfig, LineSearch};
use common::precision::Precision;

/// Channels of a VGG network's blocks 1 to 5.
const CHANNELS: [f64; 5] = [64.0, 128.0, 256.0, 512.0, 512.0];

/// VGG's `relu1_1`, `relu2_1`, `relu3_1`, `relu4_1` and `relu5_1`, each with its weight.
pub(super) fn first_of_each_block(weight: impl Fn(usize) -> f64) -> LayerWeights {
    (1..=5).filter_map(|block| Some((Layer::vgg(block, 1)?, weight(usize::from(block) - 1)))).collect()
}

/// Layers that count alike, by name.
pub(super) fn layers(names: &str) -> LayerWeights {
    names.parse().expect("layers that there are")
}

/// From the mean squared difference of Gram matrices that are divided by channels and pixels to the loss of Gatys et al. 2016,
/// equation 4, of plain ones: the sum of squared differences over `4 N² M²`. N channels, M pixels; the place is the block's, from 0.
pub(super) fn gatys_factor(block: usize) -> f64 {
    CHANNELS[block].powi(2) / 4.0
}

/// The same for the sum of squared differences of Gram matrices over channels and pixels.
pub(super) fn sum_factor(block: usize) -> f64 {
    CHANNELS[block].powi(2)
}

/// The same for the Keras example, which divides the sum of squared differences of plain Gram matrices by `4 · 3² · size²`, with the
/// picture's size in pixels at each layer, of which block b sees a 4^b-th.
pub(super) fn keras_factor(block: usize) -> f64 {
    CHANNELS[block].powi(4) / 16f64.powi(block as i32) / 36.0
}

/// A loss as other projects have it: raw differences of Gram matrices.
pub(super) fn raw_loss(
    content: (f64, LayerWeights),
    style: (f64, LayerWeights),
    total_variation: (f64, TotalVariation),
) -> PerceptualLossSpec {
    PerceptualLossSpec {
        style_unit: StyleUnit::Raw,
        weights: LossWeights { content: content.0, style: style.0, total_variation: total_variation.0 },
        content_layers: content.1,
        style_layers: style.1,
        total_variation: total_variation.1,
        ..PerceptualLossSpec::default()
    }
}

/// One size, pixels, nothing of our own.
pub(super) fn plain(
    loss: PerceptualLossSpec,
    long_side_px: u32,
    start: Start,
    optimizer: Optimizer,
    iterations: u32,
) -> GatysSettings {
    GatysSettings {
        loss,
        long_side_px,
        style_scale: 1.0,
        start,
        parametrization: Parametrization::Pixels,
        optimizer,
        iterations,
        ladder: Ladder::Single,
        photorealism: 0.0,
        averaging: None,
        keeps_best: false,
        colours: Colours::Style,
        seed: 1,
        precision: Precision::F32,
        memory_bytes: None,
    }
}

/// L-BFGS without a line search, as torch's does by default.
pub(super) fn fixed_lbfgs() -> Optimizer {
    Optimizer::Lbfgs(LbfgsConfig {
        line_search: LineSearch::Fixed,
        tolerance_change: 0.0,
        ..LbfgsConfig::default()
    })
}

/// L-BFGS with a line search.
pub(super) fn searching_lbfgs() -> Optimizer {
    Optimizer::Lbfgs(LbfgsConfig::default())
}

/// Adam with its usual constants.
pub(super) fn adam(learning_rate: f64) -> Optimizer {
    Optimizer::Adam(AdamSettings { constants: AdamConfig::default(), learning_rate, decay: None })
}
