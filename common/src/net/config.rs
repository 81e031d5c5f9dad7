//! The shape of a style network.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

/// The shape of a style network; with it and the named tensors the network is complete.
///
/// The default is the network of pytorch/examples (1,679,235 parameters) but for its output, which starts at
/// mid-grey (see [`OutputRange::Tanh150`]).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetConfig {
    /// Channels after the first convolution; the two strided ones double them twice.
    pub width: i64,
    /// Residual blocks at a quarter of the resolution.
    pub residual_blocks: usize,
    /// What a residual block is made of.
    #[serde(default, skip_serializing_if = "is_default")]
    pub residual: Residual,
    /// How the two upsampling layers enlarge.
    pub upsample: Upsample,
    /// What lies beyond the border of a convolution's input.
    pub padding: Padding,
    /// Added to the variance in each instance norm.
    pub norm_eps: f64,
    /// Whether the last convolution is followed by a norm, too.
    #[serde(default, skip_serializing_if = "is_default")]
    pub last_norm: bool,
    /// What the first convolution wants to see.
    #[serde(default)]
    pub input: InputSpace,
    /// How the last convolution's result becomes `byte_rgb`.
    pub output: OutputRange,
}

/// Left out of files, which older programs can then read.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// What a residual block is made of. A norm follows each convolution, a ReLU each norm but the last; there is none after
/// the sum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Residual {
    /// Two 3x3 convolutions (Gross and Wilber 2016, as in the paper).
    #[default]
    Basic,
    /// 1x1 to half the channels, 3x3, and 1x1 back (He et al. 2015, figure 5).
    Bottleneck,
}

impl Residual {
    /// The convolutions of a block, in order.
    pub fn convolutions(self) -> usize {
        match self {
            Self::Basic => 2,
            Self::Bottleneck => 3,
        }
    }
}

/// How an upsampling layer doubles the resolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Upsample {
    /// Nearest neighbour, then a 3x3 convolution: no checkerboard (Odena et al. 2016).
    Nearest,
    /// A transposed 3x3 convolution of stride 2, as in the paper.
    Transposed,
}

/// What lies beyond the border of a convolution's input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Padding {
    /// The picture mirrored at its border pixels: no frame shows. (PyTorch's `reflect`.)
    Reflect,
    /// Zeros, placed as TensorFlow's `SAME` does: on an even side, a strided convolution pads only at the end.
    ZeroSame,
}

/// What a network's first convolution wants to see. Networks of other projects differ in it; ours see bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InputSpace {
    /// R, G, B in 0..255.
    #[default]
    ByteRgb,
    /// B, G, R in 0..255; the network's output is in that order too.
    ByteBgr,
    /// R, G, B in 0..1.
    UnitRgb,
}

/// How the last convolution's result `y` becomes `byte_rgb`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutputRange {
    /// `y`. A fresh network starts at black.
    Linear,
    /// `150 tanh(y) + 127.5`. A fresh network starts at mid-grey, from where it learns a style several times
    /// faster; the factor lets colours reach both ends before tanh saturates.
    Tanh150,
}

impl Default for NetConfig {
    fn default() -> Self {
        Self {
            width: 32,
            residual_blocks: 5,
            residual: Residual::Basic,
            upsample: Upsample::Nearest,
            padding: Padding::Reflect,
            norm_eps: 1e-5,
            last_norm: false,
            input: InputSpace::ByteRgb,
            output: OutputRange::Tanh150,
        }
    }
}

impl NetConfig {
    /// What [`NetConfig::width`] may be.
    pub(crate) const WIDTHS: RangeInclusive<i64> = 1..=1024;

    /// Says what is wrong with a configuration that came from outside, if anything.
    ///
    /// # Errors
    /// A sentence that names the value and what was expected.
    pub fn validate(&self) -> Result<(), String> {
        if !Self::WIDTHS.contains(&self.width) {
            let (least, most) = (Self::WIDTHS.start(), Self::WIDTHS.end());
            return Err(format!("network width {}, expected {least} to {most}", self.width));
        }
        if self.residual_blocks > 64 {
            return Err(format!("{} residual blocks, expected at most 64", self.residual_blocks));
        }
        if !(self.norm_eps > 0.0 && self.norm_eps < 1.0) {
            return Err(format!("instance norm epsilon {}, expected between 0 and 1", self.norm_eps));
        }
        Ok(())
    }

    /// Whether it is the default network but for width, blocks, eps, input and output: what is written by hand beside the
    /// plain pass knows no other.
    pub fn is_default_family(&self) -> bool {
        let form = (self.upsample, self.padding, self.residual, self.last_norm);
        form == (Upsample::Nearest, Padding::Reflect, Residual::Basic, false)
    }
}
