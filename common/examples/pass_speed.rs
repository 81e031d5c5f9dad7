//! Times the passes over memory between the convolutions of the training step: ours and libtorch's in turns.
//!
//! `cargo run --release -p common --example pass_speed [rounds] [threads] [keep]`, see `timing`.
#![allow(clippy::print_stdout)] // a program

use common::fast::{AfterNorm, InstanceNorm, LargeKernelConv, max_pool2x2, max_pool2x2_relu_gradient};
use tch::{Device, Kind, Tensor};
use timing::Options;

mod timing;

const BATCH: i64 = 4;
const FLOAT: (Kind, Device) = (Kind::Float, Device::Cpu);

fn main() {
    let options = Options::from_arguments();
    println!("{} threads, batch {BATCH}, best of {}", options.threads, options.rounds);
    for (channels, side) in [(32, 256), (64, 128), (128, 64)] {
        norm(&options, channels, side);
    }
    for (channels, side) in [(64, 256), (128, 128), (256, 64)] {
        pool(&options, channels, side);
    }
    large_kernel(&options);
}

fn norm(options: &Options, channels: i64, side: i64) {
    let x = Tensor::randn([BATCH, channels, side, side], FLOAT);
    let gradient = Tensor::randn(x.size(), FLOAT);
    let (scale, shift) = (Tensor::randn([channels], FLOAT), Tensor::randn([channels], FLOAT));
    let norm = InstanceNorm::new(&scale, &shift, 1e-5);
    let (y, statistics) = norm.forward(&x, AfterNorm::Relu);
    let by_libtorch = |x: &Tensor| {
        let none = None::<&Tensor>;
        x.instance_norm(Some(&scale), Some(&shift), none, none, true, 0.0, 1e-5, false).relu()
    };
    let leaf = x.copy().set_requires_grad(true);
    let losses = || (by_libtorch(&leaf) * &gradient).sum(Kind::Float);
    // What autograd's backward pass takes is found as a difference.
    let [forward, libtorch_forward, backward, libtorch_both, libtorch_loss] = timing::in_turns(
        options.rounds,
        options.threads,
        [
            &|| drop(norm.forward(&x, AfterNorm::Relu)),
            &|| drop(tch::no_grad(|| by_libtorch(&x))),
            &|| drop(norm.backward(&gradient, &x, &statistics, Some(&y))),
            &|| drop(Tensor::run_backward(&[losses()], &[&leaf], false, false)),
            &|| drop(losses()),
        ],
    );
    report(
        "norm and ReLU",
        channels,
        side,
        [forward, libtorch_forward, backward, libtorch_both - libtorch_loss],
    );
}

fn pool(options: &Options, channels: i64, side: i64) {
    let x = Tensor::randn([BATCH, channels, side, side], FLOAT).relu();
    let (pooled, indices) = x.max_pool2d_with_indices(2, 2, 0, 1, false);
    let gradient = Tensor::randn(pooled.size(), FLOAT);
    let times = timing::in_turns(
        options.rounds,
        options.threads,
        [
            &|| drop(max_pool2x2(&x)),
            &|| drop(x.max_pool2d_with_indices(2, 2, 0, 1, false)),
            &|| drop(max_pool2x2_relu_gradient(&gradient, &x, None)),
            &|| {
                let unpooled = x.max_pool2d_with_indices_backward(&gradient, 2, 2, 0, 1, false, &indices);
                drop(x.threshold_backward(&unpooled, 0));
            },
        ],
    );
    report("max pool", channels, side, times);
}

/// The last convolution.
fn large_kernel(options: &Options) {
    let x = Tensor::randn([BATCH, 32, 256, 256], FLOAT);
    let (weight, bias) = (Tensor::randn([3, 32, 9, 9], FLOAT), Tensor::randn([3], FLOAT));
    let gradient = Tensor::randn([BATCH, 3, 256, 256], FLOAT);
    let conv = LargeKernelConv::new(&weight, &bias);
    let times = timing::in_turns(
        options.rounds,
        options.threads,
        [
            &|| drop(conv.forward(&x)),
            &|| drop(x.reflection_pad2d([4; 4]).conv2d(&weight, Some(&bias), 1, 0, 1, 1)),
            &|| drop(conv.input_gradient(&gradient)),
            &|| {
                let padded = gradient.conv_transpose2d(&weight, None::<&Tensor>, 1, 0, 0, 1, 1);
                drop(x.reflection_pad2d_backward(&padded, [4; 4]));
            },
        ],
    );
    report("9x9 to 3 channels", 32, 256, times);
}

fn report(
    name: &str,
    channels: i64,
    side: i64,
    [forward, libtorch_forward, backward, libtorch_backward]: [f64; 4],
) {
    println!(
        "{name} of {channels} at {side}: forward {forward:.1} ms, libtorch {libtorch_forward:.1}; \
         backward {backward:.1} ms, libtorch {libtorch_backward:.1}"
    );
}
