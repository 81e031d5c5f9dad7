//! The pass that trains: features forwards, their gradient backwards, written out by hand.
//!
//! The network is frozen and its input is the only thing that is differentiated, so that all that backward needs is
//! where each ReLU was open and what each pooling took; weights are laid out once, and memory is given back on the way.

use tch::{Device, Kind, Tensor};

use super::conv::{FrozenConv, Layout};
use super::follows_pooling;
use crate::channels_last::channels_last;
use crate::fast::{max_pool2x2, max_pool2x2_relu_gradient};
use crate::lossnet::{Features, Layer, Pooling};
use crate::precision::Precision;
use crate::space::{ChannelOrder, LossInputSpace};

/// A frozen network laid out for one precision.
pub(super) struct Extractor {
    kind: Kind,
    layout: Layout,
    pooling: Pooling,
    factor: Tensor, // [1, 3, 1, 1], f32, in R, G, B
    offset: Tensor, // as above
    convolutions: Vec<(Layer, FrozenConv)>,
}

impl Extractor {
    /// From the weights and biases of the network's layers, from the shallowest to the deepest.
    pub(super) fn new<'a>(
        input_space: &LossInputSpace,
        pooling: Pooling,
        layers: impl IntoIterator<Item = (Layer, &'a Tensor, &'a Tensor)>,
        precision: Precision,
    ) -> Self {
        let kind = precision.kind();
        let layers: Vec<_> = layers.into_iter().collect();
        let is_on_cpu = layers.iter().all(|(_, weight, _)| weight.device() == Device::Cpu);
        let layout = if kind == Kind::Float && is_on_cpu { Layout::Planar } else { Layout::ChannelsLast };
        let (mut factor, mut offset) = input_space.factor_and_offset();
        let is_bgr = input_space.channel_order == ChannelOrder::Bgr;
        if is_bgr {
            (factor, offset) = (factor.flip([1]), offset.flip([1]));
        }
        let convolutions: Vec<(Layer, FrozenConv)> = layers
            .into_iter()
            .enumerate()
            .map(|(place, (layer, weight, bias))| {
                // The first weights are brought into the picture's own order of channels, once, instead of each picture
                // into theirs.
                let weight = if is_bgr && place == 0 { weight.flip([1]) } else { weight.shallow_clone() };
                (factor, offset) = (factor.to_device(weight.device()), offset.to_device(weight.device()));
                (layer, FrozenConv::new(&weight, bias, kind, layout))
            })
            .collect();
        Self { kind, layout, pooling, factor, offset, convolutions }
    }

    /// The activations at `layers`, no deeper than the deepest of them and without a recording.
    pub(super) fn features(&self, byte_rgb: &Tensor, layers: &[Layer]) -> Features {
        let mut features = Features::new();
        self.run(byte_rgb, layers, |layer, activation, _| {
            if layers.contains(&layer) {
                features.insert(layer, activation);
            }
        });
        features
    }

    /// The activations at `layers`, and what it takes to go back.
    pub(super) fn record(&self, byte_rgb: &Tensor, layers: &[Layer]) -> VggRecording<'_> {
        let mut steps = Vec::new();
        self.run(byte_rgb, layers, |layer, activation, pooled_from| {
            steps.push(Step { layer, activation, pooled_from });
        });
        VggRecording { extractor: self, steps }
    }

    /// Gives every activation up to the deepest of `layers` away, with the pooling before it where there is one.
    fn run(
        &self,
        byte_rgb: &Tensor,
        layers: &[Layer],
        mut take: impl FnMut(Layer, Tensor, Option<PoolingStep>),
    ) {
        let Some(&deepest) = layers.iter().max() else { return };
        assert!(self.convolutions.iter().any(|(layer, _)| *layer == deepest), "{deepest} was not loaded");
        tch::no_grad(|| {
            let loss_input = byte_rgb.to_kind(Kind::Float) * &self.factor + &self.offset;
            let mut x = match self.layout {
                Layout::Planar => loss_input.contiguous(),
                Layout::ChannelsLast => channels_last(&loss_input, self.kind),
            };
            for (layer, convolution) in &self.convolutions {
                let mut pooled_from = None;
                if follows_pooling(*layer) {
                    let (pooled, step) = PoolingStep::forward(self.pooling, self.layout, x);
                    (x, pooled_from) = (pooled, Some(step));
                }
                x = convolution.forward_relu(&x);
                take(*layer, x.shallow_clone(), pooled_from);
                if *layer == deepest {
                    break;
                }
            }
        });
    }
}

/// A forward pass through a loss network that can be gone back.
pub(in crate::lossnet) struct VggRecording<'a> {
    extractor: &'a Extractor,
    steps: Vec<Step>,
}

struct Step {
    layer: Layer,
    activation: Tensor, // after ReLU, channels last
    pooled_from: Option<PoolingStep>,
}

impl VggRecording<'_> {
    /// The activations at a layer, `[n, c, h, w]`, in the precision of the recording and laid out as is best
    /// for it.
    ///
    /// # Panics
    /// If the recording is not as deep.
    pub(in crate::lossnet) fn features(&self, layer: Layer) -> &Tensor {
        let step = self.steps.iter().find(|step| step.layer == layer);
        &step.unwrap_or_else(|| panic!("{layer} was not recorded")).activation
    }

    /// The gradient with respect to the `byte_rgb` that was recorded, f32 `[n, 3, h, w]`.
    ///
    /// On the way back each layer is handed to `add_gradient`: its activations, and the gradient with respect to them
    /// that comes from deeper layers, if any does. It gives back that gradient (which it may use up) with the layer's own
    /// added; both are in the recording's precision, and best laid out as the activations are.
    ///
    /// # Panics
    /// If no layer has a gradient.
    pub(in crate::lossnet) fn backward(
        mut self,
        mut add_gradient: impl FnMut(Layer, &Tensor, Option<Tensor>) -> Option<Tensor>,
    ) -> Tensor {
        tch::no_grad(|| {
            let mut gradient: Option<Tensor> = None;
            while let Some(Step { layer, activation, pooled_from }) = self.steps.pop() {
                let Some(own) = add_gradient(layer, &activation, gradient.take()) else { continue };
                // Closed ReLUs let nothing through; the mask is laid on in place.
                let masked = activation.threshold_backward_grad_input(&own, &own, 0.0);
                drop(activation);
                let below = self.convolution(layer).input_gradient(&masked);
                gradient = Some(match pooled_from {
                    Some(step) => step.backward(self.extractor.pooling, &below),
                    None => below,
                });
            }
            let gradient = gradient.expect("a gradient at some layer");
            gradient.to_kind(Kind::Float) * &self.extractor.factor
        })
    }

    fn convolution(&self, layer: Layer) -> &FrozenConv {
        let found = self.extractor.convolutions.iter().find(|(at, _)| *at == layer);
        &found.expect("recorded by this extractor").1
    }
}

/// A 2x2 pooling of stride 2 that was done.
struct PoolingStep {
    input: Tensor,
    largest: Option<Tensor>, // places of the largest, where backward does not look for them itself
}

impl PoolingStep {
    fn forward(pooling: Pooling, layout: Layout, input: Tensor) -> (Tensor, Self) {
        match (pooling, layout) {
            (Pooling::Max, Layout::Planar) => (max_pool2x2(&input), Self { input, largest: None }),
            (Pooling::Max, Layout::ChannelsLast) => {
                let (pooled, largest) = input.max_pool2d_with_indices(2, 2, 0, 1, /*ceil_mode=*/ false);
                (pooled, Self { input, largest: Some(largest) })
            }
            (Pooling::Average, _) => {
                (input.avg_pool2d(2, 2, 0, /*ceil_mode=*/ false, true, None), Self { input, largest: None })
            }
        }
    }

    fn backward(self, pooling: Pooling, gradient: &Tensor) -> Tensor {
        let Self { input, largest } = self;
        match (pooling, largest) {
            // The ReLU before it is gone back through along the way; a second time changes nothing.
            (Pooling::Max, None) => max_pool2x2_relu_gradient(gradient, &input, None),
            (Pooling::Max, Some(largest)) => {
                input.max_pool2d_with_indices_backward(
                    gradient, 2, 2, 0, 1, /*ceil_mode=*/ false, &largest,
                )
            }
            (Pooling::Average, _) => {
                input.avg_pool2d_backward(gradient, 2, 2, 0, /*ceil_mode=*/ false, true, None)
            }
        }
    }
}
