//! Times 3x3 convolutions of the training step: ours and libtorch's in turns, the best of several rounds.
//!
//! `cargo run --release -p common --example convolution_speed [rounds] [threads] [keep]`, see `timing`.
#![allow(clippy::print_stdout)] // a program

use common::fast::{Activation, Border, Conv3x3};
use tch::{Device, Kind, Tensor};
use timing::{Options, time_ms};

mod timing;

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
    let Options { rounds, threads } = Options::from_arguments();
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
            drop(conv.forward(&pixel, Activation::Relu));
        });
        let [ours_ms, libtorch_ms] = timing::in_turns(
            rounds,
            threads,
            [&|| drop(conv.forward(&x, Activation::Relu)), &|| {
                drop(x.conv2d(&weight, Some(&bias), 1, 1, 1, 1));
            }],
        );
        let gradient = Tensor::randn([BATCH as i64, outputs as i64, side as i64, side as i64], float);
        let leaf = weight.copy().set_requires_grad(true);
        let product = || (x.conv2d(&leaf, None::<&Tensor>, 1, 1, 1, 1) * &gradient).sum(Kind::Float);
        // What libtorch's backward pass takes is found as a difference.
        let [weight_ms, both_ms, product_ms] = timing::in_turns(
            rounds,
            threads,
            [
                &|| drop(conv.parameter_gradients(&x, &gradient)),
                &|| drop(tch::with_grad(|| Tensor::run_backward(&[product()], &[&leaf], false, false))),
                &|| drop(tch::with_grad(product)),
            ],
        );
        let multiplications = (BATCH * side * side * inputs * outputs) as f64 / 16.0 * 36.0;
        let gflops = 2e-6 * multiplications / ours_ms;
        println!(
            "{inputs:3} -> {outputs:3} at {side:3}: ours with ReLU {ours_ms:6.1} ms ({gflops:3.0} GFLOP/s), \
             libtorch without {libtorch_ms:6.1} ms, {:.2} times; {prepare_ms:.1} ms to make ready; \
             parameter gradients {weight_ms:6.1} ms, libtorch {:6.1} ms",
            libtorch_ms / ours_ms,
            both_ms - product_ms
        );
    }
}
