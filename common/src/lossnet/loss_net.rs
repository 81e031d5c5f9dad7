//! A loss network, whichever it is.

use std::collections::BTreeMap;

use tch::Tensor;

use super::folded::{self, FoldedNet};
use super::vgg::Vgg;
use super::{Arch, Layer, Recording};
use crate::precision::Precision;
use crate::space::LossInputSpace;

/// How a network's poolings halve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pooling {
    /// The largest of each window, as the networks were trained.
    Max,
    /// The mean of each window (Gatys et al. 2015, section 2, for smoother results).
    Average,
}

/// Activations by layer.
pub type Features = BTreeMap<Layer, Tensor>;

/// A frozen network up to the deepest layer that anybody asked for.
pub struct LossNet {
    arch: Arch,
    input_space: LossInputSpace,
    network: Network,
}

enum Network {
    Vgg(Vgg),
    Folded(FoldedNet),
}

impl LossNet {
    /// A network around given tensors under torchvision's names, up to the deepest of `layers`.
    ///
    /// # Panics
    /// If the network has not all of `layers`.
    pub fn from_tensors(
        arch: Arch,
        input_space: LossInputSpace,
        layers: &[Layer],
        tensor: impl Fn(&str, &[i64]) -> Tensor,
    ) -> Self {
        let deepest = layers.iter().max().copied();
        assert!(layers.iter().all(|&layer| arch.has(layer)), "not all of {layers:?} are layers of {arch}");
        let layers: Vec<Layer> = arch.layers().take_while(|&layer| Some(layer) <= deepest).collect();
        let network = match arch {
            Arch::Vgg16 | Arch::Vgg19 => Network::Vgg(Vgg::new(arch, input_space.clone(), &layers, tensor)),
            Arch::ResNet50 | Arch::InceptionV3 => {
                Network::Folded(FoldedNet::new(input_space.clone(), &layers, tensor))
            }
        };
        Self { arch, input_space, network }
    }

    /// The same network with its poolings like this: all of a VGG network's, those of the stem of the others (ResNet-50's
    /// `maxpool`, Inception-v3's `maxpool1` and `maxpool2`), whose stages halve in other ways.
    #[must_use]
    pub fn with_pooling(self, pooling: Pooling) -> Self {
        let network = match self.network {
            Network::Vgg(vgg) => Network::Vgg(vgg.with_pooling(pooling)),
            Network::Folded(net) => Network::Folded(net.with_pooling(pooling)),
        };
        Self { network, ..self }
    }

    /// Which network it is.
    pub fn arch(&self) -> Arch {
        self.arch
    }

    /// What its first convolution wants to see.
    pub fn input_space(&self) -> &LossInputSpace {
        &self.input_space
    }

    /// The activations of `byte_rgb` `[n, 3, h, w]` at `layers`, each `[n, channels, h', w']`. Nothing deeper than the
    /// deepest of them is computed.
    ///
    /// # Panics
    /// If a layer is deeper than the network was loaded, or the picture too small for it: `h` and `w` must be at least
    /// [`LossNet::smallest_side`].
    pub fn features(&self, byte_rgb: &Tensor, layers: &[Layer]) -> Features {
        match &self.network {
            Network::Vgg(vgg) => vgg.features(byte_rgb, layers),
            Network::Folded(net) => net.features(byte_rgb, layers),
        }
    }

    /// [`LossNet::features`] in `precision`, laid out as is best for it; nothing of it can be differentiated. Networks other
    /// than VGG compute in f32 whatever is asked for.
    ///
    /// # Panics
    /// As [`LossNet::features`].
    pub fn features_in(&self, byte_rgb: &Tensor, layers: &[Layer], precision: Precision) -> Features {
        match &self.network {
            Network::Vgg(vgg) => vgg.features_in(byte_rgb, layers, precision),
            Network::Folded(net) => tch::no_grad(|| net.features(byte_rgb, layers)),
        }
    }

    /// [`LossNet::features`] in `precision`, with what it takes to go back: the pass that trains. For VGG it computes the same
    /// as [`LossNet::features`] and autograd, in less time and memory; the others are recorded by autograd, in f32 whatever
    /// is asked for.
    ///
    /// # Panics
    /// As [`LossNet::features`].
    pub fn record(&self, byte_rgb: &Tensor, layers: &[Layer], precision: Precision) -> Recording<'_> {
        match &self.network {
            Network::Vgg(vgg) => Recording::by_hand(vgg.record(byte_rgb, layers, precision)),
            Network::Folded(net) => Recording::by_autograd(net.record(byte_rgb, layers)),
        }
    }

    /// The shortest side of a picture that still has a pixel at `layer`.
    pub fn smallest_side(layer: Layer) -> u32 {
        match layer.vgg_place() {
            Some((block, _)) => 1 << (block - 1),
            None => folded::smallest_side(layer),
        }
    }
}
