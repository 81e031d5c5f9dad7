//! The statistics by the papers' definitions, written out in plain loops.

use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use tch::Device;

use super::*;
use crate::loss::drawn::uniform;

fn features(seed: u64, [c, h, w]: [i64; 3]) -> Tensor {
    // Rectified, as a network's are, with something everywhere.
    (uniform(&mut ChaCha8Rng::seed_from_u64(seed), &[1, c, h, w]) + 0.5).relu()
}

fn values(x: &Tensor) -> Vec<f64> {
    Vec::<f64>::try_from(x.to_kind(Kind::Double).flatten(0, -1)).unwrap()
}

/// By channel, then row, then column.
fn planes(x: &Tensor) -> Vec<Vec<Vec<f64>>> {
    let (_, c, h, w) = x.size4().unwrap();
    let at = |channel, y, x_at| x.double_value(&[0, channel, y, x_at]);
    (0..c)
        .map(|channel| (0..h).map(|y| (0..w).map(|x_at| at(channel, y, x_at)).collect()).collect())
        .collect()
}

fn assert_close(found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() < 1e-4, "{found} and {expected}");
    }
}

fn statistic(name: &str) -> StyleStatistic {
    name.parse().unwrap()
}

fn all() -> Vec<StyleStatistic> {
    [
        "gram",
        "mean-std",
        "gaussian-w2",
        "shifted-gram:1:3",
        "mirrored-gram",
        "histogram",
        "sliced-wasserstein",
    ]
    .map(statistic)
    .into()
}

fn distance(statistic: &StyleStatistic, a: &Tensor, b: &Tensor) -> f64 {
    let target = statistic.target(statistic.measure(b, None));
    statistic.distance(&statistic.measure(a, None), &target).double_value(&[])
}

#[test]
fn a_gram_matrix_by_hand() {
    // Two channels of two pixels: (1, 2) and (3, 4); divided by 2 * 1 * 2.
    let features = Tensor::from_slice(&[1.0f32, 2.0, 3.0, 4.0]).view([1, 2, 1, 2]);
    let gram = values(&StyleStatistic::Gram.measure(&features, None));
    assert_eq!(gram, [5.0 / 4.0, 11.0 / 4.0, 11.0 / 4.0, 25.0 / 4.0]);
}

#[test]
fn a_picture_has_its_own_style_by_every_statistic_and_another_has_not() {
    let (one, other) = (features(1, [5, 8, 9]), features(2, [5, 7, 10]));
    for statistic in all() {
        let own = distance(&statistic, &one, &one);
        let others = distance(&statistic, &one, &other);
        assert!(own.abs() < 1e-5, "{statistic}: {own}");
        assert!(others > 1e-4 && others > 20.0 * own, "{statistic}: {others}");
    }
}

#[test]
fn only_shifted_and_mirrored_products_depend_on_where_things_are() {
    let one = features(3, [4, 8, 8]);
    let order = Tensor::randperm(64, (Kind::Int64, Device::Cpu));
    let scattered = one.flatten(2, 3).index_select(2, &order).view([1, 4, 8, 8]);
    for statistic in all() {
        let distance = distance(&statistic, &scattered, &one);
        let is_spatial = matches!(statistic, StyleStatistic::ShiftedGram(_) | StyleStatistic::MirroredGram);
        assert_eq!(distance > 1e-5, is_spatial, "{statistic}: {distance}");
    }
}

#[test]
fn means_and_deviations_are_those_of_each_channel() {
    let x = features(4, [3, 5, 6]);
    let channels = planes(&x);
    let of = |channel: &Vec<Vec<f64>>| {
        let pixels: Vec<f64> = channel.iter().flatten().copied().collect();
        let mean = pixels.iter().sum::<f64>() / pixels.len() as f64;
        let variance = pixels.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / pixels.len() as f64;
        (mean, (variance + 1e-5).sqrt())
    };
    let mut expected: Vec<f64> = channels.iter().map(|channel| of(channel).0).collect();
    expected.extend(channels.iter().map(|channel| of(channel).1));
    assert_close(&values(&StyleStatistic::MeanStd.measure(&x, None)), &expected);
}

#[test]
fn shifted_grams_are_sums_over_pairs_of_places() {
    let x = features(5, [3, 6, 7]);
    let planes = planes(&x);
    let (h, w) = (6, 7);
    let mut expected = Vec::new();
    for shift in [1, 3] {
        for (down, along) in [(0, shift), (shift, 0)] {
            for i in 0..3 {
                for j in 0..3 {
                    let mut sum = 0.0;
                    for y in 0..(h - down) as usize {
                        for x in 0..(w - along) as usize {
                            sum += planes[i][y][x] * planes[j][y + down as usize][x + along as usize];
                        }
                    }
                    expected.push(sum / f64::from(3 * (h - down) * (w - along)));
                }
            }
        }
    }
    let measured = statistic("shifted-gram:1:3:4").measure(&x, None); // 4 is more than half of 6 rows
    assert_eq!(measured.size(), [1, 4, 3, 3]);
    assert_close(&values(&measured), &expected);
}

#[test]
fn a_mirrored_gram_is_a_sum_over_mirrored_places() {
    let x = features(6, [2, 4, 5]);
    let planes = planes(&x);
    let mut expected = Vec::new();
    for i in 0..2 {
        for j in 0..2 {
            let sum: f64 = (0..4)
                .flat_map(|y| (0..5).map(move |x| (y, x)))
                .map(|(y, x)| planes[i][y][x] * planes[j][y][4 - x])
                .sum();
            expected.push(sum / 40.0);
        }
    }
    assert_close(&values(&StyleStatistic::MirroredGram.measure(&x, None)), &expected);
}

#[test]
fn the_histogram_distance_is_that_to_the_matched_features() {
    let (x, painting) = (features(7, [2, 4, 4]), features(8, [2, 4, 4]));
    let (of_x, of_painting) = (planes(&x), planes(&painting));
    let mut sum = 0.0;
    for (channel, target) in of_x.iter().zip(&of_painting) {
        let pixels: Vec<f64> = channel.iter().flatten().copied().collect();
        let mut sorted: Vec<f64> = target.iter().flatten().copied().collect();
        sorted.sort_by(f64::total_cmp);
        // Each pixel becomes the value of its rank. Equal pixels share ranks in any order: the sum is the same.
        let mut by_rank: Vec<usize> = (0..pixels.len()).collect();
        by_rank.sort_by(|&a, &b| pixels[a].total_cmp(&pixels[b]));
        sum +=
            by_rank.iter().zip(&sorted).map(|(&pixel, value)| (pixels[pixel] - value).powi(2)).sum::<f64>();
    }
    let found = distance(&StyleStatistic::Histogram, &x, &painting);
    assert_close(&[found], &[sum / 32.0]);
}

#[test]
fn the_sliced_distance_of_a_moved_cloud_is_its_way_along_each_direction() {
    let cloud = uniform(&mut ChaCha8Rng::seed_from_u64(9), &[1, 64, 6, 6]);
    let directions = samples::directions(64);
    let lengths = directions.square().sum_dim_intlist([1i64].as_slice(), false, Kind::Float);
    assert!((lengths - 1.0).abs().max().double_value(&[]) < 1e-5);
    let way = uniform(&mut ChaCha8Rng::seed_from_u64(10), &[1, 64, 1, 1]);
    let found = distance(&StyleStatistic::SlicedWasserstein, &(&cloud + &way), &cloud);
    let expected = directions.matmul(&way.view([64, 1])).square().mean(Kind::Float).double_value(&[]);
    assert!((found / expected - 1.0).abs() < 1e-4, "{found} and {expected}");
}

#[test]
fn gaussian_distances_have_their_closed_forms() {
    // Diagonal covariances: the sum of squared differences of means and of deviations.
    let diagonal = |means: [f32; 2], deviations: [f32; 2]| {
        let (m, d) = (means, deviations);
        // The four corners: uncorrelated.
        let x = [
            m[0] - d[0],
            m[0] - d[0],
            m[0] + d[0],
            m[0] + d[0],
            m[1] - d[1],
            m[1] + d[1],
            m[1] - d[1],
            m[1] + d[1],
        ];
        Tensor::from_slice(&x).view([1, 2, 2, 2])
    };
    let found = distance(
        &StyleStatistic::GaussianW2,
        &diagonal([1.0, 2.0], [3.0, 0.5]),
        &diagonal([0.0, 4.0], [1.0, 2.5]),
    );
    let expected = (1.0 + 4.0 + 4.0 + 4.0) / 2.0;
    assert!((found - expected).abs() < 2e-3, "{found}: {expected}");
    // Rotating both distributions changes nothing.
    let turn = Tensor::from_slice(&[0.6f32, -0.8, 0.8, 0.6]).view([2, 2]);
    let turned = |x: &Tensor| turn.matmul(&x.flatten(2, 3)).view_as(x);
    let (a, b) = (features(10, [2, 5, 5]), features(11, [2, 5, 5]));
    let [straight, rotated] = [
        distance(&StyleStatistic::GaussianW2, &a, &b),
        distance(&StyleStatistic::GaussianW2, &turned(&a), &turned(&b)),
    ];
    assert!((straight - rotated).abs() < 1e-4, "{straight} {rotated}");
}

#[test]
fn a_guide_of_ones_changes_nothing_and_a_half_hides_the_other() {
    let x = features(12, [4, 8, 8]);
    let ones = Tensor::ones([1, 1, 8, 8], tch::kind::FLOAT_CPU);
    let upper = ones.copy();
    let _ = upper.narrow(2, 4, 4).zero_();
    for statistic in all() {
        let whole = statistic.measure(&x, None);
        assert_close(&values(&statistic.measure(&x, Some(&ones))), &values(&whole));
        if statistic == self::statistic("shifted-gram:1:3") {
            continue; // a half has fewer shifts, and pairs across its edge are hidden
        }
        let of_upper = statistic.measure(&x.narrow(2, 0, 4), None);
        assert_close(&values(&statistic.measure(&x, Some(&upper))), &values(&of_upper));
    }
}
