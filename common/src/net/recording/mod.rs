//! The pass that trains: painting forwards, the parameters' gradient backwards, written out by hand.
//!
//! It computes what [`StyleNet::forward`] and autograd compute, in less time and memory, with these differences in
//! form. Activations lie channels last. A layer's result is written straight into the buffer whose border the next
//! convolution needs. The bias of a convolution that a norm follows is left out, as the norm takes it away again (its
//! gradient is 0). Enlarging and the convolution behind it are one convolution at the smaller size
//! ([`upsample`]); the last convolution is taken apart by rows ([`output`]).

mod border;
mod conv;
mod norm;
mod output;
mod painter;
mod planar_block;
pub(crate) mod upsample;

#[cfg(test)]
mod tests;

use tch::Tensor;

use self::painter::PaintRecording;
pub(super) use self::upsample::kernel_sums;
use super::StyleNet;
use crate::precision::Precision;

/// A pass through a style network that can be gone back.
pub struct NetRecording<'net> {
    net: &'net StyleNet,
    way: Way,
}

enum Way {
    ByHand(Box<PaintRecording>),
    /// The result, with autograd's graph behind it.
    Autograd(Tensor),
}

impl StyleNet {
    /// [`StyleNet::forward`] in `precision`, f32 `[n, 3, h, w]`, with what it takes to go back. The result itself knows
    /// nothing of how it came about.
    ///
    /// Networks of other families (transposed convolutions, zero padding, bottlenecks, a last norm) go through autograd, in f32, for which the parameters must
    /// be [trainable](super::Parameters::trainable).
    pub fn record(&self, byte_rgb: &Tensor, precision: Precision) -> (Tensor, NetRecording<'_>) {
        if self.config().is_default_family() {
            let (painted, recording) =
                tch::no_grad(|| PaintRecording::paint(self, byte_rgb, precision.kind()));
            return (painted, NetRecording { net: self, way: Way::ByHand(Box::new(recording)) });
        }
        let painted = tch::with_grad(|| self.forward(byte_rgb));
        (painted.detach(), NetRecording { net: self, way: Way::Autograd(painted) })
    }
}

impl NetRecording<'_> {
    /// The gradient with respect to all parameters, f32 `[count]`, laid out as [`super::Parameters::flat`], from that with
    /// respect to what was painted, f32 `[n, 3, h, w]`.
    pub fn backward(self, painted_gradient: &Tensor) -> Tensor {
        match self.way {
            Way::ByHand(recording) => {
                tch::no_grad(|| recording.parameter_gradient(self.net.parameters(), painted_gradient))
            }
            Way::Autograd(painted) => {
                let projected = tch::with_grad(|| painted.flatten(0, 3).dot(&painted_gradient.flatten(0, 3)));
                self.net.parameters().gradient_of(&projected)
            }
        }
    }
}
