//! Distributions of features as sorted samples: between two of them, along one axis, the optimal transport is to go by rank.

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use tch::{Kind, Tensor};

/// Guides show or hide a pixel here; there are no half samples.
const SHOWN: f64 = 0.5;

/// `[n, c, pixels]`: the values of each channel, ascending.
pub(super) fn sorted_channels(features: &Tensor, guide: Option<&Tensor>) -> Tensor {
    shown(features, guide).sort(-1, /*descending=*/ false).0
}

/// `[n, c, pixels]`: the features along as many random directions as there are channels, ascending each.
pub(super) fn sorted_projections(features: &Tensor, guide: Option<&Tensor>) -> Tensor {
    let directions = directions(features.size()[1]).to_device(features.device()).to_kind(features.kind());
    directions.matmul(&shown(features, guide)).sort(-1, /*descending=*/ false).0
}

/// Sorted samples `[n, c, pixels]` brought to `count` of them, between which lies the same share of all: quantiles.
pub(super) fn resampled(sorted: &Tensor, count: i64) -> Tensor {
    if sorted.size()[2] == count {
        return sorted.shallow_clone();
    }
    sorted.upsample_linear1d([count], /*align_corners=*/ false, None)
}

/// The pixels that the guide shows, `[n, c, pixels]`; of a guide that shows none, the one that it shows most of.
fn shown(features: &Tensor, guide: Option<&Tensor>) -> Tensor {
    let f = features.flatten(2, 3);
    let Some(guide) = guide else { return f };
    let guide = guide.flatten(0, 3);
    let places = guide.ge(SHOWN).nonzero().flatten(0, 1);
    let places = if places.numel() == 0 {
        guide.argmax(0, /*keepdim=*/ true)
    } else {
        places
    };
    f.index_select(2, &places)
}

/// Unit vectors, evenly drawn over all directions, as rows `[channels, channels]`: the same ones each time.
pub(super) fn directions(channels: i64) -> Tensor {
    let mut rng = ChaCha8Rng::seed_from_u64(channels as u64);
    // Box and Muller: a Gaussian has no preferred direction.
    let gaussian: Vec<f32> = (0..channels * channels)
        .map(|_| {
            let radius = (-2.0 * (1.0 - rng.random::<f64>()).ln()).sqrt();
            (radius * (std::f64::consts::TAU * rng.random::<f64>()).cos()) as f32
        })
        .collect();
    let rows = Tensor::from_slice(&gaussian).view([channels, channels]);
    let lengths = rows.square().sum_dim_intlist([1i64].as_slice(), /*keepdim=*/ true, Kind::Float).sqrt();
    rows / lengths
}
