//! How far to go along a direction: a step that satisfies the strong Wolfe conditions (Nocedal and Wright 2006,
//! algorithms 3.5 and 3.6). Numbers only; what comes with a trial (its gradient) is handed through.

/// Part of the promised decrease that a step must keep (Nocedal and Wright's c1).
pub(super) const DECREASE: f64 = 1e-4;
/// Part of the slope at the start that may be left (Nocedal and Wright's c2).
pub(super) const CURVATURE: f64 = 0.9;

/// Changes of a loss, relative to it, below which f32 decides by chance.
const RESOLUTION: f64 = 6e-8;
/// A bracket is searched somewhat below the resolution, since some losses are known more exactly.
const NARROWEST: f64 = 0.1 * RESOLUTION;
/// Longest next trial while the slope still goes down, in units of the last one.
const LONGEST_STRIDE: f64 = 10.0;
/// Shortest one, in units of the last stride.
const SHORTEST_STRIDE: f64 = 0.1;
/// Where the next trial lies between the best one and one that could not be calculated.
const BEFORE_THE_WALL: f64 = 0.25;
/// A trial keeps this part of the bracket away from its ends.
const MARGIN: f64 = 0.01;
/// Where two trials leave more than this of a bracket, it is halved.
const ENOUGH_SHRINKING: f64 = 2.0 / 3.0;

/// The loss and its slope along the direction at a step.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) step: f64,
    pub(super) loss: f64,
    pub(super) slope: f64,
}

impl Place {
    pub(super) fn is_finite(self) -> bool {
        self.loss.is_finite() && self.slope.is_finite()
    }
}

/// How a line search ends.
#[derive(Debug)]
pub(super) enum Found<G> {
    /// A step that satisfies both conditions.
    Wolfe(Place, G),
    /// The best step that decreases the loss sufficiently, after as many trials as are allowed.
    Lower(Place, G),
    /// No step decreases it. Whether the loss and its slope were finite anywhere but at the start.
    Nothing { was_finite: bool },
    /// A trial was refused.
    Refused,
}

/// Searches along a direction of negative slope, from `start` at step 0, by calls of `evaluate` with a step.
pub(super) fn strong_wolfe<G>(
    start: Place,
    first_step: f64,
    max_evaluations: u32,
    evaluate: &mut dyn FnMut(f64) -> Option<(Place, G)>,
) -> Found<G> {
    let mut search = Search { start, evaluations_left: max_evaluations, was_finite: false, evaluate };
    search.stride(first_step)
}

struct Search<'a, G> {
    start: Place,
    evaluations_left: u32,
    was_finite: bool,
    evaluate: &'a mut dyn FnMut(f64) -> Option<(Place, G)>,
}

impl<G> Search<'_, G> {
    /// Algorithm 3.5: ever longer steps, until two of them have a good one between them.
    fn stride(&mut self, first_step: f64) -> Found<G> {
        let (mut low, mut low_gradient) = (self.start, None);
        let mut step = first_step;
        while self.evaluations_left > 0 {
            let Some((trial, gradient)) = self.try_step(step) else { return Found::Refused };
            if !trial.is_finite() {
                return self.zoom(low, low_gradient, trial);
            }
            if self.is_too_short_to_tell(trial) {
                step *= LONGEST_STRIDE;
                continue;
            }
            if self.is_too_high(trial) || (low.step > 0.0 && trial.loss >= low.loss) {
                return self.zoom(low, low_gradient, trial);
            }
            if self.is_level_enough(trial) {
                return Found::Wolfe(trial, gradient);
            }
            if trial.slope >= 0.0 {
                return self.zoom(trial, Some(gradient), low);
            }
            let farther = cubic_minimum(low, trial)
                .filter(|&minimum| minimum > step)
                // Where the losses say otherwise, as those of short steps do by chance, by the slopes alone.
                .or_else(|| slopes_end(low, trial))
                .unwrap_or(f64::INFINITY);
            let shortest = step + SHORTEST_STRIDE * (step - low.step);
            step = farther.clamp(shortest, step * LONGEST_STRIDE);
            (low, low_gradient) = (trial, Some(gradient));
        }
        self.best(low, low_gradient)
    }

    /// Algorithm 3.6: `low` decreases the loss sufficiently and lies lower than `high`, towards which it goes down.
    fn zoom(&mut self, mut low: Place, mut low_gradient: Option<G>, mut high: Place) -> Found<G> {
        let mut widths = [f64::INFINITY; 2]; // the last two
        while self.evaluations_left > 0 {
            let width = (high.step - low.step).abs();
            if width * self.start.slope.abs() <= NARROWEST * self.start.loss.abs() {
                break;
            }
            let is_slow = width > ENOUGH_SHRINKING * widths[0];
            widths = [widths[1], width];
            let step = between(low, high, is_slow);
            let Some((trial, gradient)) = self.try_step(step) else { return Found::Refused };
            if !trial.is_finite() || self.is_too_high(trial) || trial.loss >= low.loss {
                high = trial;
                continue;
            }
            if self.is_level_enough(trial) {
                return Found::Wolfe(trial, gradient);
            }
            if trial.slope * (high.step - low.step) >= 0.0 {
                high = low;
            }
            (low, low_gradient) = (trial, Some(gradient));
        }
        self.best(low, low_gradient)
    }

    fn try_step(&mut self, step: f64) -> Option<(Place, G)> {
        self.evaluations_left -= 1;
        let (trial, gradient) = (self.evaluate)(step)?;
        // A step that rounding leaves nothing of shows nothing.
        let has_moved = trial.loss != self.start.loss || trial.slope != self.start.slope;
        self.was_finite |= has_moved && trial.is_finite();
        Some((trial, gradient))
    }

    fn best(&self, low: Place, gradient: Option<G>) -> Found<G> {
        match gradient {
            Some(gradient) => Found::Lower(low, gradient),
            None => Found::Nothing { was_finite: self.was_finite },
        }
    }

    /// Whether the promised change drowns in rounding, and what happened too, while it still goes down.
    fn is_too_short_to_tell(&self, trial: Place) -> bool {
        let noise = RESOLUTION * self.start.loss.abs();
        let promised = trial.step * self.start.slope.abs();
        promised <= noise
            && (trial.loss - self.start.loss).abs() <= 4.0 * noise
            && trial.slope < CURVATURE * self.start.slope
    }

    fn is_too_high(&self, trial: Place) -> bool {
        trial.loss > self.start.loss + DECREASE * trial.step * self.start.slope
    }

    fn is_level_enough(&self, trial: Place) -> bool {
        trial.slope.abs() <= CURVATURE * self.start.slope.abs()
    }
}

/// The next trial between two steps, of which `low` is the better one.
fn between(low: Place, high: Place, is_slow: bool) -> f64 {
    let width = high.step - low.step; // signed
    let part = if !high.is_finite() {
        BEFORE_THE_WALL
    } else if is_slow {
        0.5
    } else {
        cubic_minimum(low, high)
            .map_or(0.5, |minimum| ((minimum - low.step) / width).clamp(MARGIN, 1.0 - MARGIN))
    };
    low.step + part * width
}

/// Where a slope that goes on changing as it does from `a` to the farther `b` is level; none where it gets ever steeper.
fn slopes_end(a: Place, b: Place) -> Option<f64> {
    let rise = b.slope - a.slope;
    (rise > 0.0).then(|| b.step - b.slope * (b.step - a.step) / rise)
}

/// Where the cubic through two places with their slopes has its minimum (Nocedal and Wright 2006, equation 3.59).
fn cubic_minimum(a: Place, b: Place) -> Option<f64> {
    let width = b.step - a.step;
    let d1 = a.slope + b.slope - 3.0 * (b.loss - a.loss) / width;
    let d2 = (d1 * d1 - a.slope * b.slope).sqrt() * width.signum();
    let minimum = b.step - width * (b.slope + d2 - d1) / (b.slope - a.slope + 2.0 * d2);
    minimum.is_finite().then_some(minimum)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Runs a search on a function that gives the loss and the slope; says how it ended and at which steps it looked.
    fn search(
        function: impl Fn(f64) -> (f64, f64),
        first_step: f64,
        max_evaluations: u32,
    ) -> (Place, Found<()>, Vec<f64>) {
        let mut steps = Vec::new();
        let place = |step: f64| {
            let (loss, slope) = function(step);
            Place { step, loss, slope }
        };
        let start = place(0.0);
        let found = strong_wolfe(start, first_step, max_evaluations, &mut |step| {
            steps.push(step);
            Some((place(step), ()))
        });
        (start, found, steps)
    }

    proptest! {
        #[test]
        fn accepted_steps_satisfy_the_strong_wolfe_conditions(
            curvature in 1e-3f64..1e3,
            waves in prop::collection::vec((0.0f64..1.0, 0.1f64..8.0, 0.0f64..6.3), 0..4),
            tilt in 1e-3f64..1e2,
            offset in -10.0f64..10.0,
            first_step in 1e-3f64..1e2,
        ) {
            // A bowl with waves on it, tilted so that it goes down at the start; bounded below.
            let wave_slope: f64 = waves.iter().map(|(height, rate, phase)| -height * rate * phase.sin()).sum();
            let linear = -tilt - wave_slope;
            let function = |t: f64| {
                let mut loss = offset + linear * t + 0.5 * curvature * t * t;
                let mut slope = linear + curvature * t;
                for (height, rate, phase) in &waves {
                    loss += height * (rate * t + phase).cos();
                    slope -= height * rate * (rate * t + phase).sin();
                }
                (loss, slope)
            };
            let (start, found, steps) = search(function, first_step, 60);
            let accepted = match found {
                Found::Wolfe(place, ()) => {
                    prop_assert!(place.slope.abs() <= CURVATURE * start.slope.abs());
                    place
                }
                // Where all that can be gained is less than an f32 loss shows, it may give up; not elsewhere.
                Found::Lower(..) | Found::Nothing { .. } => {
                    let last = steps.last().copied().unwrap_or(0.0);
                    prop_assert!(last * start.slope.abs() <= 1e-6 * start.loss.abs(), "{found:?} after {steps:?}");
                    return Ok(());
                }
                Found::Refused => unreachable!(),
            };
            prop_assert!(accepted.step > 0.0);
            prop_assert!(accepted.loss <= start.loss + DECREASE * accepted.step * start.slope);
            prop_assert_eq!((accepted.loss, accepted.slope), function(accepted.step));
        }

        #[test]
        fn a_parabola_takes_three_trials_wherever_its_bottom_lies(bottom in 0.02f64..9.0) {
            let function = |t: f64| (0.5 * (t - bottom).powi(2), t - bottom);
            let (_, found, steps) = search(function, 1.0, 25);
            prop_assert!(matches!(found, Found::Wolfe(..)) && steps.len() <= 3, "{steps:?}");
        }
    }

    #[test]
    fn what_cannot_be_calculated_lies_too_far() {
        for wall in [0.9, 1e-2, 1e-5] {
            let function = |t: f64| if t < wall { (-t, -1.0) } else { (f64::NAN, f64::NAN) };
            let (_, found, _) = search(function, 1.0, 25);
            let Found::Lower(place, ()) = found else { panic!("{found:?}") };
            assert!(place.step < wall && place.step > 0.9 * wall, "{place:?} before {wall}");
        }
        let (_, found, steps) = search(|t| if t > 0.0 { (f64::INFINITY, 1.0) } else { (1.0, -1.0) }, 1.0, 25);
        assert!(matches!(found, Found::Nothing { was_finite: false }) && steps.len() < 25, "{found:?}");
    }

    #[test]
    fn a_step_that_drowns_in_rounding_is_lengthened() {
        // What f32 would show of a loss of a thousand.
        let function = |t: f64| (f64::from((1000.0 + 0.5 * (t - 5.0).powi(2)) as f32), t - 5.0);
        let (_, found, steps) = search(function, 1e-9, 25);
        let Found::Wolfe(place, ()) = found else { panic!("{found:?} after {steps:?}") };
        assert!((place.step - 5.0).abs() < 5.0 * CURVATURE, "{place:?}");
    }

    #[test]
    fn where_nothing_goes_down_it_says_so() {
        // The slope lies.
        let (_, found, steps) = search(|t| (1.0 + t, -1.0), 1.0, 25);
        assert!(matches!(found, Found::Nothing { was_finite: true }) && steps.len() <= 25, "{steps:?}");
    }

    #[test]
    fn a_refusal_ends_it() {
        let start = Place { step: 0.0, loss: 1.0, slope: -1.0 };
        assert!(matches!(strong_wolfe::<()>(start, 1.0, 25, &mut |_| None), Found::Refused));
    }
}
