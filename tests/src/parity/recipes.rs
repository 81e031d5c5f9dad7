//! The losses of the named recipes, by the formulas of the projects they are named after; and our own style unit and
//! blend of paintings.

use common::loss::{
    LossWeights, PerceptualLoss, PerceptualLossSpec, StyleUnit, WeightedPainting, total_variation_loss,
};
use common::lossnet::{Arch, LossNet};
use common::space::LossInputSpace;
use tch::Tensor;
use trainer::recipe::NamedRecipe;

use super::golden::Golden;
use super::hashed;

const TERM_TOLERANCE: f64 = 5e-5;
const GRADIENT_TOLERANCE: f64 = 1e-4;

fn photo() -> Tensor {
    hashed::bytes("recipes.photo", &[2, 3, 48, 32])
}

fn painted() -> Tensor {
    let blocks = hashed::bytes("recipes.blocks", &[2, 3, 6, 4])
        .repeat_interleave_self_int(8, 2, None)
        .repeat_interleave_self_int(8, 3, None);
    96.0 + blocks / 4.0 + hashed::bytes("recipes.grain.0", &[2, 3, 48, 32]) / 16.0
}

fn painting() -> Tensor {
    hashed::bytes("recipes.painting", &[1, 3, 64, 48])
}

fn loss_net(name: &str, spec: &PerceptualLossSpec) -> LossNet {
    let (arch, space) = match name {
        "vgg19" => (Arch::Vgg19, LossInputSpace::oxford_bgr()),
        "vgg16" => (Arch::Vgg16, LossInputSpace::oxford_bgr()),
        "vgg16-torchvision" => (Arch::Vgg16, LossInputSpace::torchvision_rgb()),
        other => panic!("no golden was made with {other}"),
    };
    LossNet::from_tensors(arch, space, &spec.layers(), hashed::vgg_tensor)
}

/// Checks every term as it stands in the total, and the gradient of the total in the painted picture.
fn check(golden: &Golden, case: &str, loss: &PerceptualLoss) {
    let painted = painted().set_requires_grad(true);
    let terms = loss.evaluate(&painted, &photo());
    let check = |name: &str, value: f64| {
        golden.check(&format!("{case}.{name}"), &Tensor::from(value), TERM_TOLERANCE);
    };
    let spec = loss.spec();
    let values = terms.values(spec);
    check("total", values.total);
    check("content", spec.weights.content * values.content);
    check("style", spec.weights.style * values.style);
    check("tv", spec.weights.total_variation * values.total_variation);
    for (layer, value) in &values.style_layers {
        check(&format!("style.{layer}"), spec.weights.style * spec.style_layers.weight(*layer) * value);
    }

    let gradient = Tensor::run_backward(&[&terms.total], &[&painted], false, false).remove(0);
    golden.check(&format!("{case}.grad.norm"), &gradient.norm(), GRADIENT_TOLERANCE);
    golden.check_sampled_past_ties(&format!("{case}.grad"), &gradient, GRADIENT_TOLERANCE);
}

fn check_recipe(recipe: NamedRecipe) {
    let spec = recipe.recipe().loss;
    let network = loss_net(recipe.loss_net(), &spec);
    let paintings = vec![WeightedPainting::whole(painting(), 1.0)];
    check(&Golden::open("recipes"), recipe.name(), &PerceptualLoss::new(spec, network, paintings));
}

#[test]
fn the_inputs_are_those_of_the_golden_script() {
    let golden = Golden::open("recipes");
    golden.check_head("recipes.photo", &photo());
    golden.check_head("recipes.painting", &painting());
    golden.check_head("recipes.painting.second", &second_painting());
    golden.check_head("recipes.blocks", &hashed::bytes("recipes.blocks", &[2, 3, 6, 4]));
    golden.check_head("recipes.grain.0", &hashed::bytes("recipes.grain.0", &[2, 3, 48, 32]));
    golden.check_head("recipes.batch", &hashed::bytes("recipes.batch", &[16]));
}

#[test]
fn atelier() {
    check_recipe(NamedRecipe::Atelier);
}

#[test]
fn pytorch_examples() {
    check_recipe(NamedRecipe::PytorchExamples);
}

#[test]
fn lengstrom() {
    check_recipe(NamedRecipe::Lengstrom);
}

#[test]
fn jcjohnson() {
    check_recipe(NamedRecipe::Jcjohnson);
}

#[test]
fn jcjohnsons_total_variation_pulls_as_hard_on_a_batch_of_its_size() {
    let recipe = NamedRecipe::Jcjohnson.recipe();
    let side = i64::from(recipe.crop_px);
    let batch = hashed::bytes("recipes.batch", &[recipe.batch as i64, 3, side, side]).set_requires_grad(true);
    let loss = total_variation_loss(&batch) * recipe.loss.weights.total_variation;
    let gradient = Tensor::run_backward(&[&loss], &[&batch], false, false).remove(0);
    // The original leaves out differences within the last row and column.
    let inside = gradient.narrow(2, 0, side - 1).narrow(3, 0, side - 1);
    Golden::open("recipes").check_sampled("jcjohnson.tv.grad", &inside, GRADIENT_TOLERANCE);
}

fn second_painting() -> Tensor {
    hashed::bytes("recipes.painting.second", &[1, 3, 48, 80])
}

/// Unequal weights wherever there can be any.
fn unequal(style_unit: StyleUnit) -> PerceptualLossSpec {
    PerceptualLossSpec {
        style_unit,
        weights: LossWeights { content: 2.0, style: 3e4, total_variation: 10.0 },
        content_layers: "relu3_2=0.5,relu4_2=2".parse().unwrap(),
        style_layers: "relu1_1=0.25,relu2_1=2,relu3_1,relu4_1=3,relu5_1=0.5".parse().unwrap(),
        ..PerceptualLossSpec::default()
    }
}

fn check_unequal(case: &str, style_unit: StyleUnit, paintings: Vec<WeightedPainting>) {
    let spec = unequal(style_unit);
    let network = loss_net("vgg19", &spec);
    check(&Golden::open("recipes"), case, &PerceptualLoss::new(spec, network, paintings));
}

#[test]
fn style_in_the_paintings_unit() {
    check_unequal("painting", StyleUnit::Painting, vec![WeightedPainting::whole(painting(), 1.0)]);
}

/// The golden gradient is that of the weighted sum of both paintings' losses, the golden value that of their blend.
#[test]
fn a_blend_of_paintings_pulls_like_all_of_them() {
    let paintings =
        || vec![WeightedPainting::whole(painting(), 1.0), WeightedPainting::whole(second_painting(), 3.0)];
    check_unequal("blend.raw", StyleUnit::Raw, paintings());
    check_unequal("blend.painting", StyleUnit::Painting, paintings());
}
