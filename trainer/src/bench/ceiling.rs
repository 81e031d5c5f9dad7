//! What a machine can do at best: a large matrix product.

use std::time::Instant;

use common::precision::Precision;
use tch::{Device, Tensor};

use super::wait_for;

/// Billions of floating-point operations per second of the fastest of some square matrix products.
pub(super) fn gflop_per_s(precision: Precision, device: Device) -> f64 {
    // A CPU takes seconds for the largest, and is as fast in the others.
    let sides: &[i64] = if device.is_cuda() { &[2048, 4096, 8192] } else { &[2048, 4096] };
    let repetitions = if device.is_cuda() { 20 } else { 3 };
    let rate = |side: i64| {
        let factor = || Tensor::rand([side, side], (precision.kind(), device));
        let (a, b) = (factor(), factor());
        let mut product = a.matmul(&b);
        wait_for(device);
        let seconds = (0..3)
            .map(|_| {
                let started = Instant::now();
                for _ in 0..repetitions {
                    product = a.matmul(&b);
                }
                wait_for(device);
                started.elapsed().as_secs_f64() / f64::from(repetitions)
            })
            .fold(f64::INFINITY, f64::min);
        2.0 * (side as f64).powi(3) / 1e9 / seconds
    };
    sides.iter().map(|&side| rate(side)).fold(0.0, f64::max)
}
