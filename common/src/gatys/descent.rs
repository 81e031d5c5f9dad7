//! The way down at one size.

use std::ops::ControlFlow;

use tch::Tensor;

use super::canvas::{Canvas, resized};
use super::objective::Objective;
use super::{AdamSettings, Optimizer};
use crate::loss::LossValues;
use crate::optim::{Adam, AdamState, Ema, Evaluation, Lbfgs, LbfgsConfig, LbfgsOutcome};

/// The optimiser with what it remembers.
pub(super) enum Descent {
    Lbfgs(Box<Lbfgs>),
    Adam { settings: AdamSettings, adam: Adam, average: Option<Ema>, steps: u32 },
}

/// Why the way down ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DescentEnd {
    /// All evaluations were used.
    UsedUp,
    /// No more is to be gained.
    Converged,
    /// The observer wanted it.
    Stopped,
    /// The loss was no number any more.
    NotFinite,
}

/// Is told of each evaluation: the losses and the picture that has them, `byte_rgb`.
pub(super) type Observer<'a> = dyn FnMut(&LossValues, &Tensor) -> ControlFlow<()> + 'a;

impl Descent {
    /// For so many evaluations.
    pub(super) fn new(
        optimizer: &Optimizer,
        averaging: Option<f64>,
        parameters: &Tensor,
        evaluations: u32,
    ) -> Self {
        match optimizer {
            Optimizer::Lbfgs(config) => {
                // A step that is never taken needs no memory: of large pictures each is tens of megabytes.
                let history = config.history.min(evaluations as usize);
                Self::Lbfgs(Box::new(Lbfgs::new(LbfgsConfig { history, ..*config }, parameters)))
            }
            Optimizer::Adam(settings) => Self::Adam {
                settings: *settings,
                adam: Adam::new(settings.constants, parameters),
                average: averaging.map(|decay| Ema::new(decay, parameters)),
                steps: 0,
            },
        }
    }

    /// Goes on at another size: Adam with its moments there, L-BFGS anew, since curvature does not carry over.
    pub(super) fn at_size(
        self,
        optimizer: &Optimizer,
        averaging: Option<f64>,
        parameters: &Tensor,
        from: (u32, u32),
        canvas: &Canvas,
        evaluations: u32,
    ) -> Self {
        match self {
            Self::Adam { settings, adam, average, steps } if canvas.is_of_pixels() => {
                let state = adam.state();
                let moment = |moment: &Tensor| resized(moment, from, canvas.size());
                let state = AdamState {
                    steps: state.steps,
                    first_moment: moment(&state.first_moment),
                    // Between positive numbers bicubic interpolation may go below zero.
                    second_moment: moment(&state.second_moment).clamp_min(0.0),
                };
                // The average of another size's iterates is none of this size's.
                let average = average.and(averaging).map(|decay| Ema::new(decay, parameters));
                Self::Adam { settings, adam: Adam::from_state(settings.constants, state), average, steps }
            }
            Self::Adam { .. } => self, // a network's parameters are the same at any size
            Self::Lbfgs(_) => Self::new(optimizer, averaging, parameters, evaluations),
        }
    }

    /// Moves `parameters` in place, by so many evaluations.
    pub(super) fn run(
        &mut self,
        parameters: &Tensor,
        canvas: &Canvas,
        objective: &Objective,
        evaluations: u32,
        observe: &mut Observer<'_>,
    ) -> DescentEnd {
        let mut left = evaluations;
        let mut is_stopped = false;
        let mut evaluate = |point: &Tensor| -> Option<Evaluation> {
            if left == 0 || is_stopped {
                return None;
            }
            left -= 1;
            let drawn = canvas.draw(point);
            let (terms, gradient) = objective.evaluate(&drawn.byte_rgb);
            let losses = terms.values(objective.spec());
            is_stopped = observe(&losses, &drawn.byte_rgb).is_break();
            Some(Evaluation { loss: losses.total, gradient: canvas.pull_back(&drawn, gradient) })
        };
        let end = match self {
            Self::Lbfgs(lbfgs) => loop {
                match lbfgs.step(parameters, &mut evaluate).outcome {
                    LbfgsOutcome::Moved | LbfgsOutcome::Restarted => {}
                    LbfgsOutcome::Converged(_) => break DescentEnd::Converged,
                    LbfgsOutcome::Refused => break DescentEnd::UsedUp,
                    LbfgsOutcome::NotFinite => break DescentEnd::NotFinite,
                }
            },
            Self::Adam { settings, adam, average, steps } => loop {
                let Some(Evaluation { loss, gradient }) = evaluate(parameters) else {
                    break DescentEnd::UsedUp;
                };
                if !loss.is_finite() {
                    break DescentEnd::NotFinite;
                }
                adam.step(parameters, &gradient, settings.rate_at(*steps));
                *steps += 1;
                if let Some(average) = average {
                    average.update(parameters, u64::from(*steps));
                }
            },
        };
        if is_stopped { DescentEnd::Stopped } else { end }
    }

    /// The average over the iterates, where one is kept.
    pub(super) fn average(&self) -> Option<&Tensor> {
        match self {
            Self::Adam { average, .. } => average.as_ref().map(Ema::average),
            Self::Lbfgs(_) => None,
        }
    }
}
