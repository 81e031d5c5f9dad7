//! What a painting is judged by, wherever one is optimised.

use clap::Args;
use common::loss::{LayerWeights, PerceptualLossSpec, StyleStatistics, StyleUnit};

#[derive(Args, Clone)]
pub(crate) struct ObjectiveArgs {
    /// Weight of the content loss: more keeps more of the photo.
    #[arg(long, value_name = "WEIGHT", allow_negative_numbers = true)]
    content_weight: Option<f64>,
    /// Weight of the style loss: more paints more heavily.
    #[arg(long, value_name = "WEIGHT", allow_negative_numbers = true)]
    style_weight: Option<f64>,
    /// Weight of the total variation: more smooths more.
    #[arg(long, value_name = "WEIGHT", allow_negative_numbers = true)]
    tv_weight: Option<f64>,
    /// What the style loss is measured in: painting (the painting's own statistics, so that the weight means the same for
    /// every painting) or raw (as in other projects).
    #[arg(long, value_name = "UNIT", value_parser = style_unit)]
    style_unit: Option<StyleUnit>,
    /// What makes the style: gram, mean-std, gaussian-w2, shifted-gram (for structure that repeats; with distances:
    /// shifted-gram:4:8), mirrored-gram (for symmetry), histogram, sliced-wasserstein; several with weights:
    /// gram,shifted-gram=0.5 [default: gram].
    #[arg(long, value_name = "STATISTICS")]
    statistic: Option<StyleStatistics>,
    /// Layers that keep the photo, each with a weight of its own if wanted: relu3_3,relu4_2=0.5 [default: relu4_2].
    #[arg(long, visible_alias = "content-layer", value_name = "LAYERS")]
    content_layers: Option<LayerWeights>,
    /// Layers that paint [default: relu1_1,relu2_1,relu3_1,relu4_1,relu5_1].
    #[arg(long, visible_alias = "style-layer", value_name = "LAYERS")]
    style_layers: Option<LayerWeights>,
}

impl ObjectiveArgs {
    /// What is typed goes before what `loss` says.
    pub(crate) fn lay_over(self, loss: &mut PerceptualLossSpec) {
        let weights = &mut loss.weights;
        for (weight, typed) in [
            (&mut weights.content, self.content_weight),
            (&mut weights.style, self.style_weight),
            (&mut weights.total_variation, self.tv_weight),
        ] {
            *weight = typed.unwrap_or(*weight);
        }
        loss.style_unit = self.style_unit.unwrap_or(loss.style_unit);
        if let Some(statistic) = self.statistic {
            loss.style_statistics = statistic;
        }
        if let Some(layers) = self.content_layers {
            loss.content_layers = layers;
        }
        if let Some(layers) = self.style_layers {
            loss.style_layers = layers;
        }
    }
}

fn style_unit(name: &str) -> Result<StyleUnit, String> {
    match name {
        "painting" => Ok(StyleUnit::Painting),
        "raw" => Ok(StyleUnit::Raw),
        _ => Err("expected painting or raw".to_owned()),
    }
}
