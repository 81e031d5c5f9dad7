use proptest::prelude::*;
use tch::{Kind, Tensor};

use super::*;

/// A function by its loss and gradient in f64, as `evaluate` wants it; counts its calls.
struct Objective<F> {
    function: F,
    calls: u32,
    allowed: u32,
}

impl<F: Fn(&[f64]) -> (f64, Vec<f64>)> Objective<F> {
    fn new(function: F) -> Self {
        Self { function, calls: 0, allowed: u32::MAX }
    }

    fn evaluate(&mut self, point: &Tensor) -> Option<Evaluation> {
        if self.calls == self.allowed {
            return None;
        }
        self.calls += 1;
        let (loss, gradient) = (self.function)(&values(point));
        Some(Evaluation { loss, gradient: Tensor::from_slice(&gradient).to_kind(Kind::Float) })
    }

    /// Steps until an outcome is not `Moved`, at most so often.
    fn run(&mut self, lbfgs: &mut Lbfgs, parameters: &Tensor, iterations: usize) -> LbfgsStep {
        let mut last = LbfgsStep { loss: f64::NAN, outcome: LbfgsOutcome::Moved };
        for _ in 0..iterations {
            last = lbfgs.step(parameters, &mut |point| self.evaluate(point));
            if last.outcome != LbfgsOutcome::Moved {
                break;
            }
        }
        last
    }
}

fn values(tensor: &Tensor) -> Vec<f64> {
    Vec::<f64>::try_from(tensor.to_kind(Kind::Double)).unwrap()
}

fn rosenbrock(x: &[f64]) -> (f64, Vec<f64>) {
    let (mut loss, mut gradient) = (0.0, vec![0.0; x.len()]);
    for i in 0..x.len() - 1 {
        let (valley, level) = (x[i + 1] - x[i] * x[i], 1.0 - x[i]);
        loss += 100.0 * valley * valley + level * level;
        gradient[i] -= 400.0 * x[i] * valley + 2.0 * level;
        gradient[i + 1] += 200.0 * valley;
    }
    (loss, gradient)
}

/// `Σ (x_i - i)² c_i / 2 + 1`.
fn bowl(curvatures: &[f64]) -> impl Fn(&[f64]) -> (f64, Vec<f64>) {
    move |x| {
        let gradient: Vec<f64> =
            x.iter().zip(curvatures).enumerate().map(|(i, (x, c))| (x - i as f64) * c).collect();
        let loss = 1.0
            + x.iter().zip(&gradient).enumerate().map(|(i, (x, g))| 0.5 * (x - i as f64) * g).sum::<f64>();
        (loss, gradient)
    }
}

fn ones(count: usize) -> Tensor {
    Tensor::ones([count as i64], tch::kind::FLOAT_CPU)
}

fn config() -> LbfgsConfig {
    LbfgsConfig::default()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn a_bowl_takes_about_as_many_iterations_as_it_has_dimensions(
        curvatures in prop::collection::vec(0.1f64..10.0, 1..12),
    ) {
        let parameters = Tensor::full([curvatures.len() as i64], -1.0, tch::kind::FLOAT_CPU);
        let mut lbfgs = Lbfgs::new(config(), &parameters);
        let mut objective = Objective::new(bowl(&curvatures));
        let start = bowl(&curvatures)(&values(&parameters)).0;
        let end = objective.run(&mut lbfgs, &parameters, 2 * curvatures.len() + 4);
        prop_assert!(end.loss - 1.0 < 1e-3 * (start - 1.0), "{} of {start}", end.loss);
        prop_assert!(objective.calls as usize <= 3 * curvatures.len() + 8, "{}", objective.calls);
    }

    #[test]
    fn with_a_line_search_the_loss_never_rises_and_is_that_of_the_parameters(
        start in prop::collection::vec(-2.0f64..2.0, 2..8), history in 0usize..6,
    ) {
        let parameters = Tensor::from_slice(&start).to_kind(Kind::Float);
        let mut lbfgs = Lbfgs::new(LbfgsConfig { history, ..config() }, &parameters);
        let mut objective = Objective::new(rosenbrock);
        let mut last = f64::INFINITY;
        for _ in 0..20 {
            let step = objective.run(&mut lbfgs, &parameters, 1);
            prop_assert!(step.loss <= last, "{} after {last}", step.loss);
            prop_assert_eq!(step.loss, rosenbrock(&values(&parameters)).0);
            last = step.loss;
        }
    }
}

#[test]
fn rosenbrocks_valley_is_followed_to_its_end() {
    let parameters = Tensor::from_slice(&[-1.2f32, 1.0].repeat(5));
    let mut lbfgs = Lbfgs::new(config(), &parameters);
    let mut objective = Objective::new(rosenbrock);
    let end = objective.run(&mut lbfgs, &parameters, 200);
    assert!(end.loss < 1e-6 && objective.calls < 150, "{} after {} calls", end.loss, objective.calls);
    let LbfgsOutcome::Converged(_) = end.outcome else { panic!("{end:?}") };
}

#[test]
fn an_iteration_costs_about_one_evaluation() {
    let curvatures: Vec<f64> = (1..=40).map(f64::from).collect();
    let parameters = -ones(40);
    let mut lbfgs = Lbfgs::new(config(), &parameters);
    let mut objective = Objective::new(bowl(&curvatures));
    assert_eq!(objective.run(&mut lbfgs, &parameters, 20).outcome, LbfgsOutcome::Moved);
    assert!(objective.calls <= 26, "{}", objective.calls);
}

#[test]
fn a_wall_of_nan_is_kept_away_from() {
    // The bottom lies just before the wall.
    let function = |x: &[f64]| {
        let (loss, gradient) = rosenbrock(x);
        if x[0] > 1.05 { (f64::NAN, vec![f64::NAN; 2]) } else { (loss, gradient) }
    };
    let parameters = Tensor::from_slice(&[-1.2f32, 1.0]);
    let mut lbfgs = Lbfgs::new(LbfgsConfig { learning_rate: 4.0, ..config() }, &parameters);
    let end = Objective::new(function).run(&mut lbfgs, &parameters, 200);
    assert!(end.loss < 1e-4, "{end:?}");

    // Nothing is finite anywhere else: the parameters stay.
    for line_search in [LineSearch::StrongWolfe, LineSearch::Fixed] {
        let parameters = ones(2);
        let function = |x: &[f64]| {
            if x == [1.0, 1.0] { (3.0, vec![1.0, 2.0]) } else { (f64::INFINITY, vec![f64::NAN; 2]) }
        };
        let mut lbfgs = Lbfgs::new(LbfgsConfig { line_search, ..config() }, &parameters);
        let step = Objective::new(function).run(&mut lbfgs, &parameters, 1);
        assert_eq!(step, LbfgsStep { loss: 3.0, outcome: LbfgsOutcome::NotFinite });
        assert_eq!(values(&parameters), [1.0, 1.0]);
    }

    // Nor is it here.
    for (loss, slope) in [(f64::NAN, 1.0), (1.0, f64::NAN), (1.0, f64::INFINITY)] {
        let mut objective = Objective::new(move |_: &[f64]| (loss, vec![slope, 1.0]));
        let step = objective.run(&mut Lbfgs::new(config(), &ones(2)), &ones(2), 1);
        assert_eq!(step.outcome, LbfgsOutcome::NotFinite);
        assert_eq!(objective.calls, 1);
    }
}

#[test]
fn refused_it_is_at_the_lowest_loss_that_was_seen() {
    for allowed in 0..45 {
        let parameters = Tensor::from_slice(&[-1.2f32, 1.0]);
        let lowest = std::cell::Cell::new(f64::INFINITY);
        let function = |x: &[f64]| {
            let (loss, gradient) = rosenbrock(x);
            lowest.set(lowest.get().min(loss));
            (loss, gradient)
        };
        // Too long at first, so that there are trials that come out higher.
        let mut lbfgs = Lbfgs::new(LbfgsConfig { learning_rate: 3.0, ..config() }, &parameters);
        let mut objective = Objective { function, calls: 0, allowed };
        let end = objective.run(&mut lbfgs, &parameters, 200);
        if allowed == 0 {
            assert!(end.outcome == LbfgsOutcome::Refused && end.loss.is_nan());
            continue;
        }
        assert_eq!(end.outcome, LbfgsOutcome::Refused, "after {allowed}");
        assert_eq!(end.loss, lowest.get(), "after {allowed}");
        assert_eq!(end.loss, rosenbrock(&values(&parameters)).0, "after {allowed}");

        // And may go on from there.
        objective.allowed += 100;
        let on = objective.run(&mut lbfgs, &parameters, 2);
        assert!(on.loss < end.loss, "{} after {}", on.loss, end.loss);
    }
}

#[test]
fn restarted_it_knows_nothing_of_another_objective() {
    let parameters = -ones(6);
    let mut lbfgs = Lbfgs::new(config(), &parameters);
    Objective::new(bowl(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0])).run(&mut lbfgs, &parameters, 4);
    lbfgs.restart();
    let fresh_parameters = parameters.copy();
    let mut fresh = Lbfgs::new(config(), &fresh_parameters);
    let steep = [900.0, 2.0, 0.1, 40.0, 7.0, 1.0];
    let again = Objective::new(bowl(&steep)).run(&mut lbfgs, &parameters, 8);
    let afresh = Objective::new(bowl(&steep)).run(&mut fresh, &fresh_parameters, 8);
    assert_eq!(again, afresh);
    assert!(parameters.equal(&fresh_parameters));
}

#[test]
fn a_history_that_misleads_is_forgotten_once() {
    let bowl = bowl(&[1.0, 10.0, 50.0]);
    let parameters = -ones(3);
    let mut lbfgs = Lbfgs::new(config(), &parameters);
    Objective::new(&bowl).run(&mut lbfgs, &parameters, 3);
    // From now on everything but the way down the gradient leads up.
    let mut step_down_the_gradient_alone = || {
        let here = values(&parameters);
        let down = bowl(&here).1; // by sign, up
        let function = |x: &[f64]| {
            let (loss, gradient) = bowl(x);
            let way: Vec<f64> = x.iter().zip(&here).map(|(x, here)| x - here).collect();
            let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
            let cosine = -dot(&way, &down) / dot(&way, &way).sqrt() / dot(&down, &down).sqrt();
            if cosine < 0.99 { (1e9, gradient) } else { (loss, gradient) }
        };
        let before = bowl(&here).0;
        (before, Objective::new(function).run(&mut lbfgs, &parameters, 1))
    };
    let (before, step) = step_down_the_gradient_alone();
    assert!(step.outcome == LbfgsOutcome::Restarted && step.loss < before, "{step:?} from {before}");
    let (before, step) = step_down_the_gradient_alone();
    assert_eq!(step, LbfgsStep { loss: before, outcome: LbfgsOutcome::Converged(Convergence::Stalled) });
    // Asked again it tries down the gradient.
    let (before, step) = step_down_the_gradient_alone();
    assert!(step.outcome == LbfgsOutcome::Moved && step.loss < before, "{step:?} from {before}");
}

#[test]
fn tolerances_end_it() {
    let run = |config: LbfgsConfig| {
        let parameters = Tensor::from_slice(&[-1.2f32, 1.0]);
        let mut objective = Objective::new(rosenbrock);
        let outcome = objective.run(&mut Lbfgs::new(config, &parameters), &parameters, 200).outcome;
        let largest = rosenbrock(&values(&parameters)).1.iter().fold(0.0f64, |most, x| most.max(x.abs()));
        (outcome, largest, objective.calls)
    };
    let (outcome, largest, calls) = run(LbfgsConfig { tolerance_grad: 0.5, ..config() });
    assert_eq!(outcome, LbfgsOutcome::Converged(Convergence::Gradient));
    assert!(largest <= 0.5, "{largest}");
    let (outcome, _, calls_by_change) = run(LbfgsConfig { tolerance_change: 0.1, ..config() });
    assert_eq!(outcome, LbfgsOutcome::Converged(Convergence::Loss));
    let (_, _, calls_of_none) = run(LbfgsConfig { tolerance_change: 0.0, ..config() });
    assert!(calls < calls_of_none && calls_by_change < calls_of_none);
}

#[test]
fn a_configuration_is_read_as_it_is_written() {
    let written = r#"{"history":100,"line_search":"strong_wolfe","learning_rate":1.0,"tolerance_grad":0.0,"tolerance_change":1e-7,"max_line_search_evaluations":25}"#;
    assert_eq!(serde_json::to_string(&config()).unwrap(), written);
    assert_eq!(serde_json::from_str::<LbfgsConfig>(written).unwrap(), config());
    assert!(serde_json::from_str::<LbfgsConfig>(&written.replace("history", "memory")).is_err());
}

#[test]
fn without_search_each_step_is_the_learning_rate() {
    let fixed = LbfgsConfig { line_search: LineSearch::Fixed, learning_rate: 0.5, ..config() };
    let parameters = Tensor::from_slice(&[10.0f32, -20.0]);
    let mut lbfgs = Lbfgs::new(fixed, &parameters);
    let mut objective = Objective::new(|x: &[f64]| (x[0] * x[0] + x[1] * x[1], vec![2.0 * x[0], 2.0 * x[1]]));
    // First half of one, shared out as the gradient is, then half of the way that Newton would go.
    objective.run(&mut lbfgs, &parameters, 1);
    let first = values(&parameters);
    assert!((first[0] - (10.0 - 0.5 / 3.0)).abs() < 1e-5 && (first[1] - (-20.0 + 1.0 / 3.0)).abs() < 1e-5);
    objective.run(&mut lbfgs, &parameters, 1);
    for (before, after) in first.iter().zip(values(&parameters)) {
        assert!((after - 0.5 * before).abs() < 1e-3 * before.abs(), "{before} to {after}");
    }
    assert_eq!(objective.calls, 3);
    let end = objective.run(&mut lbfgs, &parameters, 40);
    assert!(end.loss < 1e-4, "{end:?}");
}
