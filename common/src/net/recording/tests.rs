use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use tch::{Device, Kind, Tensor};

use crate::net::{InputSpace, NetConfig, OutputRange, Padding, Parameters, Start, StyleNet, Upsample};
use crate::precision::Precision;

fn net(config: NetConfig, seed: u64) -> StyleNet {
    let parameters = Parameters::init(&config, Start::PyTorch, seed, Device::Cpu);
    // Scales and shifts that are not all alike, or a mistake in them would not show.
    let flat = parameters.flat();
    let _ = tch::no_grad(|| flat.shallow_clone().g_add_(&((uniform(flat.numel(), seed) - 0.5) * 0.06)));
    StyleNet::new(config, parameters.trainable())
}

/// Uniform in 0..1. libtorch's own generator is shared by all tests that run at the time.
fn uniform(count: usize, seed: u64) -> Tensor {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    Tensor::from_slice(&(0..count).map(|_| rng.random::<f32>()).collect::<Vec<f32>>())
}

fn photo(size: [i64; 4], seed: u64) -> Tensor {
    uniform(size.iter().product::<i64>() as usize, seed).view(size) * 255.0
}

fn norm(x: &Tensor) -> f64 {
    x.norm().double_value(&[])
}

fn relative_error(found: &Tensor, expected: &Tensor) -> f64 {
    norm(&(found - expected)) / norm(expected)
}

fn cosine(a: &Tensor, b: &Tensor) -> f64 {
    a.flatten(0, -1).dot(&b.flatten(0, -1)).double_value(&[]) / norm(a) / norm(b)
}

/// What was painted, and the parameters' gradient of its squared distance to the photo: by autograd, then by hand.
fn both_ways(net: &StyleNet, photo: &Tensor, precision: Precision) -> [(Tensor, Tensor); 2] {
    let painted = net.forward(photo);
    let painted_gradient = (&painted - photo).detach();
    let by_autograd = net.parameters().gradient_of(&(&painted * &painted_gradient).sum(Kind::Float));
    let (recorded, recording) = net.record(photo, precision);
    assert!(!recorded.requires_grad());
    let by_hand = recording.backward(&painted_gradient);
    [(painted.detach(), by_autograd), (recorded, by_hand)]
}

/// [`both_ways`] for the photo of five whose gradients differ least. A gradient jumps where a ReLU hangs in the balance, and
/// rounding decides on which side: most photos of this size differ by 1e-4 to 3e-3 for it in the full network, and so does
/// autograd from itself when the photo is changed by a millionth. A wrong formula is wrong for all of them.
fn without_jumps(net: &StyleNet, size: [i64; 4]) -> [(Tensor, Tensor); 2] {
    let error = |[(_, expected), (_, found)]: &[(Tensor, Tensor); 2]| relative_error(found, expected);
    (0..5)
        .map(|seed| both_ways(net, &photo(size, seed), Precision::F32))
        .inspect(|run| {
            assert!(error(run) < 0.1, "{:?} {size:?}: gradient off by {:e}", net.config(), error(run));
        })
        .min_by(|a, b| error(a).total_cmp(&error(b)))
        .expect("five runs")
}

#[test]
fn by_hand_and_autograd_agree_for_every_kind_of_network() {
    let plain = NetConfig { width: 4, residual_blocks: 2, ..NetConfig::default() };
    let kinds = [
        plain.clone(),
        NetConfig { input: InputSpace::ByteBgr, output: OutputRange::Linear, ..plain.clone() },
        NetConfig { input: InputSpace::UnitRgb, residual_blocks: 0, ..plain.clone() },
        NetConfig { padding: Padding::ZeroSame, ..plain.clone() },
        NetConfig { upsample: Upsample::Transposed, ..plain },
    ];
    for (place, config) in kinds.into_iter().enumerate() {
        let net = net(config, 3 + place as u64);
        for size in [[1, 3, 32, 32], [3, 3, 21, 34], [1, 3, 5, 13]] {
            let [(painted, expected), (recorded, found)] = without_jumps(&net, size);
            let (of_picture, of_gradient) =
                (relative_error(&recorded, &painted), relative_error(&found, &expected));
            assert!(of_picture < 1e-5, "{:?} {size:?}: picture off by {of_picture:e}", net.config());
            assert!(of_gradient < 1e-5, "{:?} {size:?}: gradient off by {of_gradient:e}", net.config());
        }
    }
}

#[test]
fn every_parameter_of_the_published_network_has_its_gradient() {
    let net = net(NetConfig::default(), 1);
    let [(_, expected), (_, found)] = without_jumps(&net, [2, 3, 48, 64]);
    let whole = norm(&expected);
    let of_whole = relative_error(&found, &expected);
    assert!(of_whole < 1e-5, "the whole gradient: off by {of_whole:e}");
    let (expected, found) = (net.parameters().views_into(&expected), net.parameters().views_into(&found));
    for (name, _) in net.parameters().named() {
        let (expected, found) = (expected.get(name), found.get(name));
        // The norm behind a convolution takes its bias away: autograd finds rounding errors, by hand there is nothing.
        if name.ends_with("conv2d.bias") && name != "deconv3.conv2d.bias" {
            assert_eq!(norm(&found), 0.0, "{name}");
            continue;
        }
        // A later norm takes the shifts of residual blocks away as well.
        let error = norm(&(&found - &expected)) / norm(&expected).max(1e-2 * whole);
        // Winograd's convolutions in the residual blocks keep a digit less than direct ones, which shows in single small
        // parameters (4.8e-5 in in1.weight, 1.3e-5 without them).
        assert!(error < 1e-4, "{name}: off by {error:e}");
    }
}

#[test]
fn in_bf16_the_gradient_points_the_same_way() {
    let net = net(NetConfig { width: 16, residual_blocks: 2, ..NetConfig::default() }, 1);
    for size in [[2, 3, 64, 64], [1, 3, 37, 50]] {
        let [(painted, expected), (recorded, found)] = both_ways(&net, &photo(size, 0), Precision::Bf16);
        assert_eq!((recorded.kind(), found.kind()), (Kind::Float, Kind::Float));
        let (of_picture, cosine) = (relative_error(&recorded, &painted), cosine(&found, &expected));
        assert!(of_picture < 0.02, "{size:?}: picture off by {of_picture}");
        assert!(cosine > 0.99, "{size:?}: cosine {cosine}");
    }
}
