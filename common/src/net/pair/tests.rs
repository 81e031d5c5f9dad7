use proptest::prelude::*;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use tch::{Device, Kind, Tensor};

use super::{PairNet, PairNetConfig};
use crate::optim::{Adam, AdamConfig};

const SMALL: PairNetConfig = PairNetConfig { width: 4, blocks: 1 };

fn uniform(seed: u64, shape: &[i64]) -> Tensor {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let count: i64 = shape.iter().product();
    let values: Vec<f32> = (0..count).map(|_| rng.random()).collect();
    Tensor::from_slice(&values).view(shape)
}

fn photo(height: i64, width: i64) -> Tensor {
    uniform(1, &[1, 3, height, width]) * 255.0
}

/// A network that has left its start, so that every parameter counts.
fn moved_net() -> PairNet {
    let net = PairNet::new(SMALL, 2, Device::Cpu);
    let mut flat = net.flat().shallow_clone(); // the same memory: += moves the network
    flat += (uniform(3, &net.flat().size()) - 0.5) * 0.2;
    net
}

fn number(x: &Tensor) -> f64 {
    x.double_value(&[])
}

#[test]
fn a_fresh_network_paints_the_photo_itself() {
    for config in [SMALL, PairNetConfig::default(), PairNetConfig { width: 2, blocks: 0 }] {
        let photo = photo(17, 22);
        assert!(PairNet::new(config, 5, Device::Cpu).forward(&photo).equal(&photo), "{config:?}");
    }
}

#[test]
fn a_seed_determines_every_parameter() {
    let [a, b, other] = [7, 7, 8].map(|seed| PairNet::new(SMALL, seed, Device::Cpu));
    assert!(a.flat().equal(b.flat()));
    assert!(!a.flat().equal(other.flat()));
}

#[test]
fn the_gradient_is_that_of_autograd() {
    let (net, photo) = (moved_net(), photo(14, 18));
    let wanted = uniform(4, &photo.size()) * 255.0;
    let loss = (net.forward(&photo) - &wanted).square().mean(Kind::Float);
    let expected = net.parameters.gradient_of(&loss);
    let output = net.forward(&photo);
    let output_gradient = (&output - &wanted) * (2.0 / wanted.numel() as f64);
    let gradient = net.gradient(&output, &output_gradient);
    assert_eq!(gradient.size(), net.flat().size());
    let error = number(&(&gradient - &expected).norm()) / number(&expected.norm());
    assert!(error < 1e-5, "off by {error}");
}

#[test]
fn every_layer_has_a_say() {
    let (net, photo) = (moved_net(), photo(16, 16));
    let gradient = net.gradient(&net.forward(&photo), &uniform(4, &photo.size()));
    let mut offset = 0;
    for (name, leaf) in net.parameters.named() {
        let length = leaf.numel() as i64;
        let largest = number(&gradient.narrow(0, offset, length).abs().max());
        offset += length;
        // What a convolution adds to all pixels, the norm behind it takes away.
        let is_undone = name.ends_with("conv2d.bias") && name != "last.conv2d.bias";
        assert!(is_undone || largest > 1e-3, "{name}: {largest}");
    }
    assert_eq!(offset, gradient.size()[0]);
}

#[test]
fn it_learns_to_paint_the_negative() {
    let net = PairNet::new(SMALL, 9, Device::Cpu);
    let photo = photo(16, 20);
    let negative = 255.0 - &photo;
    let mut adam = Adam::new(AdamConfig::default(), net.flat());
    let mut errors = Vec::new();
    for _ in 0..50 {
        let output = net.forward(&photo);
        let error = output.detach() - &negative;
        errors.push(number(&error.square().mean(Kind::Float)));
        adam.step(net.flat(), &net.gradient(&output, &error), 3e-2);
    }
    let last = errors.last().expect("50 of them");
    assert!(*last < 0.1 * errors[0], "from {} to {last}", errors[0]);
}

#[test]
fn a_configuration_may_be_brief_but_not_misspelt() {
    let read = |json| serde_json::from_str::<PairNetConfig>(json);
    assert_eq!(read(r#"{"width":8}"#).unwrap(), PairNetConfig { width: 8, ..PairNetConfig::default() });
    assert!(read(r#"{"wide":8}"#).is_err());
    assert!(PairNetConfig { width: 0, blocks: 1 }.validate().is_err());
    assert!(PairNetConfig::default().validate().is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10))]
    #[test]
    fn the_painting_has_the_photos_size(height in 1i64..50, width in 1i64..50) {
        let painted = moved_net().forward(&photo(height, width));
        prop_assert_eq!(painted.size(), [1, 3, height, width]);
        prop_assert_eq!(number(&painted.isfinite().all()), 1.0);
    }
}
