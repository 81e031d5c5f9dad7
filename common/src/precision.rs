//! The number formats that a training step may compute in.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use tch::{Device, Kind};

use crate::device;

/// What the convolutions of a training step compute in. Parameters, their gradients, the optimiser, the statistics of
/// norms, Gram matrices and losses are f32 in all of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// f32 throughout.
    #[default]
    F32,
    /// f32 whose products a GPU's matrix units take with 10 bits of mantissa; on a CPU the same as f32.
    Tf32,
    /// Weights and activations of both networks in bf16 (8 bits of mantissa), products accumulated in f32.
    Bf16,
}

/// A precision's name that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown precision `{0}`: expected f32, tf32 or bf16")]
pub struct ParsePrecisionError(String);

impl Precision {
    /// What activations and the convolutions' weights are stored as.
    pub fn kind(self) -> Kind {
        match self {
            Self::F32 | Self::Tf32 => Kind::Float,
            Self::Bf16 => Kind::BFloat16,
        }
    }

    /// Makes the process compute so on `device`: says whether its f32 products may be taken in TF32, and lets cuDNN
    /// try its algorithms out, as shapes stay the same through a training. Call it once, before the first step; on a
    /// CPU it changes nothing.
    ///
    /// libtorch's own default is TF32 for convolutions and f32 for matrix products.
    ///
    /// # Errors
    /// This libtorch has no switch for TF32.
    pub fn set_up(self, device: Device) -> Result<(), device::DeviceError> {
        if device.is_cuda() {
            device::allow_tf32(self != Self::F32)?;
            tch::Cuda::cudnn_set_benchmark(true);
        }
        Ok(())
    }
}

impl FromStr for Precision {
    type Err = ParsePrecisionError;

    fn from_str(name: &str) -> Result<Self, ParsePrecisionError> {
        match name {
            "f32" => Ok(Self::F32),
            "tf32" => Ok(Self::Tf32),
            "bf16" => Ok(Self::Bf16),
            _ => Err(ParsePrecisionError(name.to_owned())),
        }
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::F32 => "f32",
            Self::Tf32 => "tf32",
            Self::Bf16 => "bf16",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_and_written_alike_everywhere() {
        for name in ["f32", "tf32", "bf16"] {
            let precision: Precision = name.parse().unwrap();
            assert_eq!(precision.to_string(), name);
            assert_eq!(serde_json::to_string(&precision).unwrap(), format!("\"{name}\""));
        }
        assert!("f16".parse::<Precision>().unwrap_err().to_string().contains("f32, tf32 or bf16"));
    }
}
