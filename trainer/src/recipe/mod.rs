//! Everything that decides what a training learns, apart from the pictures themselves.

mod named;

use common::colour_match::ColourMatch;
use common::loss::{PerceptualLossSpec, TemporalSpec};
use common::net::{NetConfig, Start};
use common::optim::{AdamConfig, Decay, LearningRateSchedule};
use common::precision::Precision;
use datasets::{A_LITTLE_ZOOM, StreamConfig, StreamPosition};
use serde::{Deserialize, Serialize};

pub use named::{NamedRecipe, UnknownRecipe};

/// Everything that decides what a training learns, apart from the pictures themselves. It is written into the run folder
/// and into the style file's card.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// Steps of the optimiser.
    pub steps: u64,
    /// Photos that pass through the networks together.
    pub batch: usize,
    /// Batches whose gradients are averaged into one step.
    pub accumulate: usize,
    /// Side of the square crops, in pixels.
    pub crop_px: u32,
    /// Longest side that a painting is reduced to, in pixels; `None` (written 0) takes paintings as they are. A smaller
    /// painting gives finer strokes.
    #[serde(with = "zero_is_none")]
    pub painting_long_side_px: Option<u32>,
    /// How a painting's colours are moved to those of the photos before it is learnt from, so that the style is brushwork and
    /// leaves the photos' colours as they are.
    #[serde(default)]
    pub match_colors: ColourMatch,
    /// What the networks compute in.
    pub precision: Precision,
    /// Random crops, scales and flips; without them, each photo gives its centre.
    pub augment: bool,
    /// With `augment`: how much larger than `crop_px` a photo's short side may be. With more, the network learns to paint
    /// smooth and close-up pictures as heavily as busy ones.
    #[serde(default = "a_little_zoom")]
    pub zoom: f64,
    /// The style weight of a crop is multiplied by its own zoom, from 1 to `zoom`, to this power; 0 (left out of files, which
    /// older programs can then read) weighs all alike. With more, large pictures, of which the network sees parts, are painted
    /// more heavily than small ones, which it sees whole.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub zoom_style_power: f64,
    /// Photos are reduced to a short side of `crop_px * zoom` before crops are cut, on the device, where they can be kept;
    /// otherwise crops are cut from the photos themselves, which leaves them a little sharper.
    pub reduce_photos_first: bool,
    /// Decides the fresh network, the order of photos and the crops.
    pub seed: u64,
    /// Name of the style whose network this one starts as, instead of a fresh one, or the names of several; for the record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// How a fresh network starts.
    pub start: Start,
    /// Factor on the learning rate of the last convolution, the only one that no norm follows.
    pub output_rate_factor: f64,
    /// Length that longer gradients are shortened to; `None` (written 0) leaves them.
    #[serde(with = "zero_is_none")]
    pub clip_norm: Option<f64>,
    /// Decay of a moving average of the parameters, which then is what is judged and saved; `None` (written 0) has no
    /// average.
    #[serde(with = "zero_is_none")]
    pub ema_decay: Option<f64>,
    /// The learning rate.
    pub learning_rate: LearningRateSchedule,
    /// How the kernels of hidden convolutions move.
    #[serde(default, skip_serializing_if = "Optimizer::is_adam")]
    pub optimizer: Optimizer,
    /// The optimiser's constants.
    pub adam: AdamConfig,
    /// What is compared, and how much it counts.
    pub loss: PerceptualLossSpec,
    /// How the network learns to paint films steadily.
    #[serde(default)]
    pub temporal: TemporalSpec,
    /// The shape of the network.
    pub net: NetConfig,
}

/// How the kernels of hidden convolutions move; all else moves by Adam.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Optimizer {
    /// By Adam, too.
    #[default]
    Adam,
    /// By Muon's orthogonalised steps: the same losses in about half the steps.
    Muon,
}

impl Optimizer {
    /// Left out of files, which older programs can then read.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
    fn is_adam(&self) -> bool {
        *self == Self::Adam
    }
}

impl Recipe {
    /// Photos in a step.
    pub fn images_per_step(&self) -> u64 {
        (self.batch * self.accumulate) as u64
    }

    /// The stream of photos from `start` on.
    pub fn stream_config(&self, start: StreamPosition, decode_threads: usize) -> StreamConfig {
        StreamConfig {
            seed: self.seed,
            crop: self.crop_px,
            batch: self.batch,
            augment: self.augment,
            zoom: self.zoom,
            decode_threads,
            start,
        }
    }
}

impl Default for Recipe {
    /// What learnt best in few steps, by measurement: docs/records/2026-11-20-start.md.
    fn default() -> Self {
        Self {
            steps: 2000,
            batch: 4,
            accumulate: 1,
            crop_px: 256,
            painting_long_side_px: None,
            match_colors: ColourMatch::None,
            precision: Precision::F32,
            augment: true,
            zoom: A_LITTLE_ZOOM,
            zoom_style_power: 0.0,
            reduce_photos_first: false,
            seed: 1,
            from: None,
            start: Start::IdentityBlocks,
            output_rate_factor: 0.02,
            clip_norm: None,
            ema_decay: None,
            learning_rate: LearningRateSchedule { peak: 6e-3, warmup_steps: 10, decay: Decay::Cosine },
            optimizer: Optimizer::Adam,
            adam: AdamConfig { beta2: 0.99, ..AdamConfig::default() },
            loss: PerceptualLossSpec::default(),
            temporal: TemporalSpec::default(),
            net: NetConfig::default(),
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_zero(power: &f64) -> bool {
    *power == 0.0
}

/// That of recipes from before there was a choice.
fn a_little_zoom() -> f64 {
    A_LITTLE_ZOOM
}

/// Nothing is written as 0, so that a file can take back what the recipe below it says.
mod zero_is_none {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[expect(clippy::ref_option, reason = "serde's signature")]
    pub(super) fn serialize<T, S>(value: &Option<T>, serializer: S) -> Result<S::Ok, S::Error>
    where
        T: Serialize + Copy + Default,
        S: Serializer,
    {
        value.unwrap_or_default().serialize(serializer)
    }

    pub(super) fn deserialize<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
    where
        T: Deserialize<'de> + PartialEq + Default,
        D: Deserializer<'de>,
    {
        let value = T::deserialize(deserializer)?;
        Ok((value != T::default()).then_some(value))
    }
}
