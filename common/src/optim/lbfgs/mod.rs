//! L-BFGS (Nocedal and Wright 2006, Numerical Optimization, algorithms 7.4 and 7.5) over one flat buffer, which stays where it is:
//! only losses and slopes reach the host.
//!
//! Differences from the book: where the line search finds nothing, the history is forgotten and the gradient followed; a
//! trial that is not finite counts as too far; the first step is that of PyTorch and torch7's optim.

mod config;
mod history;
mod line_search;
#[cfg(test)]
mod tests;

use tch::{Kind, Tensor};

pub use config::{LbfgsConfig, LineSearch};
use history::History;
use line_search::{Found, Place, strong_wolfe};

/// The shortest first step moves some element by this part of the largest parameter: less would be lost in rounding, as
/// `learning_rate / |g|₁` is for large pictures, and the change of the gradient over it with it: from an almost flat picture, 1e-6
/// led nowhere for forty iterations.
const SHORTEST_MOVE: f64 = 1e-3;

/// The loss at a point, and its gradient.
pub struct Evaluation {
    /// The loss.
    pub loss: f64,
    /// `[count]`, f32, in memory that nobody writes to afterwards.
    pub gradient: Tensor,
}

/// What an iteration came to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LbfgsStep {
    /// The loss where the parameters are now; NaN if not even that was evaluated.
    pub loss: f64,
    /// How it went.
    pub outcome: LbfgsOutcome,
}

/// How an iteration went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LbfgsOutcome {
    /// As it should.
    Moved,
    /// The history led nowhere and was forgotten; the parameters went down the gradient.
    Restarted,
    /// No more is to be gained.
    Converged(Convergence),
    /// `evaluate` refused: the parameters are at the lowest loss that was seen, or without a line search where they were.
    Refused,
    /// The loss or its gradient is not finite, where the parameters are or at every step that was tried from there.
    NotFinite,
}

/// Why no more is to be gained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Convergence {
    /// No element of the gradient is larger than `tolerance_grad`.
    Gradient,
    /// The loss changed by no more than `tolerance_change`. Not judged by steps down the gradient, whose length is a guess.
    Loss,
    /// No step lowers the loss, even down the gradient; or twice in a row the history led nowhere.
    Stalled,
}

/// L-BFGS over one flat buffer.
pub struct Lbfgs {
    config: LbfgsConfig,
    history: History,
    /// The evaluation where the parameters are.
    remembered: Option<Evaluation>,
    /// Whether the last iteration had to forget the history.
    has_restarted: bool,
}

/// How going along one direction came out.
enum Leg {
    /// There, and the parameters with it.
    To(Evaluation),
    /// The parameters are where they were. Whether anything was finite on the way.
    Nowhere { was_finite: bool },
    /// To the lowest place that was seen before the refusal, if it is any lower.
    Refused(Option<Evaluation>),
}

type Evaluate<'a> = dyn FnMut(&Tensor) -> Option<Evaluation> + 'a;

impl Lbfgs {
    /// A fresh optimiser for `parameters` `[count]`, on their device.
    pub fn new(config: LbfgsConfig, parameters: &Tensor) -> Self {
        let history = History::new(config.history, parameters);
        Self { config, history, remembered: None, has_restarted: false }
    }

    /// One iteration: moves `parameters` `[count]` in place, by about one call of `evaluate` with the point to be judged,
    /// `[count]`. `evaluate` may refuse by giving none.
    ///
    /// Between calls the parameters and what `evaluate` gives for them stay as they are; see [`Lbfgs::restart`].
    ///
    /// # Panics
    /// If a shape differs from that of the parameters it was made for.
    pub fn step(&mut self, parameters: &Tensor, evaluate: &mut Evaluate<'_>) -> LbfgsStep {
        let parameters = parameters.detach(); // the same memory
        let Some(start) = self.remembered.take().or_else(|| evaluate(&parameters)) else {
            return LbfgsStep { loss: f64::NAN, outcome: LbfgsOutcome::Refused };
        };
        let (largest, sum) = sizes(&start.gradient);
        if !(start.loss.is_finite() && sum.is_finite()) {
            return LbfgsStep { loss: start.loss, outcome: LbfgsOutcome::NotFinite };
        }
        if largest <= self.config.tolerance_grad {
            return self.stay(start, LbfgsOutcome::Converged(Convergence::Gradient));
        }

        let had_restarted = std::mem::take(&mut self.has_restarted);
        if !self.history.is_empty() {
            let direction = self.history.direction(&start.gradient);
            match self.go(&parameters, &start, &direction, self.config.learning_rate, evaluate) {
                Leg::To(end) => {
                    let outcome = if self.is_settled(start.loss, end.loss) {
                        LbfgsOutcome::Converged(Convergence::Loss)
                    } else {
                        LbfgsOutcome::Moved
                    };
                    return self.stay(end, outcome);
                }
                Leg::Refused(lowest) => return self.stay(lowest.unwrap_or(start), LbfgsOutcome::Refused),
                Leg::Nowhere { was_finite } => {
                    self.history.clear();
                    if had_restarted {
                        return self.stay(start, nowhere(was_finite));
                    }
                    self.has_restarted = true;
                }
            }
        }

        let first_step = self.first_step(&parameters, largest, sum);
        match self.go(&parameters, &start, &-&start.gradient, first_step, evaluate) {
            Leg::To(end) if self.has_restarted => self.stay(end, LbfgsOutcome::Restarted),
            Leg::To(end) => self.stay(end, LbfgsOutcome::Moved),
            Leg::Refused(lowest) => self.stay(lowest.unwrap_or(start), LbfgsOutcome::Refused),
            Leg::Nowhere { was_finite } => self.stay(start, nowhere(was_finite)),
        }
    }

    /// Forgets the history and the last evaluation: for when the objective or the parameters have changed.
    pub fn restart(&mut self) {
        self.history.clear();
        self.remembered = None;
        self.has_restarted = false;
    }

    /// Goes along a direction, as the line search finds right, and remembers what the way has shown.
    fn go(
        &mut self,
        parameters: &Tensor,
        start: &Evaluation,
        direction: &Tensor,
        first_step: f64,
        evaluate: &mut Evaluate<'_>,
    ) -> Leg {
        let slope = |gradient: &Tensor| gradient.dot(direction).double_value(&[]);
        let at = |step: f64| parameters + direction * step;
        let origin = Place { step: 0.0, loss: start.loss, slope: slope(&start.gradient) };
        if !(origin.is_finite() && origin.slope < 0.0) {
            return Leg::Nowhere { was_finite: true };
        }

        let mut lowest: Option<(f64, Evaluation)> = None;
        let mut try_step = |step: f64| {
            let Evaluation { loss, gradient } = evaluate(&at(step))?;
            let place = Place { step, loss, slope: slope(&gradient) };
            if place.is_finite() && loss < lowest.as_ref().map_or(start.loss, |(_, lowest)| lowest.loss) {
                lowest = Some((step, Evaluation { loss, gradient: gradient.shallow_clone() }));
            }
            Some((place, gradient))
        };
        let found = match self.config.line_search {
            LineSearch::StrongWolfe => {
                strong_wolfe(origin, first_step, self.config.max_line_search_evaluations, &mut try_step)
            }
            LineSearch::Fixed => match try_step(first_step) {
                None => Found::Refused,
                Some((place, gradient)) if place.is_finite() => Found::Lower(place, gradient),
                Some(_) => Found::Nothing { was_finite: false },
            },
        };
        match found {
            Found::Wolfe(Place { step, loss, .. }, gradient)
            | Found::Lower(Place { step, loss, .. }, gradient) => {
                // What rounding has left of the step is what the gradient has changed over.
                let moved = move_to(parameters, &at(step));
                self.history.push(&moved, &(&gradient - &start.gradient));
                Leg::To(Evaluation { loss, gradient })
            }
            Found::Nothing { was_finite } => Leg::Nowhere { was_finite },
            Found::Refused => Leg::Refused(lowest.map(|(step, evaluation)| {
                let _ = move_to(parameters, &at(step));
                evaluation
            })),
        }
    }

    /// The first trial down a gradient with this largest element and this sum of absolute values.
    fn first_step(&self, parameters: &Tensor, largest: f64, sum: f64) -> f64 {
        let shortest = SHORTEST_MOVE * parameters.abs().max().double_value(&[]) / largest;
        (sum.recip().min(1.0) * self.config.learning_rate).max(shortest)
    }

    fn is_settled(&self, before: f64, after: f64) -> bool {
        let tolerance = self.config.tolerance_change;
        tolerance > 0.0 && (before - after).abs() <= tolerance * before.abs().max(after.abs())
    }

    /// Remembers the evaluation where the parameters are.
    fn stay(&mut self, here: Evaluation, outcome: LbfgsOutcome) -> LbfgsStep {
        let loss = here.loss;
        self.remembered = Some(here);
        LbfgsStep { loss, outcome }
    }
}

fn nowhere(was_finite: bool) -> LbfgsOutcome {
    if was_finite { LbfgsOutcome::Converged(Convergence::Stalled) } else { LbfgsOutcome::NotFinite }
}

/// The largest absolute value and the sum of all of them. Waits for the device.
fn sizes(gradient: &Tensor) -> (f64, f64) {
    let absolute = gradient.abs();
    let sizes = Tensor::stack(&[absolute.max(), absolute.sum(Kind::Float)], 0);
    (sizes.double_value(&[0]), sizes.double_value(&[1]))
}

/// Moves the parameters; gives by how much, as rounding has left it.
fn move_to(parameters: &Tensor, place: &Tensor) -> Tensor {
    let moved = place - parameters;
    parameters.shallow_clone().copy_(place);
    moved
}
