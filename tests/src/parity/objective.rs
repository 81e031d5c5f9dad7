//! One whole training objective: every term, and the gradient with respect to every parameter.

use common::loss::{PerceptualLoss, WeightedPainting};
use common::lossnet::{Vgg, VggArch};
use common::net::{NetConfig, Parameters, StyleNet};
use common::space::LossInputSpace;
use tch::{Device, Tensor};
use trainer::recipe::NamedRecipe;

use super::golden::{Golden, largest};
use super::hashed;

#[test]
fn the_total_loss_and_its_gradient() {
    let golden = Golden::open("step");
    let config = NetConfig { width: 8, ..NetConfig::default() };
    let parameters = Parameters::from_named(&config, &hashed::net_tensors(&config), Device::Cpu).trainable();
    let net = StyleNet::new(config, parameters);
    let spec = NamedRecipe::Lengstrom.recipe().loss;
    let vgg =
        Vgg::from_tensors(VggArch::Vgg19, LossInputSpace::oxford_bgr(), &spec.layers(), hashed::vgg_tensor);
    let loss = {
        let byte_rgb = hashed::bytes("step.style", &[1, 3, 40, 36]);
        PerceptualLoss::new(spec, vgg, &[WeightedPainting { byte_rgb, weight: 1.0 }])
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
    check_gradient(&golden, net.parameters(), &gradient);
}

fn check_gradient(golden: &Golden, parameters: &Parameters, gradient: &Tensor) {
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
    assert!(relative_error < 1e-4, "the gradient is off by {relative_error:.1e} of its norm");
}
