//! The parameters of a style network: one flat buffer, and named views into it.

use std::collections::BTreeMap;

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use tch::{Device, Kind, Tensor};

use super::{NetConfig, Residual, Upsample};
use crate::tensor_file::ExpectedTensor;

/// One named parameter and how it starts.
#[derive(Clone, Debug, PartialEq)]
pub struct ParameterSpec {
    /// Its name in pytorch/examples.
    pub name: String,
    /// Its shape.
    pub shape: Vec<i64>,
    init: Init,
}

/// How a fresh network starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Start {
    /// As PyTorch draws layers by default.
    PyTorch,
    /// The same, but for the last norm of each residual block, whose scale starts at 0, so that the blocks start as the
    /// identity (Goyal et al. 2017, <https://arxiv.org/abs/1706.02677>, section 5.1). A departure from Johnson et al.:
    /// the style is learnt as fast and more of the photo is kept on the way (docs/records/2026-11-20-start.md).
    IdentityBlocks,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Init {
    Constant(f64),
    /// Uniform in ±bound.
    Uniform {
        bound: f64,
    },
}

impl ParameterSpec {
    fn element_count(&self) -> i64 {
        self.shape.iter().product()
    }

    /// Whether it scales what a residual block adds.
    fn ends_residual_block(&self, residual: Residual) -> bool {
        self.name.starts_with("res") && self.name.ends_with(&format!(".in{}.weight", residual.convolutions()))
    }

    /// The bound of the uniform distribution that the parameter is drawn from; `None` if it starts constant.
    pub fn init_bound(&self) -> Option<f64> {
        match self.init {
            Init::Uniform { bound } => Some(bound),
            Init::Constant(_) => None,
        }
    }
}

/// Every parameter of a network, in the order of the forward pass, which is that of the flat buffer.
pub fn parameter_specs(config: &NetConfig) -> Vec<ParameterSpec> {
    let width = config.width;
    let mut specs = SpecList::default();
    specs.conv("conv1", 3, width, 9);
    specs.norm("in1", width);
    specs.conv("conv2", width, 2 * width, 3);
    specs.norm("in2", 2 * width);
    specs.conv("conv3", 2 * width, 4 * width, 3);
    specs.norm("in3", 4 * width);
    for block in 1..=config.residual_blocks {
        let mut part = |part: usize, inputs, outputs, kernel| {
            specs.conv(&format!("res{block}.conv{part}"), inputs, outputs, kernel);
            specs.norm(&format!("res{block}.in{part}"), outputs);
        };
        match config.residual {
            Residual::Basic => {
                part(1, 4 * width, 4 * width, 3);
                part(2, 4 * width, 4 * width, 3);
            }
            Residual::Bottleneck => {
                part(1, 4 * width, 2 * width, 1);
                part(2, 2 * width, 2 * width, 3);
                part(3, 2 * width, 4 * width, 1);
            }
        }
    }
    specs.upsample("deconv1", 4 * width, 2 * width, config.upsample);
    specs.norm("in4", 2 * width);
    specs.upsample("deconv2", 2 * width, width, config.upsample);
    specs.norm("in5", width);
    specs.conv("deconv3", width, 3, 9);
    if config.last_norm {
        specs.norm("in6", 3);
    }
    specs.0
}

/// Parameters in the making.
#[derive(Default)]
pub(super) struct SpecList(pub(super) Vec<ParameterSpec>);

impl SpecList {
    fn push(&mut self, name: String, shape: Vec<i64>, init: Init) {
        self.0.push(ParameterSpec { name, shape, init });
    }

    /// PyTorch's default for convolutions: weights and biases uniform in ±1/sqrt(fan in).
    pub(super) fn conv(&mut self, name: &str, inputs: i64, outputs: i64, kernel: i64) {
        self.kernel(name, vec![outputs, inputs, kernel, kernel], outputs, inputs * kernel * kernel);
    }

    fn upsample(&mut self, name: &str, inputs: i64, outputs: i64, upsample: Upsample) {
        match upsample {
            Upsample::Nearest => self.conv(name, inputs, outputs, 3),
            // A transposed convolution stores inputs first, and PyTorch takes its second dimension for the fan in.
            Upsample::Transposed => self.kernel(name, vec![inputs, outputs, 3, 3], outputs, outputs * 9),
        }
    }

    fn kernel(&mut self, name: &str, shape: Vec<i64>, outputs: i64, fan_in: i64) {
        let init = Init::Uniform { bound: (fan_in as f64).sqrt().recip() };
        self.push(format!("{name}.conv2d.weight"), shape, init);
        self.push(format!("{name}.conv2d.bias"), vec![outputs], init);
    }

    pub(super) fn norm(&mut self, name: &str, channels: i64) {
        self.push(format!("{name}.weight"), vec![channels], Init::Constant(1.0));
        self.push(format!("{name}.bias"), vec![channels], Init::Constant(0.0));
    }

    /// A convolution whose result starts as 0.
    pub(super) fn silent_conv(&mut self, name: &str, inputs: i64, outputs: i64, kernel: i64) {
        self.push(
            format!("{name}.conv2d.weight"),
            vec![outputs, inputs, kernel, kernel],
            Init::Constant(0.0),
        );
        self.push(format!("{name}.conv2d.bias"), vec![outputs], Init::Constant(0.0));
    }

    /// A norm whose result starts as 0.
    pub(super) fn silent_norm(&mut self, name: &str, channels: i64) {
        self.push(format!("{name}.weight"), vec![channels], Init::Constant(0.0));
        self.push(format!("{name}.bias"), vec![channels], Init::Constant(0.0));
    }
}

/// The parameters of one network: a flat f32 buffer that the optimiser works on, and a leaf tensor for each name
/// that shares its memory, which the forward pass uses.
///
/// The leaves are views made outside autograd, so that a gradient arrives per name and is gathered once into a flat
/// one; were they narrowed inside the graph, each of them would send a gradient of the whole buffer's size.
pub struct Parameters {
    specs: Vec<ParameterSpec>,
    flat: Tensor,
    leaves: Vec<Tensor>,
}

impl Parameters {
    /// Fresh parameters, from a generator that gives the same numbers on every machine and device.
    pub fn init(config: &NetConfig, start: Start, seed: u64, device: Device) -> Self {
        let mut specs = parameter_specs(config);
        if start == Start::IdentityBlocks {
            for spec in specs.iter_mut().filter(|spec| spec.ends_residual_block(config.residual)) {
                spec.init = Init::Constant(0.0);
            }
        }
        Self::draw(specs, seed, device)
    }

    /// Fresh parameters as `specs` say, from a generator that gives the same numbers on every machine and device.
    pub(super) fn draw(specs: Vec<ParameterSpec>, seed: u64, device: Device) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut values: Vec<f32> = Vec::new();
        for spec in &specs {
            let count = spec.element_count() as usize;
            match spec.init {
                Init::Constant(value) => values.resize(values.len() + count, value as f32),
                Init::Uniform { bound } => {
                    values.extend((0..count).map(|_| ((rng.random::<f64>() * 2.0 - 1.0) * bound) as f32));
                }
            }
        }
        Self::from_flat(specs, Tensor::from_slice(&values).to_device(device))
    }

    /// Parameters of given values.
    ///
    /// # Panics
    /// If a name is missing or a shape is not that of `config`: files are checked against
    /// [`Parameters::expected_tensors`] before.
    pub fn from_named(config: &NetConfig, named: &BTreeMap<String, Tensor>, device: Device) -> Self {
        let specs = parameter_specs(config);
        let flattened: Vec<Tensor> = specs
            .iter()
            .map(|spec| {
                let tensor = &named[&spec.name];
                assert_eq!(tensor.size(), spec.shape, "shape of {}", spec.name);
                tensor.to_kind(Kind::Float).to_device(device).reshape([-1])
            })
            .collect();
        Self::from_flat(specs, Tensor::cat(&flattened, 0))
    }

    /// The parameters in a flat buffer `[count]`, sharing its memory.
    ///
    /// # Panics
    /// If it does not hold as many numbers as a network of this configuration has.
    pub fn around(config: &NetConfig, flat: &Tensor) -> Self {
        assert_eq!(flat.size(), [Self::count(config)], "parameters of the network");
        Self::from_flat(parameter_specs(config), flat.shallow_clone())
    }

    /// The mean of networks of this configuration, number by number, each with the share beside it; all shares together are 1.
    ///
    /// Networks that learnt one thing on from the same beginning have a mean that often is better than any of them
    /// (stochastic weight averaging, Izmailov et al. 2018, section 3; model soups, Wortsman et al. 2022, section 2).
    ///
    /// # Panics
    /// If there is none, or one has not as many numbers as a network of this configuration.
    pub fn mean(config: &NetConfig, networks: &[(Self, f64)]) -> Self {
        let parts = networks.iter().map(|(network, share)| network.flat.detach() * *share);
        Self::around(config, &parts.reduce(|sum, part| sum + part).expect("at least one network"))
    }

    /// How many numbers a network of this configuration has.
    pub fn count(config: &NetConfig) -> i64 {
        parameter_specs(config).iter().map(ParameterSpec::element_count).sum()
    }

    fn from_flat(specs: Vec<ParameterSpec>, flat: Tensor) -> Self {
        let mut offset = 0;
        let leaves = specs
            .iter()
            .map(|spec| {
                let length = spec.element_count();
                let view = flat.narrow(0, offset, length).view(spec.shape.as_slice()).detach();
                offset += length;
                view
            })
            .collect();
        debug_assert_eq!(offset, flat.numel() as i64);
        Self { specs, flat, leaves }
    }

    /// Names and shapes that a file must hold for a network of this configuration.
    pub fn expected_tensors(config: &NetConfig) -> Vec<ExpectedTensor> {
        parameter_specs(config).into_iter().map(|spec| (spec.name, spec.shape)).collect()
    }

    /// A factor on the learning rate for each parameter, `[count]`, laid out as [`Parameters::flat`]: `output` for the last
    /// convolution, 1 for the others. The last convolution is the only one that no norm follows, so that its step size is
    /// that of the picture itself: one step of Adam moves all of its weights together by the whole rate.
    pub fn rate_factors(&self, output: f64) -> Tensor {
        let factors: Vec<Tensor> = self
            .specs
            .iter()
            .map(|spec| {
                let factor = if spec.name.starts_with("deconv3.") { output } else { 1.0 };
                Tensor::full([spec.element_count()], factor, (Kind::Float, self.flat.device()))
            })
            .collect();
        Tensor::cat(&factors, 0)
    }

    /// From now on a forward pass through these parameters is recorded, so that it can be differentiated.
    #[must_use]
    pub fn trainable(mut self) -> Self {
        self.leaves = self.leaves.into_iter().map(|leaf| leaf.set_requires_grad(true)).collect();
        self
    }

    /// The whole of them, `[count]`, f32. Writing to it moves the network.
    pub fn flat(&self) -> &Tensor {
        &self.flat
    }

    /// Each parameter by name, in the flat buffer's order.
    pub fn named(&self) -> impl Iterator<Item = (&str, &Tensor)> {
        self.specs.iter().map(|spec| spec.name.as_str()).zip(&self.leaves)
    }

    /// The parameter of this name.
    ///
    /// # Panics
    /// If there is none.
    pub(crate) fn get(&self, name: &str) -> Tensor {
        let index = self.specs.iter().position(|spec| spec.name == name);
        self.leaves[index.unwrap_or_else(|| panic!("no parameter {name}"))].shallow_clone()
    }

    /// Views by name into `flat` `[count]`, which is laid out as [`Parameters::flat`].
    pub(super) fn views_into<'a>(&'a self, flat: &'a Tensor) -> NamedViews<'a> {
        NamedViews { specs: &self.specs, flat }
    }

    /// The gradient of a scalar with respect to all parameters, `[count]`, laid out as [`Parameters::flat`].
    ///
    /// # Panics
    /// If the parameters are not [trainable](Parameters::trainable) or `loss` does not depend on all of them.
    pub fn gradient_of(&self, loss: &Tensor) -> Tensor {
        let gradients = Tensor::run_backward(
            &[loss],
            &self.leaves,
            /*keep_graph=*/ false,
            /*create_graph=*/ false,
        );
        let flattened: Vec<Tensor> = gradients.iter().map(|gradient| gradient.reshape([-1])).collect();
        Tensor::cat(&flattened, 0)
    }
}

/// Views into a flat buffer, by the names of the parameters that it is laid out for.
pub(super) struct NamedViews<'a> {
    specs: &'a [ParameterSpec],
    flat: &'a Tensor,
}

impl NamedViews<'_> {
    /// The view of this name; writing to it writes to the buffer.
    ///
    /// # Panics
    /// If there is none.
    pub(super) fn get(&self, name: &str) -> Tensor {
        let mut offset = 0;
        for spec in self.specs {
            let length = spec.element_count();
            if spec.name == name {
                return self.flat.narrow(0, offset, length).view(spec.shape.as_slice());
            }
            offset += length;
        }
        panic!("no parameter {name}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_network_has_the_published_number_of_parameters() {
        let parameters = Parameters::init(&NetConfig::default(), Start::PyTorch, 0, Device::Cpu);
        assert_eq!(parameters.flat().numel(), 1_679_235);
    }

    #[test]
    fn a_seed_determines_every_parameter() {
        let config = NetConfig { width: 4, ..NetConfig::default() };
        let [a, b, other] =
            [7, 7, 8].map(|seed| Parameters::init(&config, Start::PyTorch, seed, Device::Cpu));
        assert!(a.flat().equal(b.flat()));
        assert!(!a.flat().equal(other.flat()));
    }

    #[test]
    fn parameters_fill_their_distribution_and_stay_inside() {
        let config = NetConfig::default();
        let parameters = Parameters::init(&config, Start::PyTorch, 1, Device::Cpu);
        for (spec, (name, leaf)) in parameter_specs(&config).iter().zip(parameters.named()) {
            assert_eq!(spec.name, name);
            if let Some(bound) = spec.init_bound() {
                let largest = leaf.abs().max().double_value(&[]);
                assert!(largest <= bound, "{name}");
                assert!(leaf.numel() < 1000 || largest > 0.99 * bound, "{name}: {largest} of {bound}");
            }
        }
    }

    #[test]
    fn blocks_that_start_as_the_identity_differ_in_nothing_else() {
        let config = NetConfig { width: 4, ..NetConfig::default() };
        let [plain, identity] = [Start::PyTorch, Start::IdentityBlocks]
            .map(|start| Parameters::init(&config, start, 7, Device::Cpu));
        for ((name, a), (_, b)) in plain.named().zip(identity.named()) {
            let ends_block = name.starts_with("res") && name.ends_with("in2.weight");
            assert!(if ends_block { b.abs().max().double_value(&[]) == 0.0 } else { a.equal(b) }, "{name}");
        }
    }

    #[test]
    fn only_the_output_layer_has_a_rate_of_its_own() {
        let config = NetConfig { width: 4, ..NetConfig::default() };
        let parameters = Parameters::init(&config, Start::PyTorch, 7, Device::Cpu);
        let factors = parameters.rate_factors(0.25);
        assert_eq!(factors.size(), parameters.flat().size());
        let output_count = 4 * 3 * 81 + 3;
        let slowed = factors.lt(1.0).sum(Kind::Int64).int64_value(&[]);
        assert_eq!(slowed, output_count);
        assert_eq!(
            factors.narrow(0, factors.size()[0] - output_count, output_count).max().double_value(&[]),
            0.25
        );
    }

    #[test]
    fn leaves_share_the_flat_memory() {
        let parameters = Parameters::init(&NetConfig::default(), Start::PyTorch, 1, Device::Cpu).trainable();
        let _ = parameters.flat().shallow_clone().fill_(3.0);
        let (_, first) = parameters.named().next().unwrap();
        assert_eq!(first.double_value(&[0, 0, 0, 0]), 3.0);
    }

    #[test]
    fn the_gradient_is_laid_out_as_the_parameters() {
        let config = NetConfig { width: 2, residual_blocks: 1, ..NetConfig::default() };
        let parameters = Parameters::init(&config, Start::PyTorch, 1, Device::Cpu).trainable();
        // The gradient of the sum of squares is twice the parameters.
        let loss: Tensor = parameters.named().map(|(_, leaf)| leaf.square().sum(Kind::Float)).sum();
        let gradient = parameters.gradient_of(&loss);
        assert!(gradient.allclose(&(parameters.flat() * 2.0), 1e-6, 1e-7, false));
    }
}
