//! Each loss, and Adam.

use common::loss::{Reduction, StyleStatistic, content_loss, total_variation_loss};
use common::optim::{Adam, AdamConfig};
use tch::{Kind, Tensor};

use super::golden::Golden;
use super::hashed;

const TOLERANCE: f64 = 3e-6;

fn feature_map(name: &str) -> Tensor {
    hashed::centred(name, &[2, 6, 7, 9], 1.0)
}

/// Checks a scalar and its gradient with respect to `input`.
fn check_with_gradient(golden: &Golden, name: &str, input: &Tensor, loss: impl Fn(&Tensor) -> Tensor) {
    let input = input.shallow_clone().set_requires_grad(true);
    let value = loss(&input);
    golden.check(&format!("{name}.value"), &value, TOLERANCE);
    let gradient = Tensor::run_backward(&[&value], &[&input], false, false).remove(0);
    golden.check(&format!("{name}.grad"), &gradient, TOLERANCE);
}

#[test]
fn content_style_and_total_variation_with_their_gradients() {
    let golden = Golden::open("losses");
    let (x, y) = (feature_map("losses.x"), feature_map("losses.y"));
    golden.check_head("losses.x", &x);
    check_with_gradient(&golden, "content", &x, |x| content_loss(x, &y, Reduction::Mean));
    let gram = |features: &Tensor| StyleStatistic::Gram.measure(features, None);
    let target = gram(&y.narrow(0, 0, 1));
    check_with_gradient(&golden, "style", &x, |x| StyleStatistic::Gram.distance(&gram(x), &target));
    let picture = hashed::bytes("losses.picture", &[2, 3, 9, 11]);
    check_with_gradient(&golden, "tv", &picture, total_variation_loss);
}

#[test]
fn gram_matrix_with_its_gradient() {
    let golden = Golden::open("losses");
    let x = feature_map("losses.x").set_requires_grad(true);
    let gram = StyleStatistic::Gram.measure(&x, None);
    golden.check("gram.value", &gram, TOLERANCE);
    let projected = (&gram * hashed::centred("losses.cotangent", &[2, 6, 6], 1.0)).sum(Kind::Float);
    let gradient = Tensor::run_backward(&[&projected], &[&x], false, false).remove(0);
    golden.check("gram.grad", &gradient, TOLERANCE);
}

#[test]
fn adam_follows_pytorchs_path() {
    let golden = Golden::open("adam");
    for (case, gradient_std) in [("plain", 0.5), ("tiny", 1e-7)] {
        let parameters = hashed::centred("adam.param", &[257], 0.1);
        let mut adam = Adam::new(AdamConfig::default(), &parameters);
        for step in 1..=5 {
            let gradient = hashed::centred(&format!("adam.{case}.grad.{step}"), &[257], gradient_std);
            adam.step(&parameters, &gradient, 1e-2);
            if matches!(step, 1 | 5) {
                golden.check(&format!("{case}.step{step}.param"), &parameters, TOLERANCE);
                golden.check(&format!("{case}.step{step}.exp_avg"), &adam.state().first_moment, TOLERANCE);
                golden.check(
                    &format!("{case}.step{step}.exp_avg_sq"),
                    &adam.state().second_moment,
                    TOLERANCE,
                );
            }
        }
    }
}
