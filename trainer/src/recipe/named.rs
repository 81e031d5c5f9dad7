//! Recipes by name: ours, and those of the projects that people come from.

use std::fmt;
use std::str::FromStr;

use common::colour_match::ColourMatch;
use common::loss::{LayerWeights, LossWeights, PerceptualLossSpec, StyleUnit, TemporalSpec};
use common::lossnet::Layer;
use common::net::{InputSpace, NetConfig, OutputRange, Padding, Start, Upsample};
use common::optim::{AdamConfig, Decay, LearningRateSchedule};
use common::precision::Precision;
use datasets::A_LITTLE_ZOOM;

use super::{Optimizer, Recipe};

/// A recipe that has a name.
///
/// Those of other projects give the same losses for the same pictures and weights as they do, and the same network and
/// optimiser where ours can be told to be so. What stays different is said at each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NamedRecipe {
    /// Ours: [`Recipe::default`].
    #[default]
    Atelier,
    /// pytorch/examples, `fast_neural_style`. The original sees the photos in the folder's order; here they are
    /// shuffled.
    PytorchExamples,
    /// lengstrom/fast-style-transfer. The original squashes photos to a square instead of cutting one out, draws its
    /// weights from a truncated normal distribution of deviation 0.1, has no biases in its convolutions, and an instance
    /// norm after the last of them too.
    Lengstrom,
    /// jcjohnson/fast-neural-style with instance norm. The original pads 40 pixels by reflection at the start and not at
    /// all inside, puts the mean colour where we put mid-grey, and leaves the last row and column out of the total
    /// variation.
    Jcjohnson,
}

/// A recipe's name that nothing is known by.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown recipe `{0}`: expected atelier, pytorch-examples, lengstrom or jcjohnson")]
pub struct UnknownRecipe(String);

impl NamedRecipe {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Atelier, Self::PytorchExamples, Self::Lengstrom, Self::Jcjohnson];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Atelier => "atelier",
            Self::PytorchExamples => "pytorch-examples",
            Self::Lengstrom => "lengstrom",
            Self::Jcjohnson => "jcjohnson",
        }
    }

    /// The loss network that its weights are meant for, as `trainer fetch` calls it.
    pub fn loss_net(self) -> &'static str {
        match self {
            Self::Atelier | Self::Lengstrom => "vgg19",
            Self::PytorchExamples => "vgg16-torchvision",
            Self::Jcjohnson => "vgg16",
        }
    }

    /// What it says.
    pub fn recipe(self) -> Recipe {
        match self {
            Self::Atelier => Recipe::default(),
            Self::PytorchExamples => pytorch_examples(),
            Self::Lengstrom => lengstrom(),
            Self::Jcjohnson => jcjohnson(),
        }
    }
}

/// What the three projects share: Adam at 1e-3, four photos of 256 pixels, nothing of our own.
fn plain(steps: u64, loss: PerceptualLossSpec, net: NetConfig) -> Recipe {
    Recipe {
        steps,
        batch: 4,
        accumulate: 1,
        crop_px: 256,
        painting_long_side_px: None,
        match_colors: ColourMatch::None,
        precision: Precision::F32,
        augment: false,
        zoom: A_LITTLE_ZOOM,
        zoom_style_power: 0.0,
        reduce_photos_first: false,
        seed: 42,
        from: None,
        start: Start::PyTorch,
        output_rate_factor: 1.0,
        clip_norm: None,
        ema_decay: None,
        learning_rate: LearningRateSchedule { peak: 1e-3, warmup_steps: 0, decay: Decay::Constant },
        optimizer: Optimizer::Adam,
        adam: AdamConfig::default(),
        loss,
        temporal: TemporalSpec::default(),
        net,
    }
}

fn pytorch_examples() -> Recipe {
    let loss = PerceptualLossSpec {
        style_unit: StyleUnit::Raw,
        weights: LossWeights { content: 1e5, style: 1e10, total_variation: 0.0 },
        content_layers: layers(&[(2, 2)]),
        style_layers: layers(&[(1, 2), (2, 2), (3, 3), (4, 3)]),
        ..PerceptualLossSpec::default()
    };
    // Two epochs of COCO 2014's 82,783 training photos.
    plain(41_392, loss, NetConfig { output: OutputRange::Linear, ..NetConfig::default() })
}

fn lengstrom() -> Recipe {
    let loss = PerceptualLossSpec {
        style_unit: StyleUnit::Raw,
        weights: LossWeights { content: 7.5, style: 100.0, total_variation: 200.0 },
        content_layers: layers(&[(4, 2)]),
        style_layers: layers(&[(1, 1), (2, 1), (3, 1), (4, 1), (5, 1)]),
        ..PerceptualLossSpec::default()
    };
    let net = NetConfig {
        upsample: Upsample::Transposed,
        padding: Padding::ZeroSame,
        norm_eps: 1e-3,
        input: InputSpace::UnitRgb,
        output: OutputRange::Tanh150,
        ..NetConfig::default()
    };
    plain(41_392, loss, net)
}

fn jcjohnson() -> Recipe {
    // Its total variation has the gradient of half the sum of squared differences over the batch; ours is their mean.
    // Four pictures of 256 pixels have 4 * 3 * 256 * 255 of them in each direction.
    const TV_STRENGTH: f64 = 1e-6;
    const DIFFERENCES: f64 = 4.0 * 3.0 * 256.0 * 255.0;
    let loss = PerceptualLossSpec {
        style_unit: StyleUnit::Raw,
        weights: LossWeights { content: 1.0, style: 5.0, total_variation: TV_STRENGTH * 0.5 * DIFFERENCES },
        content_layers: layers(&[(3, 3)]),
        style_layers: layers(&[(1, 2), (2, 2), (3, 3), (4, 3)]),
        ..PerceptualLossSpec::default()
    };
    let net = NetConfig {
        upsample: Upsample::Transposed,
        input: InputSpace::ByteBgr,
        output: OutputRange::Tanh150,
        ..NetConfig::default()
    };
    Recipe { painting_long_side_px: Some(256), ..plain(40_000, loss, net) }
}

fn layers(places: &[(u8, u8)]) -> LayerWeights {
    LayerWeights::equal(places.iter().map(|&(block, index)| Layer::vgg(block, index).expect("a layer")))
}

impl fmt::Display for NamedRecipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for NamedRecipe {
    type Err = UnknownRecipe;

    fn from_str(name: &str) -> Result<Self, UnknownRecipe> {
        Self::ALL
            .into_iter()
            .find(|recipe| recipe.name() == name)
            .ok_or_else(|| UnknownRecipe(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_to_their_recipes() {
        for recipe in NamedRecipe::ALL {
            assert_eq!(recipe.name().parse(), Ok(recipe));
        }
        let message = "monet".parse::<NamedRecipe>().unwrap_err().to_string();
        assert!(NamedRecipe::ALL.iter().all(|recipe| message.contains(recipe.name())), "{message}");
    }
}
