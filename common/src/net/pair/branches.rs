//! The branches of the network for one pair: what each does by itself, and what they tell each other.
//!
//! Branch 0 has the full resolution, branch b that divided by 2^b and 2^b times the channels.

use tch::Tensor;

use super::layers::{Down, ResidualBlock, Up};
use crate::net::Parameters;
use crate::net::parameters::SpecList;

fn channels(width: i64, branch: usize) -> i64 {
    width << branch
}

/// Residual blocks in each branch.
pub(super) struct Stage(Vec<Vec<ResidualBlock>>);

impl Stage {
    pub(super) fn list(specs: &mut SpecList, name: &str, width: i64, branches: usize, blocks: usize) {
        for branch in 0..branches {
            for block in 0..blocks {
                ResidualBlock::list(specs, &Self::block(name, branch, block), channels(width, branch));
            }
        }
    }

    pub(super) fn new(parameters: &Parameters, name: &str, branches: usize, blocks: usize) -> Self {
        let block = |branch, block| ResidualBlock::new(parameters, &Self::block(name, branch, block));
        Self((0..branches).map(|branch| (0..blocks).map(|index| block(branch, index)).collect()).collect())
    }

    fn block(name: &str, branch: usize, block: usize) -> String {
        format!("{name}.branch{branch}.block{block}")
    }

    pub(super) fn forward(&self, branches: Vec<Tensor>) -> Vec<Tensor> {
        let through =
            |x: Tensor, blocks: &Vec<ResidualBlock>| blocks.iter().fold(x, |x, block| block.forward(&x));
        branches.into_iter().zip(&self.0).map(|(x, blocks)| through(x, blocks)).collect()
    }
}

/// Each branch hears its neighbours, and below the last a new one begins.
pub(super) struct Exchange {
    downs: Vec<Down>, // from branch b to b + 1
    ups: Vec<Up>,     // from branch b + 1 to b
}

impl Exchange {
    /// Between `branches` branches and the one that begins.
    pub(super) fn list(specs: &mut SpecList, name: &str, width: i64, branches: usize) {
        for branch in 0..branches {
            Down::list(specs, &format!("{name}.down{branch}"), channels(width, branch));
        }
        for branch in 1..branches {
            Up::list(specs, &format!("{name}.up{branch}"), channels(width, branch));
        }
    }

    pub(super) fn new(parameters: &Parameters, name: &str, branches: usize) -> Self {
        Self {
            downs: (0..branches).map(|b| Down::new(parameters, &format!("{name}.down{b}"))).collect(),
            ups: (1..branches).map(|b| Up::new(parameters, &format!("{name}.up{b}"))).collect(),
        }
    }

    pub(super) fn forward(&self, branches: &[Tensor]) -> Vec<Tensor> {
        (0..=branches.len())
            .map(|branch| {
                let own = branches.get(branch).map(Tensor::shallow_clone);
                let from_above =
                    branch.checked_sub(1).map(|above| self.downs[above].forward(&branches[above]));
                let from_below = self.ups.get(branch).map(|up| up.forward(&branches[branch + 1]));
                [own, from_above, from_below].into_iter().flatten().sum::<Tensor>().relu()
            })
            .collect()
    }
}

/// All branches become the full one, from the coarsest up.
pub(super) struct Gathering(Vec<Up>); // from branch b + 1 to b

impl Gathering {
    pub(super) fn list(specs: &mut SpecList, name: &str, width: i64, branches: usize) {
        for branch in 1..branches {
            Up::list(specs, &format!("{name}.up{branch}"), channels(width, branch));
        }
    }

    pub(super) fn new(parameters: &Parameters, name: &str, branches: usize) -> Self {
        Self((1..branches).map(|b| Up::new(parameters, &format!("{name}.up{b}"))).collect())
    }

    pub(super) fn forward(&self, mut branches: Vec<Tensor>) -> Tensor {
        let coarsest = branches.pop().expect("at least one branch");
        branches
            .into_iter()
            .zip(&self.0)
            .rev()
            .fold(coarsest.relu(), |below, (own, up)| (own + up.forward(&below)).relu())
    }
}
