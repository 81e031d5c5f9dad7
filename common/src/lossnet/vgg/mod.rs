//! VGG-16 and VGG-19: the convolutional part, under torchvision's key names.

mod conv;
mod extractor;

use std::cell::OnceCell;

use tch::Tensor;

use self::extractor::Extractor;
pub(super) use self::extractor::VggRecording;
use super::{Arch, Features, Layer, Pooling};
use crate::precision::Precision;
use crate::space::LossInputSpace;
use crate::tensor_file::ExpectedTensor;

pub(super) fn convolutions_of_block(arch: Arch, block: u8) -> u8 {
    match (arch, block) {
        (_, 1 | 2) => 2,
        (Arch::Vgg16, _) => 3,
        _ => 4,
    }
}

/// The number N of torchvision's `features.N` for a convolution: each convolution and its ReLU count one, each pooling one.
fn feature_index(arch: Arch, block: u8, index: u8) -> usize {
    let convolutions_before =
        (1..block).map(|block| usize::from(convolutions_of_block(arch, block))).sum::<usize>()
            + usize::from(index)
            - 1;
    let poolings_before = usize::from(block) - 1;
    2 * convolutions_before + poolings_before
}

fn channels_of_block(block: u8) -> i64 {
    (64 << (block - 1)).min(512)
}

/// The names and shapes of the weight and the bias under a layer.
pub(super) fn expected_tensors(arch: Arch, block: u8, index: u8) -> [ExpectedTensor; 2] {
    let outputs = channels_of_block(block);
    let inputs = match (block, index) {
        (1, 1) => 3,
        (block, 1) => channels_of_block(block - 1),
        _ => outputs,
    };
    let name = format!("features.{}", feature_index(arch, block, index));
    [(format!("{name}.weight"), vec![outputs, inputs, 3, 3]), (format!("{name}.bias"), vec![outputs])]
}

/// A pooling comes before the first convolution of each block but the first.
fn follows_pooling(layer: Layer) -> bool {
    matches!(layer.vgg_place(), Some((2.., 1)))
}

/// The first layers of a VGG network.
pub(super) struct Vgg {
    input_space: LossInputSpace,
    pooling: Pooling,
    convolutions: Vec<Convolution>,
    extractors: Extractors,
}

/// The network laid out for the pass that trains, for each precision that was asked for.
#[derive(Default)]
struct Extractors {
    f32: OnceCell<Extractor>,
    bf16: OnceCell<Extractor>,
}

struct Convolution {
    layer: Layer,
    weight: Tensor, // [outputs, inputs, 3, 3]
    bias: Tensor,
}

impl Vgg {
    /// Of `layers`, from the first on.
    pub(super) fn new(
        arch: Arch,
        input_space: LossInputSpace,
        layers: &[Layer],
        tensor: impl Fn(&str, &[i64]) -> Tensor,
    ) -> Self {
        let convolutions = layers
            .iter()
            .map(|&layer| {
                let (block, index) = layer.vgg_place().expect("a VGG network has VGG's layers");
                let [weight, bias] =
                    expected_tensors(arch, block, index).map(|(name, shape)| tensor(&name, &shape));
                Convolution { layer, weight, bias }
            })
            .collect();
        Self { input_space, pooling: Pooling::Max, convolutions, extractors: Extractors::default() }
    }

    pub(super) fn with_pooling(self, pooling: Pooling) -> Self {
        Self { pooling, extractors: Extractors::default(), ..self }
    }

    pub(super) fn features(&self, byte_rgb: &Tensor, layers: &[Layer]) -> Features {
        let Some(&deepest) = layers.iter().max() else { return Features::new() };
        assert!(
            self.convolutions.iter().any(|convolution| convolution.layer == deepest),
            "{deepest} was not loaded"
        );
        let mut features = Features::new();
        let mut x = self.input_space.loss_input_from_byte_rgb(byte_rgb);
        for Convolution { layer, weight, bias } in &self.convolutions {
            if follows_pooling(*layer) {
                x = match self.pooling {
                    Pooling::Max => x.max_pool2d(2, 2, 0, 1, /*ceil_mode=*/ false),
                    Pooling::Average => x.avg_pool2d(2, 2, 0, /*ceil_mode=*/ false, true, None),
                };
            }
            x = x.conv2d(weight, Some(bias), 1, 1, 1, 1).relu();
            if layers.contains(layer) {
                features.insert(*layer, x.shallow_clone());
            }
            if *layer == deepest {
                break;
            }
        }
        features
    }

    pub(super) fn features_in(&self, byte_rgb: &Tensor, layers: &[Layer], precision: Precision) -> Features {
        self.extractor(precision).features(byte_rgb, layers)
    }

    pub(super) fn record(
        &self,
        byte_rgb: &Tensor,
        layers: &[Layer],
        precision: Precision,
    ) -> VggRecording<'_> {
        self.extractor(precision).record(byte_rgb, layers)
    }

    fn extractor(&self, precision: Precision) -> &Extractor {
        let cell = match precision {
            Precision::F32 | Precision::Tf32 => &self.extractors.f32,
            Precision::Bf16 => &self.extractors.bf16,
        };
        cell.get_or_init(|| {
            let layers =
                self.convolutions.iter().map(|Convolution { layer, weight, bias }| (*layer, weight, bias));
            tch::no_grad(|| Extractor::new(&self.input_space, self.pooling, layers, precision))
        })
    }
}
