//! L-BFGS gets as far as PyTorch's in as many evaluations.

use common::loss::{LossWeights, PerceptualLoss, PerceptualLossSpec, StyleUnit, WeightedPainting};
use common::lossnet::{Arch, LossNet};
use common::optim::{Evaluation, Lbfgs, LbfgsConfig, LineSearch};
use common::precision::Precision;
use common::space::LossInputSpace;
use tch::{Kind, Tensor};

use super::golden::Golden;
use super::hashed;

/// What ours may end above PyTorch's best.
const ALLOWED: f64 = 1.02;

/// A case of the golden script.
struct Case {
    tag: &'static str,
    sides: [i64; 2],
    weights: LossWeights,
}

const GATYS: Case = Case {
    tag: "lbfgs",
    sides: [40, 48],
    weights: LossWeights { content: 1.0, style: 1e2, total_variation: 1e-2 },
};
const WIDE: Case = Case {
    tag: "lbfgs.wide",
    sides: [32, 64],
    weights: LossWeights { content: 1e-1, style: 1e3, total_variation: 1e-1 },
};

/// The picture optimised with this many evaluations; the losses of all of them, and the last iteration's.
fn optimise(case: &Case, config: LbfgsConfig, evaluations: usize) -> (Vec<f64>, f64) {
    let spec = PerceptualLossSpec {
        style_unit: StyleUnit::Raw,
        weights: case.weights,
        content_layers: "relu4_2".parse().expect("a layer"),
        style_layers: "relu1_1,relu2_1,relu3_1,relu4_1".parse().expect("layers"),
        ..PerceptualLossSpec::default()
    };
    let vgg =
        LossNet::from_tensors(Arch::Vgg19, LossInputSpace::oxford_bgr(), &spec.layers(), hashed::vgg_tensor);
    let [height, width] = case.sides;
    let picture = |name: &str, more: i64| {
        hashed::bytes(&format!("{}.{name}", case.tag), &[1, 3, height + more, width + more])
    };
    let painting = WeightedPainting::whole(picture("style", 4), 1.0);
    let loss = PerceptualLoss::new(spec, vgg, vec![painting]);
    let photo = picture("content", 0);
    let parameters = picture("start", 0).reshape([-1]);

    let mut losses = Vec::new();
    let mut lbfgs = Lbfgs::new(config, &parameters);
    loop {
        let step = lbfgs.step(&parameters, &mut |point| {
            if losses.len() == evaluations {
                return None;
            }
            let point = point.view([1, 3, height, width]);
            let (terms, gradient) = loss.evaluate_with_gradient(&point, &photo, Precision::F32);
            losses.push(terms.total.double_value(&[]));
            Some(Evaluation { loss: losses[losses.len() - 1], gradient: gradient.reshape([-1]) })
        });
        if losses.len() == evaluations {
            return (losses, step.loss);
        }
    }
}

/// PyTorch's loss at each evaluation.
fn golden_losses(golden: &Golden, name: &str) -> Vec<f64> {
    Vec::<f64>::try_from(golden.tensor(name).to_kind(Kind::Double)).expect("numbers")
}

fn lowest(losses: &[f64]) -> f64 {
    losses.iter().copied().fold(f64::INFINITY, f64::min)
}

#[track_caller]
fn check(case: &Case, name: &str, line_search: LineSearch) {
    let golden = Golden::open("lbfgs");
    let start = hashed::bytes(&format!("{}.start", case.tag), &[1, 3, case.sides[0], case.sides[1]]);
    golden.check_head(&format!("{}.start", case.tag), &start);
    let theirs = golden_losses(&golden, name);
    let config = LbfgsConfig { line_search, tolerance_change: 0.0, ..LbfgsConfig::default() };
    let (ours, last) = optimise(case, config, theirs.len());
    assert!((ours[0] / theirs[0] - 1.0).abs() < 5e-5, "the same objective: {} and {}", ours[0], theirs[0]);
    let reached = if line_search == LineSearch::Fixed { lowest(&ours) } else { last };
    assert!(reached <= ALLOWED * lowest(&theirs), "{name}: {reached}, PyTorch's {}", lowest(&theirs));
}

#[test]
fn a_picture_with_line_search() {
    check(&GATYS, "gatys", LineSearch::StrongWolfe);
    check(&WIDE, "gatys.wide", LineSearch::StrongWolfe);
}

#[test]
fn a_picture_without_line_search() {
    check(&GATYS, "gatys.fixed", LineSearch::Fixed);
    check(&WIDE, "gatys.wide.fixed", LineSearch::Fixed);
}

#[test]
fn rosenbrocks_valley_in_ten_dimensions() {
    let theirs = golden_losses(&Golden::open("lbfgs"), "rosenbrock");
    let parameters = Tensor::from_slice(&[-1.2f32, 1.0].repeat(5));
    let config = LbfgsConfig { tolerance_change: 0.0, ..LbfgsConfig::default() };
    let (mut lbfgs, mut ours) = (Lbfgs::new(config, &parameters), Vec::new());
    let mut last = f64::INFINITY;
    while ours.len() < theirs.len() {
        last = lbfgs
            .step(&parameters, &mut |point| {
                if ours.len() == theirs.len() {
                    return None;
                }
                let point = point.to_kind(Kind::Double).set_requires_grad(true);
                let (before, after) = (point.narrow(0, 0, 9), point.narrow(0, 1, 9));
                let valley = (after - before.square()).square() * 100.0 + (before - 1.0).square();
                let loss = valley.sum(Kind::Double);
                let gradient = Tensor::run_backward(&[&loss], &[&point], false, false).remove(0);
                ours.push(loss.double_value(&[]));
                Some(Evaluation { loss: ours[ours.len() - 1], gradient: gradient.to_kind(Kind::Float) })
            })
            .loss;
    }
    assert!((ours[0] / theirs[0] - 1.0).abs() < 1e-6);
    // Along the valley the loss falls by a fifth with each evaluation, so that evaluations are what can be compared.
    for level in [1.0, 1e-3, 1e-6] {
        let [ours, theirs] =
            [&ours, &theirs].map(|losses| losses.iter().take_while(|&&loss| loss > level).count() as f64);
        assert!(ours <= 1.05 * theirs, "{ours} evaluations to {level:e}, PyTorch {theirs}");
    }
    // At the bottom f32 parameters leave some noise.
    let bottom = lowest(&theirs).max(1e-10);
    assert!(last <= ALLOWED * bottom, "{last}, PyTorch's {}", lowest(&theirs));
}
