//! The network itself.

use std::cell::OnceCell;

use tch::{Device, Tensor};

use super::layers::{Conv, InstanceNorm, Settle, UpsampleConv};
use super::recording::kernel_sums;
use super::{InputSpace, NetConfig, OutputRange, Parameters};

/// A style network: `byte_rgb` in, `byte_rgb` out, of the same size.
pub struct StyleNet {
    config: NetConfig,
    parameters: Parameters,
    conv1: NormedConv,
    conv2: NormedConv,
    conv3: NormedConv,
    residual: Vec<ResidualBlock>,
    deconv1: UpsampleConv,
    in4: InstanceNorm,
    deconv2: UpsampleConv,
    in5: InstanceNorm,
    deconv3: Conv,
    in6: Option<InstanceNorm>,
    kernel_sums: OnceCell<Tensor>,
}

/// The sides of the network's inner input are multiples of this, for it halves them twice.
pub(crate) const SIDE_MULTIPLE: i64 = 4;

/// The shortest inner side. The first convolution mirrors 4 pixels, for which it needs 5; 12 leaves three rows at a
/// quarter of the resolution, enough for an instance norm's statistics to mean something.
pub(crate) const SHORTEST_SIDE: i64 = 12;

impl StyleNet {
    /// The network of this shape around these parameters.
    ///
    /// # Panics
    /// If the parameters are not those of `config`.
    pub fn new(config: NetConfig, parameters: Parameters) -> Self {
        let NetConfig { upsample, padding, norm_eps, .. } = config;
        let p = &parameters;
        let conv1 = NormedConv::new(p, "conv1", "in1", 1, &config);
        let conv2 = NormedConv::new(p, "conv2", "in2", 2, &config);
        let conv3 = NormedConv::new(p, "conv3", "in3", 2, &config);
        let residual =
            (1..=config.residual_blocks).map(|block| ResidualBlock::new(p, block, &config)).collect();
        let deconv1 = UpsampleConv::new(p, "deconv1", upsample, padding);
        let in4 = InstanceNorm::new(p, "in4", norm_eps);
        let deconv2 = UpsampleConv::new(p, "deconv2", upsample, padding);
        let in5 = InstanceNorm::new(p, "in5", norm_eps);
        let deconv3 = Conv::new(p, "deconv3", 1, padding);
        let in6 = config.last_norm.then(|| InstanceNorm::new(p, "in6", norm_eps));
        let kernel_sums = OnceCell::new();
        Self {
            config,
            parameters,
            conv1,
            conv2,
            conv3,
            residual,
            deconv1,
            in4,
            deconv2,
            in5,
            deconv3,
            in6,
            kernel_sums,
        }
    }

    /// Its shape.
    pub fn config(&self) -> &NetConfig {
        &self.config
    }

    /// Its parameters.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// Takes the parameters out of it.
    pub fn into_parameters(self) -> Parameters {
        self.parameters
    }

    /// Where its parameters live.
    pub fn device(&self) -> Device {
        self.parameters.flat().device()
    }

    /// What the layers that enlarge are trained with; it comes to the device once.
    pub(super) fn kernel_sums(&self) -> Tensor {
        self.kernel_sums.get_or_init(|| kernel_sums(self.device())).shallow_clone()
    }

    /// Paints `byte_rgb` `[n, 3, h, w]`; the result has the same size for every size from 1x1 up. Values may leave
    /// 0..255.
    ///
    /// A side that is no multiple of 4, or shorter than 12, is continued by its own reflection at the right or the
    /// bottom, and the result is cut back.
    pub fn forward(&self, byte_rgb: &Tensor) -> Tensor {
        self.forward_normed(byte_rgb, &mut |norm, x| norm.forward(x))
    }

    /// [`StyleNet::forward`], but for the statistics that norms use: what `settle` makes of each norm's own.
    pub(crate) fn forward_settled(&self, byte_rgb: &Tensor, settle: Settle<'_>) -> Tensor {
        self.forward_normed(byte_rgb, &mut |norm, x| norm.forward_settled(x, settle))
    }

    fn forward_normed(&self, byte_rgb: &Tensor, norm: ApplyNorm<'_>) -> Tensor {
        let (_, _, height, width) = byte_rgb.size4().expect("byte_rgb has four dimensions");
        let padded = reflect_to(&reflect_to(byte_rgb, 2, inner_side(height)), 3, inner_side(width));
        let painted = match self.config.input {
            InputSpace::ByteRgb => self.forward_inner(&padded, norm),
            InputSpace::ByteBgr => self.forward_inner(&padded.flip([1]), norm).flip([1]),
            InputSpace::UnitRgb => self.forward_inner(&(padded / 255.0), norm),
        };
        painted.narrow(2, 0, height).narrow(3, 0, width)
    }

    /// For sides that the network can halve twice, from its own input space.
    fn forward_inner(&self, input: &Tensor, norm: ApplyNorm<'_>) -> Tensor {
        let x = self.conv1.forward(input, norm).relu(); // [n, width, h, w]
        let x = self.conv2.forward(&x, norm).relu(); // [n, 2 width, h/2, w/2]
        let mut x = self.conv3.forward(&x, norm).relu(); // [n, 4 width, h/4, w/4]
        for block in &self.residual {
            x = block.forward(&x, norm);
        }
        let x = norm(&self.in4, &self.deconv1.forward(&x)).relu(); // [n, 2 width, h/2, w/2]
        let x = norm(&self.in5, &self.deconv2.forward(&x)).relu(); // [n, width, h, w]
        let y = self.deconv3.forward(&x); // [n, 3, h, w]
        let y = self.in6.as_ref().map_or_else(|| y.shallow_clone(), |in6| norm(in6, &y));
        match self.config.output {
            OutputRange::Linear => y,
            OutputRange::Tanh150 => y.tanh() * 150.0 + 127.5,
        }
    }
}

/// Applies a norm.
type ApplyNorm<'a> = &'a mut dyn FnMut(&InstanceNorm, &Tensor) -> Tensor;

struct NormedConv {
    conv: Conv,
    norm: InstanceNorm,
}

impl NormedConv {
    fn new(parameters: &Parameters, conv: &str, norm: &str, stride: i64, config: &NetConfig) -> Self {
        Self {
            conv: Conv::new(parameters, conv, stride, config.padding),
            norm: InstanceNorm::new(parameters, norm, config.norm_eps),
        }
    }

    fn forward(&self, x: &Tensor, norm: ApplyNorm<'_>) -> Tensor {
        norm(&self.norm, &self.conv.forward(x))
    }
}

/// Convolutions around a shortcut, without ReLU after the sum.
struct ResidualBlock {
    parts: Vec<NormedConv>,
}

impl ResidualBlock {
    fn new(parameters: &Parameters, block: usize, config: &NetConfig) -> Self {
        let part = |part: usize| {
            let (conv, norm) = (format!("res{block}.conv{part}"), format!("res{block}.in{part}"));
            NormedConv::new(parameters, &conv, &norm, 1, config)
        };
        Self { parts: (1..=config.residual.convolutions()).map(part).collect() }
    }

    fn forward(&self, x: &Tensor, norm: ApplyNorm<'_>) -> Tensor {
        let mut made = self.parts[0].forward(x, norm);
        for part in &self.parts[1..] {
            made = part.forward(&made.relu(), norm);
        }
        x + made
    }
}

/// The side that the network works on for a side of `length` pixels.
pub(crate) fn inner_side(length: i64) -> i64 {
    let multiple = (length + SIDE_MULTIPLE - 1) / SIDE_MULTIPLE * SIDE_MULTIPLE;
    multiple.max(SHORTEST_SIDE)
}

/// Continues a dimension at its end by its own reflection, back and forth as often as `length` asks for.
pub(crate) fn reflect_to(x: &Tensor, dimension: i64, length: i64) -> Tensor {
    let found = x.size()[dimension as usize];
    if found == length {
        return x.shallow_clone();
    }
    let indices: Vec<i64> = (0..length).map(|index| reflected(index, found)).collect();
    x.index_select(dimension, &Tensor::from_slice(&indices).to_device(x.device()))
}

/// Where an index comes from when `0..length` is mirrored at its ends without repeating them.
pub(crate) fn reflected(index: i64, length: i64) -> i64 {
    if length == 1 {
        return 0;
    }
    let period = 2 * (length - 1);
    let phase = index % period;
    phase.min(period - phase)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tch::Kind;

    use super::*;
    use crate::net::{Padding, Residual, Start, Upsample};

    fn small_net(config: &NetConfig) -> StyleNet {
        let config = NetConfig { width: 2, residual_blocks: 1, ..config.clone() };
        let parameters = Parameters::init(&config, Start::PyTorch, 5, Device::Cpu);
        StyleNet::new(config, parameters)
    }

    #[test]
    fn reflection_bounces() {
        let indices = |length| (0..8).map(|index| reflected(index, length)).collect::<Vec<_>>();
        assert_eq!(indices(3), [0, 1, 2, 1, 0, 1, 2, 1]);
        assert_eq!(indices(2), [0, 1, 0, 1, 0, 1, 0, 1]);
        assert_eq!(indices(1), [0; 8]);
    }

    #[test]
    fn every_kind_of_network_keeps_every_size() {
        let kinds = [
            (Upsample::Nearest, Padding::Reflect),
            (Upsample::Transposed, Padding::Reflect),
            (Upsample::Transposed, Padding::ZeroSame),
            (Upsample::Nearest, Padding::ZeroSame),
        ];
        for (index, (upsample, padding)) in kinds.into_iter().enumerate() {
            let residual = [Residual::Basic, Residual::Bottleneck][index % 2];
            let last_norm = index < 2;
            let net =
                small_net(&NetConfig { residual, upsample, padding, last_norm, ..NetConfig::default() });
            for (height, width) in [(1, 1), (1, 40), (2, 3), (13, 5), (16, 16), (31, 33)] {
                let out = net.forward(&Tensor::rand([2, 3, height, width], tch::kind::FLOAT_CPU));
                assert_eq!(out.size(), [2, 3, height, width], "{upsample:?} {padding:?}");
                assert!(out.isfinite().all().int64_value(&[]) == 1, "{height}x{width}");
            }
        }
    }

    #[test]
    fn input_spaces_are_views_of_the_same_photo() {
        let net = |input| small_net(&NetConfig { input, ..NetConfig::default() });
        let photo = Tensor::rand([1, 3, 16, 20], tch::kind::FLOAT_CPU) * 255.0;
        let plain = net(InputSpace::ByteRgb);
        let unit = net(InputSpace::UnitRgb).forward(&(&photo * 255.0));
        assert!(unit.allclose(&plain.forward(&photo), 1e-4, 1e-3, false));
        let bgr = net(InputSpace::ByteBgr).forward(&photo.flip([1])).flip([1]);
        assert!(bgr.allclose(&plain.forward(&photo), 1e-6, 1e-6, false));
    }

    #[test]
    fn a_fresh_network_starts_at_mid_grey() {
        let net = small_net(&NetConfig::default());
        let out = net.forward(&(Tensor::rand([1, 3, 32, 32], tch::kind::FLOAT_CPU) * 255.0));
        let mean = out.mean(Kind::Float).double_value(&[]);
        assert!((mean - 127.5).abs() < 60.0, "{mean}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn output_size_equals_input_size(height in 1i64..70, width in 1i64..70) {
            let net = small_net(&NetConfig::default());
            let out = net.forward(&Tensor::zeros([1, 3, height, width], tch::kind::FLOAT_CPU));
            prop_assert_eq!(out.size(), [1, 3, height, width]);
        }
    }
}
