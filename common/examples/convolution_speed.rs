//! Times 3x3 convolutions of the training step: ours and libtorch's in turns, the best of several rounds.
//!
//! `cargo run --release -p common --example convolution_speed [rounds] [threads] [keep]`
//!
//! With `keep`, freed memory is kept (`fast::keep_freed_memory`).
//!
//! With one thread, times are the processor's, not the clock's, so that it matters less what else the machine does.
#![allow(clippy::print_stdout)] // a program

use std::time::Instant;

use common::fast::{Activation, Border, Conv3x3};
use tch::{Device, Kind, Tensor};

/// Input channels, output channels, and the side of the pictures.
const SHAPES: &[(usize, usize, usize)] = &[
    (64, 64, 256),
    (64, 128, 128),
    (128, 128, 128),
    (128, 256, 64),
    (256, 256, 64),
    (256, 512, 32),
    (512, 512, 32),
    (128, 128, 64),
    (64, 32, 256),
    (64, 3, 256),
    (3, 64, 256),
];
const BATCH: usize = 4;

fn main() {
    let rounds: usize = std::env::args().nth(1).and_then(|rounds| rounds.parse().ok()).unwrap_or(5);
    if let Some(threads) = std::env::args().nth(2).and_then(|threads| threads.parse().ok()) {
        tch::set_num_threads(threads);
    }
    let threads = tch::get_num_threads() as usize;
    if std::env::args().nth(3).is_some() {
        common::fast::keep_freed_memory();
    }
    let _no_grad = tch::no_grad_guard();
    println!("{threads} threads, batch {BATCH}, best of {rounds}");
    for &(inputs, outputs, side) in SHAPES {
        let float = (Kind::Float, Device::Cpu);
        let shape = [BATCH as i64, inputs as i64, side as i64, side as i64];
        let (x, weight) =
            (Tensor::randn(shape, float), Tensor::randn([outputs as i64, inputs as i64, 3, 3], float));
        let bias = Tensor::randn([outputs as i64], float);
        let conv = Conv3x3::new(&weight, Some(&bias), Border::Zero);
        let prepare_ms = time_ms(threads, || {
            let pixel = Tensor::zeros([1, inputs as i64, 1, 1], float);
            conv.forward(&pixel, Activation::Relu);
        });
        let (mut ours_ms, mut libtorch_ms) = (f64::INFINITY, f64::INFINITY);
        for _ in 0..rounds {
            ours_ms = ours_ms.min(time_ms(threads, || drop(conv.forward(&x, Activation::Relu))));
            libtorch_ms =
                libtorch_ms.min(time_ms(threads, || drop(x.conv2d(&weight, Some(&bias), 1, 1, 1, 1))));
        }
        let multiplications = (BATCH * side * side * inputs * outputs) as f64 / 16.0 * 36.0;
        let gflops = 2e-6 * multiplications / ours_ms;
        println!(
            "{inputs:3} -> {outputs:3} at {side:3}: ours with ReLU {ours_ms:6.1} ms ({gflops:3.0} GFLOP/s), \
             libtorch without {libtorch_ms:6.1} ms, {:.2} times; {prepare_ms:.1} ms to make ready",
            libtorch_ms / ours_ms
        );
    }
}

/// By the clock; of one thread, what the processor spent on it, where the system says so.
fn time_ms(threads: usize, work: impl FnOnce()) -> f64 {
    let processor_ns = || -> Option<f64> {
        std::thread::yield_now(); // brings the count up to date
        let counts = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
        counts.split(' ').next()?.parse().ok()
    };
    let (clock, before) = (Instant::now(), processor_ns());
    work();
    match (threads, before, processor_ns()) {
        (1, Some(before), Some(after)) => (after - before) * 1e-6,
        _ => clock.elapsed().as_secs_f64() * 1e3,
    }
}
