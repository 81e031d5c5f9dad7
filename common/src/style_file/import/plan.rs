//! How a network of ours is made of a file's tensors.

use std::collections::{BTreeMap, BTreeSet};

use tch::{Kind, Tensor};

use crate::net::{NetConfig, Parameters};
use crate::tensor_file::Mismatch;

/// Names and shapes in a file.
pub(super) type Shapes = BTreeMap<String, Vec<i64>>;

/// Where a tensor of ours comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// From the tensor of this name.
    Same(String),
    /// From the tensor of this name, whose sides TensorFlow orders `[h, w, b, a]` where PyTorch has `[a, b, h, w]`.
    TensorFlow(String),
    /// The network has none, and zeros change nothing.
    Zeros,
}

/// How a network of ours is made of a file's tensors.
pub(super) struct Plan {
    pub(super) config: NetConfig,
    /// Our name and shape, and where it comes from.
    parts: Vec<(String, Vec<i64>, Part)>,
}

impl Plan {
    /// The network of `config`, each of whose tensors comes from where `part` says.
    pub(super) fn new(config: NetConfig, part: impl Fn(&str) -> Part) -> Self {
        let parts = Parameters::expected_tensors(&config).into_iter().map(|(name, shape)| {
            let part = part(&name);
            (name, shape, part)
        });
        Self { parts: parts.collect(), config }
    }

    /// The network of `config` under our own names.
    pub(super) fn of_ours(config: NetConfig) -> Self {
        Self::new(config, |ours| Part::Same(ours.to_owned()))
    }

    /// How what was found differs from what the plan needs. Other names must be `ignored`.
    pub(super) fn compare(&self, found: &Shapes, ignored: impl Fn(&str) -> bool) -> Mismatch {
        let mut mismatch = Mismatch::default();
        for (_, shape, part) in &self.parts {
            let Some((name, expected)) = part.expected(shape) else { continue };
            match found.get(name) {
                None => mismatch.missing.push(name.to_owned()),
                Some(found) if *found != expected => {
                    mismatch.wrong.push(format!("{name} (shape {}, expected {expected:?})", told(found)));
                }
                Some(_) => {}
            }
        }
        let used: BTreeSet<&str> = self.names().collect();
        let unexpected = found.keys().filter(|name| !used.contains(name.as_str()) && !ignored(name));
        mismatch.unexpected = unexpected.map(|name| printable(name)).collect();
        mismatch
    }

    /// The file's names that are needed.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|(_, shape, part)| Some(part.expected(shape)?.0))
    }

    /// Ours of the file's, in f32.
    ///
    /// # Panics
    /// If one is missing.
    pub(super) fn carry_out(&self, theirs: &BTreeMap<String, Tensor>) -> BTreeMap<String, Tensor> {
        let made = self.parts.iter().map(|(ours, shape, part)| {
            let tensor = match part {
                Part::Same(name) => theirs[name].to_kind(Kind::Float),
                Part::TensorFlow(name) => {
                    theirs[name].to_kind(Kind::Float).permute([3, 2, 0, 1]).contiguous()
                }
                Part::Zeros => Tensor::zeros(shape.as_slice(), tch::kind::FLOAT_CPU),
            };
            (ours.clone(), tensor)
        });
        made.collect()
    }
}

impl Part {
    /// The file's name and shape for a tensor of ours of this shape.
    fn expected(&self, shape: &[i64]) -> Option<(&str, Vec<i64>)> {
        match self {
            Self::Same(name) => Some((name, shape.to_vec())),
            Self::TensorFlow(name) => Some((name, vec![shape[2], shape[3], shape[1], shape[0]])),
            Self::Zeros => None,
        }
    }
}

/// How many tensors, and some of them.
pub(super) fn sample(shapes: &Shapes) -> String {
    /// Enough to see whose they are.
    const SHOWN: usize = 4;
    if shapes.is_empty() {
        return "no tensors".to_owned();
    }
    let some = shapes.iter().take(SHOWN).map(|(name, shape)| format!("{} {}", printable(name), told(shape)));
    let some: Vec<String> = some.collect();
    let more = if shapes.len() > SHOWN { ", ..." } else { "" };
    format!("{} tensors: {}{more}", shapes.len(), some.join(", "))
}

/// A shape; of a hostile one not every side.
fn told(shape: &[i64]) -> String {
    /// More than any weight has.
    const SIDES: usize = 6;
    let dots = if shape.len() > SIDES { " ..." } else { "" };
    format!("{:?}{dots}", &shape[..shape.len().min(SIDES)])
}

/// In one line, and not too long.
fn printable(name: &str) -> String {
    name.chars().take(60).flat_map(char::escape_debug).collect()
}
