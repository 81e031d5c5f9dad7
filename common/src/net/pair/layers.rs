//! What the network for one pair is made of. Each layer lists its parameters and finds them again by the same names.

use tch::Tensor;

use crate::net::layers::{Conv, InstanceNorm};
use crate::net::parameters::SpecList;
use crate::net::{Padding, Parameters};

const NORM_EPS: f64 = 1e-5;

/// A convolution and its norm.
pub(super) struct NormedConv {
    conv: Conv,
    norm: InstanceNorm,
}

impl NormedConv {
    pub(super) fn list(specs: &mut SpecList, name: &str, inputs: i64, outputs: i64, kernel: i64) {
        specs.conv(&format!("{name}.conv"), inputs, outputs, kernel);
        specs.norm(&format!("{name}.norm"), outputs);
    }

    pub(super) fn new(parameters: &Parameters, name: &str, stride: i64) -> Self {
        Self {
            conv: Conv::new(parameters, &format!("{name}.conv"), stride, Padding::Reflect),
            norm: InstanceNorm::new(parameters, &format!("{name}.norm"), NORM_EPS),
        }
    }

    pub(super) fn forward(&self, x: &Tensor) -> Tensor {
        self.norm.forward(&self.conv.forward(x))
    }
}

/// Two convolutions around a shortcut, which start as the identity: the last norm's scale is 0.
pub(super) struct ResidualBlock {
    first: NormedConv,
    second: NormedConv,
}

impl ResidualBlock {
    pub(super) fn list(specs: &mut SpecList, name: &str, channels: i64) {
        NormedConv::list(specs, &format!("{name}.first"), channels, channels, 3);
        specs.conv(&format!("{name}.second.conv"), channels, channels, 3);
        specs.silent_norm(&format!("{name}.second.norm"), channels);
    }

    pub(super) fn new(parameters: &Parameters, name: &str) -> Self {
        let half = |half| NormedConv::new(parameters, &format!("{name}.{half}"), 1);
        Self { first: half("first"), second: half("second") }
    }

    pub(super) fn forward(&self, x: &Tensor) -> Tensor {
        x + self.second.forward(&self.first.forward(x).relu())
    }
}

/// To half the resolution and twice the channels.
pub(super) struct Down(NormedConv);

impl Down {
    pub(super) fn list(specs: &mut SpecList, name: &str, channels: i64) {
        NormedConv::list(specs, name, channels, 2 * channels, 3);
    }

    pub(super) fn new(parameters: &Parameters, name: &str) -> Self {
        Self(NormedConv::new(parameters, name, 2))
    }

    pub(super) fn forward(&self, x: &Tensor) -> Tensor {
        self.0.forward(x)
    }
}

/// To twice the resolution and half the channels. The 1x1 convolution goes first, at a quarter of the cost: it mixes
/// channels, the bilinear enlargement pixels, in whichever order.
pub(super) struct Up(NormedConv);

impl Up {
    pub(super) fn list(specs: &mut SpecList, name: &str, channels: i64) {
        NormedConv::list(specs, name, channels, channels / 2, 1);
    }

    pub(super) fn new(parameters: &Parameters, name: &str) -> Self {
        Self(NormedConv::new(parameters, name, 1))
    }

    pub(super) fn forward(&self, x: &Tensor) -> Tensor {
        let (_, _, height, width) = x.size4().expect("four dimensions");
        self.0.forward(x).upsample_bilinear2d([2 * height, 2 * width], false, None, None)
    }
}
