//! The projects whose networks are known, told apart by the names of their tensors.

mod examples;
mod lengstrom;
mod rrmina;

use std::fmt;

use super::plan::{Plan, Shapes};
use crate::net::NetConfig;

/// Whose network it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// pytorch/examples, `fast_neural_style`, of any width: <https://github.com/pytorch/examples>.
    PytorchExamples,
    /// lengstrom/fast-style-transfer, TensorFlow's variables: <https://github.com/lengstrom/fast-style-transfer>.
    Lengstrom,
    /// rrmina/fast-neural-style-pytorch, its plain network and the one of bottlenecks:
    /// <https://github.com/rrmina/fast-neural-style-pytorch>.
    Rrmina,
}

impl Family {
    const ALL: [Self; 3] = [Self::PytorchExamples, Self::Lengstrom, Self::Rrmina];

    /// All of them, as errors name them.
    pub(super) fn known() -> String {
        Self::ALL.map(Self::name).join(", ")
    }

    fn name(self) -> &'static str {
        match self {
            Self::PytorchExamples => "pytorch/examples",
            Self::Lengstrom => "lengstrom/fast-style-transfer",
            Self::Rrmina => "rrmina/fast-neural-style-pytorch",
        }
    }

    /// The family whose first convolution is there, and what it would take to be a network of it.
    pub(super) fn of(found: &Shapes) -> Option<(Self, Plan)> {
        Self::ALL.into_iter().find_map(|family| {
            let plan = match family {
                Self::PytorchExamples => examples::plan(found),
                Self::Lengstrom => lengstrom::plan(found),
                Self::Rrmina => rrmina::plan(found),
            }?;
            plan.config.validate().ok()?;
            Some((family, plan))
        })
    }

    /// Whether a name may be there without a meaning.
    pub(super) fn ignores(self, name: &str) -> bool {
        match self {
            Self::PytorchExamples | Self::Rrmina => is_running_statistic(name),
            Self::Lengstrom => lengstrom::is_of_training(name),
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Old instance norms kept statistics of the training, which nothing used.
fn is_running_statistic(name: &str) -> bool {
    [".running_mean", ".running_var", ".num_batches_tracked"].iter().any(|end| name.ends_with(end))
}

/// The channels that a side of the first convolution says there are, if a network can have so many.
fn channels(side: Option<&i64>) -> Option<i64> {
    side.copied().filter(|channels| NetConfig::WIDTHS.contains(channels))
}

/// How many of `name(1)`, `name(2)` ... are there; so many that a network cannot have them are not counted.
fn count(found: &Shapes, name: impl Fn(usize) -> String) -> usize {
    (1..=1000).take_while(|&index| found.contains_key(&name(index))).count()
}
