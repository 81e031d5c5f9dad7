//! Numbers that look random and are the same in Python and Rust: splitmix64 of a tensor's name and an element's place.

use std::collections::BTreeMap;

use common::net::{NetConfig, Parameters};
use tch::Tensor;

fn fnv1a64(name: &str) -> u64 {
    name.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

fn splitmix64(x: u64) -> u64 {
    let mut z = x.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

fn words(name: &str, shape: &[i64]) -> impl Iterator<Item = u64> {
    let start = fnv1a64(name).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (0..shape.iter().product::<i64>() as u64).map(move |index| splitmix64(start.wrapping_add(index)))
}

/// Whole numbers 0..255.
pub(super) fn bytes(name: &str, shape: &[i64]) -> Tensor {
    let values: Vec<f32> = words(name, shape).map(|word| (word >> 56) as f32).collect();
    Tensor::from_slice(&values).view(shape)
}

/// Uniform, of mean 0 and this standard deviation.
pub(super) fn centred(name: &str, shape: &[i64], std: f64) -> Tensor {
    let width = (12f64.sqrt() * std) as f32;
    let values: Vec<f32> =
        words(name, shape).map(|word| ((word >> 40) as f32 / 16_777_216.0 - 0.5) * width).collect();
    Tensor::from_slice(&values).view(shape)
}

/// A weight or a bias of a VGG.
pub(super) fn vgg_tensor(name: &str, shape: &[i64]) -> Tensor {
    let fan_in: i64 = shape[1..].iter().product();
    let std = if shape.len() == 1 { 0.05 } else { (2.0 / fan_in as f64).sqrt() };
    centred(name, shape, std)
}

/// A weight of a network of convolutions with batch norms, or a part of such a norm.
pub(crate) fn backbone_tensor(name: &str, shape: &[i64]) -> Tensor {
    match name.rsplit('.').next() {
        _ if shape.len() == 4 => vgg_tensor(name, shape),
        Some("running_var") => centred(name, shape, 0.2) + 1.0,
        Some("weight") => centred(name, shape, 0.1) + 1.0,
        _ => centred(name, shape, 0.1),
    }
}

/// The parameters of a style network.
pub(super) fn net_tensors(config: &NetConfig) -> BTreeMap<String, Tensor> {
    let expected = Parameters::expected_tensors(config);
    let fan_in = |name: &str| -> i64 {
        let weight = name.replace(".bias", ".weight");
        let (_, shape) = expected.iter().find(|(name, _)| *name == weight).expect("a bias has a weight");
        shape[1..].iter().product()
    };
    let tensor = |name: &str, shape: &[i64]| {
        if name.contains(".conv2d.") {
            centred(name, shape, 1.0 / (3.0 * fan_in(name) as f64).sqrt())
        } else if name.ends_with(".weight") {
            centred(name, shape, 0.1) + 1.0
        } else {
            centred(name, shape, 0.1)
        }
    };
    expected.iter().map(|(name, shape)| (name.clone(), tensor(name, shape))).collect()
}

#[test]
fn the_hash_is_that_of_the_golden_script() {
    assert_eq!(fnv1a64("features.0.weight"), 0xf70f_941a_2439_8456);
    let values = Vec::<f32>::try_from(bytes("vgg.input", &[3])).unwrap();
    assert_eq!(values, [156.0, 114.0, 207.0]);
}
