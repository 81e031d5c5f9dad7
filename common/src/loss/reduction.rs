//! Means or sums: what recipes' weights are given for.

use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

/// How differences become one number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reduction {
    /// Their mean: a weight means the same at every size.
    #[default]
    Mean,
    /// Their sum: a weight counts more the larger the picture is.
    Sum,
}

impl Reduction {
    /// The reduced values, a scalar.
    pub(super) fn of(self, values: &Tensor) -> Tensor {
        match self {
            Self::Mean => values.mean(None::<Kind>),
            Self::Sum => values.sum(None::<Kind>),
        }
    }

    /// What each of `count` values counts.
    pub(super) fn factor(self, count: usize) -> f64 {
        match self {
            Self::Mean => 1.0 / count as f64,
            Self::Sum => 1.0,
        }
    }
}
