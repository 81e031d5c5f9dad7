//! A forward pass through a loss network that can be gone back.

use tch::Tensor;

use super::Layer;
use super::folded::FoldedRecording;
use super::vgg::VggRecording;

/// A forward pass through a loss network that can be gone back.
pub struct Recording<'a>(Recorded<'a>);

enum Recorded<'a> {
    ByHand(VggRecording<'a>),
    ByAutograd(FoldedRecording),
}

impl<'a> Recording<'a> {
    pub(super) fn by_hand(recording: VggRecording<'a>) -> Self {
        Self(Recorded::ByHand(recording))
    }

    pub(super) fn by_autograd(recording: FoldedRecording) -> Self {
        Self(Recorded::ByAutograd(recording))
    }

    /// The activations at a layer, `[n, c, h, w]`, in the precision of the recording and laid out as is best
    /// for it. They know nothing of how they came about.
    ///
    /// # Panics
    /// If the layer was not asked for.
    pub fn features(&self, layer: Layer) -> &Tensor {
        match &self.0 {
            Recorded::ByHand(recording) => recording.features(layer),
            Recorded::ByAutograd(recording) => recording.features(layer),
        }
    }

    /// The gradient with respect to the `byte_rgb` that was recorded, f32 `[n, 3, h, w]`.
    ///
    /// On the way back, from the deepest, each layer that was asked for (and with VGG, those between) is handed to
    /// `add_gradient`: its activations, and the gradient with respect to them that comes from deeper layers, if any is known
    /// (autograd keeps it to itself). It gives back that gradient (which it may use up) with the layer's own added; both are
    /// in the recording's precision, and best laid out as the activations are.
    ///
    /// # Panics
    /// If no layer has a gradient.
    pub fn backward(
        self,
        add_gradient: impl FnMut(Layer, &Tensor, Option<Tensor>) -> Option<Tensor>,
    ) -> Tensor {
        match self.0 {
            Recorded::ByHand(recording) => recording.backward(add_gradient),
            Recorded::ByAutograd(recording) => recording.backward(add_gradient),
        }
    }
}
