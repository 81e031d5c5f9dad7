//! One whole training objective: every term, and the gradient with respect to every parameter.

use common::loss::{PerceptualLoss, WeightedPainting};
use common::lossnet::{Arch, LossNet};
use common::net::{NetConfig, Parameters, StyleNet};
use common::precision::Precision;
use common::space::{LossInputSpace, byte_rgb_from_picture};
use tch::{Device, Tensor};
use trainer::recipe::{NamedRecipe, Recipe};

use super::golden::{Golden, largest};
use super::hashed;
use crate::support::{real_vgg19, scenes};

#[test]
fn the_total_loss_and_its_gradient() {
    let golden = Golden::open("step");
    let config = NetConfig { width: 8, ..NetConfig::default() };
    let parameters = Parameters::from_named(&config, &hashed::net_tensors(&config), Device::Cpu).trainable();
    let net = StyleNet::new(config, parameters);
    let spec = NamedRecipe::Lengstrom.recipe().loss;
    let vgg =
        LossNet::from_tensors(Arch::Vgg19, LossInputSpace::oxford_bgr(), &spec.layers(), hashed::vgg_tensor);
    let loss = {
        let byte_rgb = hashed::bytes("step.style", &[1, 3, 40, 36]);
        PerceptualLoss::new(spec, vgg, vec![WeightedPainting::whole(byte_rgb, 1.0)])
    };

    let photo = hashed::bytes("step.batch.22", &[2, 3, 32, 32]);
    golden.check_head("step.batch.22", &photo);
    let painted = net.forward(&photo);
    golden.check("output", &painted, 5e-5);
    let terms = loss.evaluate(&painted, &photo);
    golden.check("term.content", &terms.content[0].1, 5e-5);
    for (layer, style) in &terms.style {
        golden.check(&format!("term.style.{layer}"), style, 5e-5);
    }
    golden.check("term.tv", &terms.total_variation, 5e-5);
    golden.check("term.total", &terms.total, 5e-5);

    let gradient = net.parameters().gradient_of(&terms.total);
    check_gradient(&golden, net.parameters(), &gradient, 1e-4);

    // The pass that trains. Winograd's convolutions keep a digit less than direct ones: 2.2e-4 was measured.
    let (painted, recording) = net.record(&photo, Precision::F32);
    golden.check("output", &painted, 5e-5);
    let (terms, painted_gradient) = loss.evaluate_with_gradient(&painted, &photo, Precision::F32);
    golden.check("term.total", &terms.total, 5e-5);
    let gradient = recording.backward(&painted_gradient);
    check_gradient(&golden, net.parameters(), &gradient, 5e-4);
}

#[test]
fn in_bf16_the_default_objective_leads_the_same_way() {
    let Some(weights) = real_vgg19("in_bf16_the_default_objective_leads_the_same_way") else { return };
    let spec = Recipe::default().loss;
    let vgg = LossNet::load(&weights, &spec.layers(), Device::Cpu).unwrap();
    let picture = |seed: u64| byte_rgb_from_picture(&scenes::rectangles(96, 96, seed), Device::Cpu);
    let loss = PerceptualLoss::new(spec, vgg, vec![WeightedPainting::whole(picture(1), 1.0)]);
    // From a photo on its way to the painting: half the one, half the other, and some grain.
    let photo = picture(2);
    let painted = (&photo + picture(1)) * 0.5 + hashed::centred("bf16.grain", &[1, 3, 96, 96], 8.0);
    let [(exact, exact_gradient), (rough, rough_gradient)] = [Precision::F32, Precision::Bf16]
        .map(|precision| loss.evaluate_with_gradient(&painted, &photo, precision));
    let (exact, rough) = (exact.total.double_value(&[]), rough.total.double_value(&[]));
    assert!((rough / exact - 1.0).abs() < 0.02, "{rough} and {exact}");
    let norm = |x: &Tensor| x.norm().double_value(&[]);
    let product = (&exact_gradient * &rough_gradient).sum(tch::Kind::Double).double_value(&[]);
    let cosine = product / norm(&exact_gradient) / norm(&rough_gradient);
    assert!(cosine > 0.99, "cosine {cosine}");
}

fn check_gradient(golden: &Golden, parameters: &Parameters, gradient: &Tensor, tolerance: f64) {
    let golden_norm: f64 = golden.metadata("grad_norm").parse().expect("a number");
    let mut squared_error = 0.0;
    let mut offset = 0;
    for (name, parameter) in parameters.named() {
        let count = parameter.numel() as i64;
        let found = gradient.narrow(0, offset, count).view(parameter.size().as_slice());
        offset += count;
        let expected = golden.tensor(&format!("grad.{name}"));
        let difference = &found - &expected;
        squared_error += difference.square().sum(tch::Kind::Double).double_value(&[]);
        if largest(&expected) == 0.0 {
            // A bias in front of an instance norm has no effect; float32 leaves some noise.
            assert!(largest(&found) <= 1e-6 * golden_norm, "{name}: {:e}", largest(&found));
        } else {
            golden.check(&format!("grad.{name}"), &found, 1e-3);
        }
    }
    assert_eq!(offset, gradient.size()[0], "every parameter was compared");
    let relative_error = squared_error.sqrt() / golden_norm;
    assert!(relative_error < tolerance, "the gradient is off by {relative_error:.1e} of its norm");
}
