//! What the optimiser moves: the pixels, or the weights of a network that makes them.

use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use tch::{Device, Tensor};

use super::inputs::at_size;
use super::objective::SizedPictures;
use super::{GatysSettings, Parametrization, Start};
use crate::net::PairNet;

/// A picture as a function of one flat buffer of parameters.
pub(super) struct Canvas {
    surface: Surface,
    size: (u32, u32),
}

enum Surface {
    /// The parameters are `byte_rgb`; outside of the hole, where there is one, they are kept as they are.
    Pixels { hole: Option<Tensor> },
    /// The parameters are the network's; it paints the photo.
    Network { net: Box<PairNet>, photo: Tensor },
}

/// A picture that was drawn, and what it takes to go back.
pub(super) struct Drawn {
    /// `[1, 3, h, w]`, knowing nothing of how it came about.
    pub(super) byte_rgb: Tensor,
    graph: Option<Tensor>,
}

impl Canvas {
    /// A canvas at its first size, and the parameters that it starts with, `[count]`.
    pub(super) fn first(
        settings: &GatysSettings,
        pictures: &SizedPictures,
        size: (u32, u32),
        device: Device,
    ) -> (Self, Tensor) {
        if let (Parametrization::Network(config), Some(photo)) =
            (&settings.parametrization, &pictures.content)
        {
            let net = Box::new(PairNet::new(*config, settings.seed, device));
            let parameters = net.flat().detach().copy();
            return (
                Self { surface: Surface::Network { net, photo: photo.shallow_clone() }, size },
                parameters,
            );
        }
        Self::of_pixels(&start(settings, pictures, size, device), pictures, size)
    }

    /// The same at another size, and the parameters there.
    pub(super) fn at_size(
        self,
        parameters: &Tensor,
        pictures: &SizedPictures,
        size: (u32, u32),
    ) -> (Self, Tensor) {
        if let (Surface::Network { net, .. }, Some(photo)) = (self.surface, &pictures.content) {
            let surface = Surface::Network { net, photo: photo.shallow_clone() };
            return (Self { surface, size }, parameters.shallow_clone());
        }
        let larger = resized(parameters, self.size, size).view(shape(size));
        Self::of_pixels(&in_hole(&larger, pictures), pictures, size)
    }

    /// A canvas whose parameters are these pixels.
    fn of_pixels(byte_rgb: &Tensor, pictures: &SizedPictures, size: (u32, u32)) -> (Self, Tensor) {
        let hole = pictures.hole.as_ref().map(Tensor::shallow_clone);
        (Self { surface: Surface::Pixels { hole }, size }, byte_rgb.flatten(0, 3))
    }

    /// The size of what is drawn.
    pub(super) fn size(&self) -> (u32, u32) {
        self.size
    }

    /// Whether parameters have their places in the picture.
    pub(super) fn is_of_pixels(&self) -> bool {
        matches!(self.surface, Surface::Pixels { .. })
    }

    /// The picture of these parameters.
    pub(super) fn draw(&self, parameters: &Tensor) -> Drawn {
        match &self.surface {
            Surface::Pixels { .. } => Drawn { byte_rgb: parameters.view(shape(self.size)), graph: None },
            Surface::Network { net, photo } => {
                tch::no_grad(|| net.flat().shallow_clone().copy_(parameters));
                let graph = tch::with_grad(|| net.forward(photo));
                Drawn { byte_rgb: graph.detach(), graph: Some(graph) }
            }
        }
    }

    /// The gradient with respect to the parameters, `[count]`, from that with respect to what was drawn.
    pub(super) fn pull_back(&self, drawn: &Drawn, gradient: Tensor) -> Tensor {
        match (&self.surface, &drawn.graph) {
            (Surface::Network { net, .. }, Some(graph)) => net.gradient(graph, &gradient),
            (Surface::Pixels { hole: Some(hole) }, _) => (gradient * hole).flatten(0, 3),
            _ => gradient.contiguous().flatten(0, 3),
        }
    }
}

/// Values that belong to the pixels of a picture, `[3 * h * w]`, brought to another size.
pub(super) fn resized(values: &Tensor, from: (u32, u32), to: (u32, u32)) -> Tensor {
    let [_, _, height, width] = shape(to);
    values.view(shape(from)).upsample_bicubic2d([height, width], false, None, None).flatten(0, 3)
}

fn shape((width, height): (u32, u32)) -> [i64; 4] {
    [1, 3, i64::from(height), i64::from(width)]
}

/// The picture to start with, `byte_rgb`, in memory of its own.
fn start(settings: &GatysSettings, pictures: &SizedPictures, size: (u32, u32), device: Device) -> Tensor {
    let mut rng = ChaCha8Rng::seed_from_u64(settings.seed);
    let mut noise = |start: &Start| start.noise(size, &mut rng, device);
    let start = match (&settings.start, &pictures.content, &pictures.style) {
        (Start::Content, Some(content), _) => content.copy(),
        (Start::Style, _, Some(style)) => style.copy(),
        (Start::Blend(share), Some(content), _) => {
            content * f64::from(1.0 - share) + noise(&settings.start) * f64::from(*share)
        }
        (Start::Picture(picture), ..) => at_size(picture, size, device),
        (start, ..) => noise(start),
    };
    in_hole(&start, pictures)
}

/// The picture where there is a hole, the photo elsewhere; without a hole, the picture.
fn in_hole(byte_rgb: &Tensor, pictures: &SizedPictures) -> Tensor {
    match (&pictures.hole, &pictures.content) {
        (Some(hole), Some(content)) => content + (byte_rgb - content) * hole,
        _ => byte_rgb.shallow_clone(),
    }
}
