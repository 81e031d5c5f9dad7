use proptest::prelude::*;
use tch::Kind;

use super::*;

const METHODS: [ColourMatch; 3] =
    [ColourMatch::Cholesky, ColourMatch::Symmetric, ColourMatch::OptimalTransport];

/// `byte_rgb` `[1, 3, 1, pixels]`, f64.
fn tensor(interleaved: &[u8]) -> Tensor {
    let values: Vec<f64> = interleaved.iter().copied().map(f64::from).collect();
    Tensor::from_slice(&values).view([-1, 3]).tr().contiguous().view([1, 3, 1, -1])
}

fn statistics_of(byte_rgb: &Tensor) -> ColourStatistics {
    let pixels = byte_rgb.view([3, -1]);
    let mean = pixels.mean_dim(&[1i64][..], true, Kind::Double);
    let centred = &pixels - &mean;
    let covariance = rows(&(centred.matmul(&centred.tr()) / pixels.size()[1] as f64));
    ColourStatistics { mean: std::array::from_fn(|i| mean.double_value(&[i as i64, 0])), covariance }
}

fn differ_at_most(a: &ColourStatistics, b: &ColourStatistics, tolerance: f64) -> bool {
    let all = |it: &ColourStatistics| [&it.mean[..], it.covariance.as_flattened()].concat();
    all(a).iter().zip(all(b)).all(|(a, b)| (a - b).abs() <= tolerance)
}

/// Three blobs of colour that are not in line, so that all three channels vary for themselves.
fn colourful(seed: u64) -> Vec<u8> {
    let value = |i: u64| (i.wrapping_add(seed).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33) as u8;
    (0..300).map(value).collect()
}

#[test]
fn statistics_by_hand() {
    let found = ColourStatistics::of_pixels(&[0, 10, 5, 20, 10, 1]).unwrap();
    assert_eq!(found.mean, [10.0, 10.0, 3.0]);
    assert_eq!(found.covariance, [[100.0, 0.0, -20.0], [0.0; 3], [-20.0, 0.0, 4.0]]);
    assert_eq!(ColourStatistics::of_pixels(&[]), None);
    assert!(differ_at_most(&found, &statistics_of(&tensor(&[0, 10, 5, 20, 10, 1])), 1e-9));
}

#[test]
fn the_cholesky_transfer_goes_from_red_to_blue_and_the_symmetric_one_does_not_care() {
    let [from, to] = [1, 7].map(|seed| ColourStatistics::of_pixels(&colourful(seed)).unwrap());
    let cholesky = ColourMatch::Cholesky.transfer(&from, &to).unwrap().matrix;
    assert!([cholesky[0][1], cholesky[0][2], cholesky[1][2]].iter().all(|upper| upper.abs() < 1e-12));
    // With the channels in another order, the symmetric one is the same but for that order.
    let reversed = |it: &ColourStatistics| ColourStatistics {
        mean: std::array::from_fn(|i| it.mean[2 - i]),
        covariance: std::array::from_fn(|i| std::array::from_fn(|j| it.covariance[2 - i][2 - j])),
    };
    let symmetric = ColourMatch::Symmetric.transfer(&from, &to).unwrap().matrix;
    let turned = ColourMatch::Symmetric.transfer(&reversed(&from), &reversed(&to)).unwrap().matrix;
    for (i, j) in (0..3).flat_map(|i| (0..3).map(move |j| (i, j))) {
        assert!((symmetric[i][j] - turned[2 - i][2 - j]).abs() < 1e-9);
    }
}

#[test]
fn optimal_transport_is_symmetric_and_moves_colours_the_least() {
    let pixels = colourful(1);
    let [from, to] = [&pixels, &colourful(7)].map(|pixels| ColourStatistics::of_pixels(pixels).unwrap());
    let way = |method: ColourMatch| {
        let moved = method.transfer(&from, &to).unwrap().apply(&tensor(&pixels));
        (moved - tensor(&pixels)).square().mean(Kind::Double).double_value(&[])
    };
    let [cholesky, symmetric, least] = METHODS.map(way);
    assert!(least <= symmetric && least < cholesky, "{least} {symmetric} {cholesky}");
    let matrix = ColourMatch::OptimalTransport.transfer(&from, &to).unwrap().matrix;
    for (i, j) in (0..3).flat_map(|i| (0..3).map(move |j| (i, j))) {
        assert!((matrix[i][j] - matrix[j][i]).abs() < 1e-9);
    }
}

#[test]
fn grey_pictures_do_not_blow_up() {
    let grey: Vec<u8> = (0..=255).flat_map(|value| [value; 3]).collect();
    let flat = vec![90; 300];
    for method in METHODS {
        for (from, to) in
            [(&grey, &colourful(2)), (&flat, &colourful(2)), (&colourful(2), &flat), (&flat, &flat)]
        {
            let [source, target] = [from, to].map(|pixels| ColourStatistics::of_pixels(pixels).unwrap());
            let moved = method.transfer(&source, &target).unwrap().apply(&tensor(from));
            let found = statistics_of(&moved);
            for channel in 0..3 {
                assert!((found.mean[channel] - target.mean[channel]).abs() < 1e-6, "{method:?}: {found:?}");
                let (found, wanted) =
                    (found.covariance[channel][channel], target.covariance[channel][channel]);
                assert!(found <= wanted + 3.0 * LEAST_VARIANCE, "{method:?}: {found} for {wanted}");
            }
        }
        // A colourful painting becomes as good as grey.
        let [source, target] =
            [&colourful(2), &grey].map(|pixels| ColourStatistics::of_pixels(pixels).unwrap());
        let found = statistics_of(&method.transfer(&source, &target).unwrap().apply(&tensor(&colourful(2))));
        assert!(differ_at_most(&found, &target, 2.0 * LEAST_VARIANCE), "{method:?}: {found:?}");
    }
}

proptest! {
    #[test]
    fn mean_and_covariance_become_the_targets(from: u64, to: u64) {
        let (from, to) = (colourful(from), colourful(to));
        let [source, target] = [&from, &to].map(|pixels| ColourStatistics::of_pixels(pixels).unwrap());
        for method in METHODS {
            let moved = method.transfer(&source, &target).unwrap().apply(&tensor(&from));
            prop_assert!(differ_at_most(&statistics_of(&moved), &target, 1e-3), "{:?}", method);
        }
    }

    #[test]
    fn equal_statistics_change_nothing(pixels in prop::collection::vec(any::<u8>(), 3..90)) {
        let pixels = &pixels[..pixels.len() / 3 * 3];
        let statistics = ColourStatistics::of_pixels(pixels).unwrap();
        for method in METHODS {
            let moved = method.transfer(&statistics, &statistics).unwrap().apply(&tensor(pixels));
            prop_assert!(moved.allclose(&tensor(pixels), 0.0, 1e-3, false), "{:?}", method);
        }
        prop_assert_eq!(ColourMatch::None.transfer(&statistics, &statistics), None);
    }
}
