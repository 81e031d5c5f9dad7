//! What an L-BFGS is told.

use serde::{Deserialize, Serialize};

/// L-BFGS's constants.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LbfgsConfig {
    /// Pairs of steps and changes of the gradient that are remembered; 0 goes down the gradient. Each takes 8 bytes for
    /// each parameter.
    pub history: usize,
    /// How far each iteration goes.
    pub line_search: LineSearch,
    /// The first trial of each line search, or the step without one, in units of the quasi-Newton step. Where there is
    /// no history it is in units of a step whose absolute values add up to 1, or of the gradient where that is shorter.
    pub learning_rate: f64,
    /// Ends where no element of the gradient is larger; 0 where it is to vanish.
    pub tolerance_grad: f64,
    /// Ends where an iteration changes the loss by no more than this part of it; 0 never.
    pub tolerance_change: f64,
    /// Trials of a line search before it takes the best of them.
    pub max_line_search_evaluations: u32,
}

/// How far an iteration goes along its direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineSearch {
    /// As far as the strong Wolfe conditions want.
    StrongWolfe,
    /// Always the learning rate, whatever the loss does, as jcjohnson/neural-style goes.
    Fixed,
}

impl Default for LbfgsConfig {
    /// For pictures. The history is neural-style's. A gradient's size says nothing about a picture, since it goes with the
    /// loss's weights, so that its tolerance is off. The loss is f32: an iteration that changes its last digit alone
    /// has gained nothing.
    fn default() -> Self {
        Self {
            history: 100,
            line_search: LineSearch::StrongWolfe,
            learning_rate: 1.0,
            tolerance_grad: 0.0,
            tolerance_change: 1e-7,
            max_line_search_evaluations: 25,
        }
    }
}
