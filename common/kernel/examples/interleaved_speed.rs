//! Times each convolution of the style network at a size: `cargo run --release -p kernel --example interleaved_speed -- 1024 2`.
#![allow(clippy::print_stdout, missing_docs)]

use std::time::Instant;

use kernel::interleaved::{Border, DirectConv, Norm, RowSumConv, Rows, RowsMut, TileConv, add_normalised};

fn noise(length: usize) -> Vec<f32> {
    let mut state = 1u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 9) as f32 / (1u32 << 23) as f32 - 0.5
    };
    (0..length).map(|_| next()).collect()
}

fn time(name: &str, multiplications: f64, mut work: impl FnMut()) -> f64 {
    work();
    let mut best = f64::MAX;
    for _ in 0..5 {
        let start = Instant::now();
        work();
        best = best.min(start.elapsed().as_secs_f64());
    }
    println!(
        "{name:12} {:8.2} ms {:8.1} Gflop/s of the plain form",
        best * 1e3,
        2e-9 * multiplications / best
    );
    best
}

fn main() {
    let mut args = std::env::args().skip(1).map(|arg| arg.parse::<usize>().expect("a number"));
    let side = args.next().unwrap_or(512);
    let threads = args.next().unwrap_or(2);
    let pixels = (side * side) as f64;
    let photo = noise(side * side * 3);
    let statistics_of = |conv: &DirectConv, height| conv.statistics(height).merged().len();
    let norm = |channels: usize| {
        let statistics = vec![kernel::interleaved::Statistics { mean: 0.0, variance: 1.0 }; channels];
        Norm::new(&statistics, &vec![1.0; channels], &vec![0.0; channels], 1e-5)
    };
    let mut total = 0.0;

    let conv1 = DirectConv::prepare(&noise(32 * 3 * 81), 32, 3, 3, 9, 1);
    assert_eq!(statistics_of(&conv1, side), 32);
    let mut full = vec![0.0; side * side * 32];
    let input = Rows { values: &photo, first: 0, height: side, width: side, channels: 3 };
    total += time("conv1", pixels * 7776.0, || {
        let mut statistics = conv1.statistics(side);
        let output = RowsMut { values: &mut full, rows: 0..side };
        conv1.convolve(input, None, (Border::Reflect, 4), output, side, Some(&mut statistics), threads);
    });

    let conv2 = DirectConv::prepare(&noise(64 * 32 * 9), 64, 32, 32, 3, 2);
    let (half_side, quarter_side) = (side / 2, side / 4);
    let mut half = vec![0.0; half_side * half_side * 64];
    let norm32 = norm(32);
    total += time("conv2", pixels * 4608.0, || {
        let mut statistics = conv2.statistics(half_side);
        let input = Rows { values: &full, first: 0, height: side, width: side, channels: 32 };
        let output = RowsMut { values: &mut half, rows: 0..half_side };
        conv2.convolve(
            input,
            Some(&norm32),
            (Border::Reflect, 1),
            output,
            half_side,
            Some(&mut statistics),
            threads,
        );
    });

    let conv3 = DirectConv::prepare(&noise(128 * 64 * 9), 128, 64, 64, 3, 2);
    let mut quarter = vec![0.0; quarter_side * quarter_side * 128];
    let norm64 = norm(64);
    total += time("conv3", pixels * 4608.0, || {
        let mut statistics = conv3.statistics(quarter_side);
        let input = Rows { values: &half, first: 0, height: half_side, width: half_side, channels: 64 };
        let output = RowsMut { values: &mut quarter, rows: 0..quarter_side };
        conv3.convolve(
            input,
            Some(&norm64),
            (Border::Reflect, 1),
            output,
            quarter_side,
            Some(&mut statistics),
            threads,
        );
    });

    let block = TileConv::prepare(&noise(128 * 128 * 9), 128, 128);
    let mut other = vec![0.0; quarter_side * quarter_side * 128];
    let norm128 = norm(128);
    total += 10.0
        * time("block conv", pixels * 9216.0, || {
            let mut statistics = block.statistics(quarter_side, quarter_side);
            let input =
                Rows { values: &quarter, first: 0, height: quarter_side, width: quarter_side, channels: 128 };
            block.convolve(
                input,
                Some(&norm128),
                Border::Reflect,
                &(0..quarter_side),
                &mut other,
                Some(&mut statistics),
                threads,
            );
        });
    total += 5.0 * time("add", 0.0, || add_normalised(&mut quarter, &other, &norm128, threads));

    let up1 = TileConv::prepare_doubling(&noise(64 * 128 * 9), 64, 128);
    total += time("up1", pixels * 18432.0, || {
        let mut statistics = up1.statistics(quarter_side, quarter_side);
        let input =
            Rows { values: &quarter, first: 0, height: quarter_side, width: quarter_side, channels: 128 };
        up1.convolve(
            input,
            None,
            Border::Replicate,
            &(0..quarter_side),
            &mut half,
            Some(&mut statistics),
            threads,
        );
    });
    let up2 = TileConv::prepare_doubling(&noise(32 * 64 * 9), 32, 64);
    total += time("up2", pixels * 18432.0, || {
        let mut statistics = up2.statistics(half_side, half_side);
        let input = Rows { values: &half, first: 0, height: half_side, width: half_side, channels: 64 };
        up2.convolve(
            input,
            Some(&norm64),
            Border::Replicate,
            &(0..half_side),
            &mut full,
            Some(&mut statistics),
            threads,
        );
    });
    let last = RowSumConv::prepare(&noise(3 * 32 * 81), [0.0; 3], 32, 32, 9);
    let mut planes = vec![0.0; 3 * side * side];
    total += time("last", pixels * 7776.0, || {
        let input = Rows { values: &full, first: 0, height: side, width: side, channels: 32 };
        last.convolve(input, &norm32, Border::Reflect, &(0..side), &mut planes, threads);
    });
    println!("{:12} {:8.2} ms", "all", total * 1e3);
}
