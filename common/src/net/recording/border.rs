//! Activations with the border that the next convolution needs around them.

use tch::{Device, Kind, Tensor};

use crate::channels_last::empty_channels_last;

/// What lies beyond an activation's border, and how far.
#[derive(Clone, Copy)]
pub(super) enum Border {
    /// This many pixels, mirrored at the outermost ones.
    Mirrored(i64),
    /// One pixel, the outermost once more.
    Repeated,
}

/// A buffer `[n, c, h + 2 border, w + 2 border]`, channels last.
pub(super) struct Bordered {
    pub(super) buffer: Tensor,
    pub(super) border: Border,
}

impl Border {
    fn width(self) -> i64 {
        match self {
            Self::Mirrored(width) => width,
            Self::Repeated => 1,
        }
    }

    /// Where the first border's pixels come from: border pixels `0..width` show `source..source + width`, backwards.
    fn source_offset(self) -> i64 {
        match self {
            Self::Mirrored(width) => width + 1,
            Self::Repeated => 1,
        }
    }

    /// The part of `buffer` inside the border, as a view.
    fn inside(self, buffer: &Tensor) -> Tensor {
        let width = self.width();
        let (_, _, height_all, width_all) = buffer.size4().expect("four dimensions");
        buffer.narrow(2, width, height_all - 2 * width).narrow(3, width, width_all - 2 * width)
    }

    /// Both strips of border along `dimension`, each with the pixels that it shows.
    fn strips(self, buffer: &Tensor, dimension: i64) -> [(Tensor, Tensor); 2] {
        let (width, offset) = (self.width(), self.source_offset());
        let length = buffer.size()[dimension as usize];
        let strip = |start: i64| buffer.narrow(dimension, start, width);
        [(strip(0), strip(offset)), (strip(length - width), strip(length - offset - width))]
    }

    /// From the gradient with respect to a bordered buffer, which is used up, that with respect to what is inside, as a
    /// view: a pixel that the border shows has its border's gradient too.
    pub(super) fn fold(self, gradient: &Tensor) -> Tensor {
        for dimension in [3, 2] {
            for (border, mut source) in self.strips(gradient, dimension) {
                source += turned(&border, dimension);
            }
        }
        self.inside(gradient)
    }
}

/// A strip in the opposite order.
fn turned(strip: &Tensor, dimension: i64) -> Tensor {
    if strip.size()[dimension as usize] == 1 { strip.shallow_clone() } else { strip.flip([dimension]) }
}

impl Bordered {
    /// For activations `[n, c, h, w]`, uninitialised.
    pub(super) fn empty([n, c, h, w]: [i64; 4], border: Border, kind: Kind, device: Device) -> Self {
        let both = 2 * border.width();
        Self { buffer: empty_channels_last([n, c, h + both, w + both], kind, device), border }
    }

    /// Activations `x` `[n, c, h, w]` with their border, as `kind`.
    pub(super) fn around(x: &Tensor, border: Border, kind: Kind) -> Self {
        let size = <[i64; 4]>::try_from(x.size()).expect("four dimensions");
        let bordered = Self::empty(size, border, kind, x.device());
        bordered.inside().copy_(x);
        bordered.fill_border();
        bordered
    }

    /// The activations, as a view that can be written to; [`Bordered::fill_border`] must follow.
    pub(super) fn inside(&self) -> Tensor {
        self.border.inside(&self.buffer)
    }

    /// Makes the border show what is inside.
    pub(super) fn fill_border(&self) {
        for dimension in [2, 3] {
            for (mut border, source) in self.border.strips(&self.buffer, dimension) {
                border.copy_(&turned(&source, dimension));
            }
        }
    }
}
