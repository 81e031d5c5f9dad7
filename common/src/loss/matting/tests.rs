use proptest::prelude::*;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use tch::{Kind, Tensor};

use super::{MattingLaplacian, bands};
use crate::loss::drawn;

/// `byte_rgb` `[1, 3, h, w]` of bytes: noise, or one grey noise in all channels.
fn noise(seed: u64, height: i64, width: i64, is_grey: bool) -> Tensor {
    let channels = if is_grey { 1 } else { 3 };
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let noise = drawn::uniform(&mut rng, &[1, channels, height, width]);
    ((noise + 1.0) * 127.5).round().expand([1, 3, height, width], false).contiguous()
}

/// f64 planes in ±1.
fn planes(seed: u64, channels: i64, height: i64, width: i64) -> Tensor {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    drawn::uniform(&mut rng, &[1, channels, height, width]).to_kind(Kind::Double)
}

/// The whole matrix `[pixels, pixels]`, window by window and pair by pair as equation 12 says.
fn dense(photo_byte_rgb: &Tensor, epsilon: f64) -> Tensor {
    let (_, _, height, width) = photo_byte_rgb.size4().unwrap();
    let pixels = (height * width) as usize;
    let mut matrix = vec![0.0; pixels * pixels];
    let unit_rgb = photo_byte_rgb.to_kind(Kind::Double) / 255.0;
    for (top, left) in (0..height - 2).flat_map(|top| (0..width - 2).map(move |left| (top, left))) {
        let window = unit_rgb.narrow(2, top, 3).narrow(3, left, 3).reshape([3, 9]);
        let centred = &window - window.mean_dim([1i64].as_slice(), true, Kind::Double);
        let covariance = centred.matmul(&centred.transpose(0, 1)) / 9.0;
        let ridge = Tensor::eye(3, (Kind::Double, window.device())) * (epsilon / 9.0);
        let affinity = centred.transpose(0, 1).matmul(&(covariance + ridge).inverse()).matmul(&centred);
        let place = |index: i64| ((top + index / 3) * width + left + index % 3) as usize;
        for (i, j) in (0..9).flat_map(|i| (0..9).map(move |j| (i, j))) {
            let same = if i == j { 1.0 } else { 0.0 };
            matrix[place(i) * pixels + place(j)] += same - (1.0 + affinity.double_value(&[i, j])) / 9.0;
        }
    }
    Tensor::from_slice(&matrix).view([pixels as i64, pixels as i64])
}

fn largest(x: &Tensor) -> f64 {
    x.abs().max().double_value(&[])
}

fn dot(a: &Tensor, b: &Tensor) -> f64 {
    (a * b).sum(Kind::Double).double_value(&[])
}

#[test]
fn it_is_the_matrix_of_the_definition() {
    let cases = [
        ("one window", noise(1, 3, 3, false), 1e-7),
        ("noise", noise(1, 5, 7, false), 1e-7),
        ("grey", noise(1, 9, 6, true), 1e-7),
        ("almost even", (noise(1, 6, 8, false) / 128.0).round() + 90.0, 1e-7),
        ("even", Tensor::full([1, 3, 5, 6], 90.0, tch::kind::FLOAT_CPU), 1e-7),
        ("large epsilon", noise(1, 6, 8, false), 1e-2),
    ];
    for (name, photo, epsilon) in cases {
        let (_, _, height, width) = photo.size4().unwrap();
        let v = planes(2, 2, height, width);
        let expected = v.view([2, -1]).matmul(&dense(&photo, epsilon)).view_as(&v);
        let found = MattingLaplacian::of(&photo, epsilon).apply(&v);
        let error = largest(&(&found - &expected));
        assert!(error < 2e-6, "{name}: off by {error}");
    }
}

#[test]
fn rows_of_windows_that_are_looked_at_apart_meet() {
    let photo = noise(3, 11, 8, false);
    let v = planes(4, 1, 11, 8);
    let together = MattingLaplacian::of(&photo, 1e-7).apply(&v);
    let unit_rgb = photo.select(0, 0).to_kind(Kind::Double) / 255.0;
    for windows_at_once in [1, 12, 20] {
        let bands = bands::of_unit_rgb(&unit_rgb, 1e-7, windows_at_once);
        let apart = MattingLaplacian { height: 11, width: 8, bands }.apply(&v);
        let error = largest(&(&apart - &together));
        assert!(error < 1e-6, "{windows_at_once} windows: off by {error}");
    }
}

#[test]
fn constants_cost_nothing_at_all() {
    let laplacian = MattingLaplacian::of(&noise(5, 12, 9, false), 1e-7);
    assert_eq!(largest(&laplacian.apply(&Tensor::full([1, 1, 12, 9], 0.7, tch::kind::FLOAT_CPU))), 0.0);
}

#[test]
fn a_photo_without_windows_asks_for_nothing() {
    let laplacian = MattingLaplacian::of(&noise(5, 2, 9, false), 1e-7);
    let (energy, gradient) = laplacian.energy_and_gradient(&noise(6, 2, 9, false), 1.0);
    assert_eq!((energy.double_value(&[]), largest(&gradient)), (0.0, 0.0));
}

#[test]
fn the_photo_in_other_colours_costs_next_to_nothing() {
    let photo = noise(7, 24, 31, false);
    let laplacian = MattingLaplacian::of(&photo, 1e-7);
    let energy = |picture: &Tensor| laplacian.energy_and_gradient(picture, 1.0).0.double_value(&[]);
    // Each channel an affine function of all three.
    let mix = Tensor::from_slice(&[0.5f32, -0.3, 0.2, 0.1, 0.9, -0.6, -1.0, 0.4, 0.3]).view([3, 3]);
    let recoloured = mix.matmul(&photo.view([3, -1])).view_as(&photo) + 40.0;
    let other = noise(8, 24, 31, false);
    assert!(energy(&photo) < 1e-5 * energy(&other), "{} of {}", energy(&photo), energy(&other));
    assert!(energy(&recoloured) < 1e-5 * energy(&other), "{} of {}", energy(&recoloured), energy(&other));
}

#[test]
fn the_gradient_is_that_of_the_energy() {
    let laplacian = MattingLaplacian::of(&noise(9, 10, 8, false), 1e-7);
    let picture = noise(10, 10, 8, false).to_kind(Kind::Double);
    let direction = planes(11, 3, 10, 8);
    let energy =
        |step: f64| laplacian.energy_and_gradient(&(&picture + &direction * step), 1.0).0.double_value(&[]);
    // The energy is a parabola along a line: central differences are exact but for rounding.
    let expected = 3.0 * (energy(1.0) - energy(-1.0)) / 2.0;
    let (_, gradient) = laplacian.energy_and_gradient(&picture, 3.0);
    let found = dot(&gradient, &direction);
    assert!((found / expected - 1.0).abs() < 1e-6, "{found}, expected {expected}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn it_is_symmetric_and_no_energy_is_below_zero(
        seed in 0u64..1000, height in 3i64..14, width in 3i64..14, is_grey: bool
    ) {
        let laplacian = MattingLaplacian::of(&noise(seed, height, width, is_grey), 1e-7);
        let [u, v] = [seed + 1, seed + 2].map(|seed| planes(seed, 1, height, width));
        let (of_u, of_v) = (laplacian.apply(&u), laplacian.apply(&v));
        let size = dot(&v, &v);
        prop_assert!((dot(&u, &of_v) - dot(&v, &of_u)).abs() < 1e-10 * size);
        prop_assert!(dot(&v, &of_v) > -1e-6 * size);
        // Rows sum to 0, and so do columns.
        prop_assert!(of_v.sum(Kind::Double).double_value(&[]).abs() < 1e-10 * size);
    }
}
