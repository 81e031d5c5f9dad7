//! What a canvas is judged by at one size.

use tch::{Device, Kind, Tensor};

use super::inputs::{at_size, guide_at_size, luma, recoloured, style_size};
use super::{Colours, GatysError, GatysInputs, GatysSettings};
use crate::loss::{
    ContentTarget, LossTerms, MattingLaplacian, PerceptualLoss, PerceptualLossSpec, Strips, StyleRegion,
    WeightedPainting,
};
use crate::lossnet::{Layer, LossNet};
use crate::memory;
use crate::precision::Precision;

/// What VGG-19 up to relu5_1 takes at its most for each pixel of the picture, there and back in f32, measured.
const BYTES_A_PIXEL: u64 = 2600;

/// Everything that a picture of one size is judged by.
pub(super) struct Objective {
    loss: PerceptualLoss,
    content: ContentTarget,
    photorealism: Option<(MattingLaplacian, f64)>,
    strips: Option<Strips>,
    precision: Precision,
}

/// The pictures at one size, as the canvas needs them.
pub(super) struct SizedPictures {
    /// The photo, in the colours that it is compared in; `byte_rgb`.
    pub(super) content: Option<Tensor>,
    /// The first painting, brought to the result's size.
    pub(super) style: Option<Tensor>,
    /// The hole, `[1, 1, h, w]`, 1 where it is.
    pub(super) hole: Option<Tensor>,
}

impl SizedPictures {
    pub(super) fn new(inputs: &GatysInputs, colours: Colours, size: (u32, u32), device: Device) -> Self {
        let content = inputs.content.as_ref().map(|content| {
            let content = at_size(content, size, device);
            if colours == Colours::Luminance { luma(&content) } else { content }
        });
        Self {
            content,
            style: inputs.styles.first().map(|style| at_size(&style.picture, size, device)),
            hole: inputs
                .hole
                .as_ref()
                .map(|hole| guide_at_size(hole, size, device).gt(0.0).to_kind(Kind::Float)),
        }
    }
}

impl Objective {
    pub(super) fn new(
        inputs: &GatysInputs,
        pictures: &SizedPictures,
        settings: &GatysSettings,
        size: (u32, u32),
        network: LossNet,
        device: Device,
    ) -> Result<Self, GatysError> {
        let spec = settings.loss.clone();
        let content_layers = spec.content_layers.layers();
        check_size("the result", size, content_layers.chain(spec.style_layers.layers()))?;
        let mut regions: Vec<StyleRegion> = Vec::new();
        let mut masks = Vec::new(); // of the regions
        for style in &inputs.styles {
            let style_size = style_size(&style.picture, size, settings.style_scale);
            check_size("a painting", style_size, spec.style_layers.layers())?;
            let content = inputs.content.as_ref().zip(pictures.content.as_ref());
            let byte_rgb = at_size(&style.picture, style_size, device);
            let hole = inputs.hole.as_ref().filter(|_| style.has_hole);
            let painting = WeightedPainting {
                byte_rgb: recoloured(&byte_rgb, &style.picture, content, settings.colours),
                weight: style.weight,
                guide: hole.map(|hole| 1.0 - guide_at_size(hole, style_size, device).ceil()),
            };
            if let Some(place) = masks.iter().position(|mask| *mask == style.mask.as_ref()) {
                regions[place].paintings.push(painting);
            } else {
                masks.push(style.mask.as_ref());
                let guide = style.mask.as_ref().map(|mask| guide_at_size(mask, size, device));
                regions.push(StyleRegion { paintings: vec![painting], guide });
            }
        }
        let loss = PerceptualLoss::with_regions(spec, network, regions);
        let strips = strips_that_fit(&loss, size, settings.memory_bytes, device);
        let content = match (&pictures.content, &strips) {
            (Some(content), None) => loss.content_target(content, settings.precision),
            (Some(content), Some(strips)) => {
                loss.content_target_in_strips(content, strips, settings.precision)
            }
            (None, _) => ContentTarget::nothing(),
        };
        let photorealism = pictures.content.as_ref().filter(|_| settings.photorealism > 0.0);
        let photorealism = photorealism
            .map(|photo| (MattingLaplacian::of(photo, MattingLaplacian::EPSILON), settings.photorealism));
        Ok(Self { loss, content, photorealism, strips, precision: settings.precision })
    }

    /// The terms of the loss, and the gradient of the total with respect to the picture, `byte_rgb` both.
    pub(super) fn evaluate(&self, byte_rgb: &Tensor) -> (LossTerms, Tensor) {
        let Self { loss, content, photorealism, strips, precision } = self;
        let (mut terms, mut gradient) = match strips {
            None => loss.evaluate_against(byte_rgb, content, *precision),
            Some(strips) => loss.evaluate_in_strips(byte_rgb, content, strips, *precision),
        };
        if let Some((laplacian, weight)) = photorealism {
            let (energy, of_energy) = laplacian.energy_and_gradient(byte_rgb, *weight);
            terms.add_photorealism(energy, *weight);
            gradient += of_energy;
        }
        (terms, gradient)
    }

    /// What is compared.
    pub(super) fn spec(&self) -> &PerceptualLossSpec {
        self.loss.spec()
    }

    /// The loss network, for the next size.
    pub(super) fn into_network(self) -> LossNet {
        self.loss.into_network()
    }
}

/// The strips that a picture of this size has to be looked at in, so that it does so within the memory: that which was given, or on
/// the CPU nine tenths of what is free. `None` where it fits as a whole, or cannot be cut.
fn strips_that_fit(
    loss: &PerceptualLoss,
    (width, height): (u32, u32),
    memory_bytes: Option<u64>,
    device: Device,
) -> Option<Strips> {
    let free = || (device == Device::Cpu).then(memory::available_bytes).flatten().map(|free| free / 10 * 9);
    let bytes = memory_bytes.or_else(free)?;
    let rows = bytes / (BYTES_A_PIXEL * u64::from(width));
    if rows >= u64::from(height) {
        return None;
    }
    loss.strips(rows as i64, i64::from(height))
}

/// The shortest side that the deepest of these layers needs.
pub(super) fn smallest_side(layers: impl Iterator<Item = Layer>) -> u32 {
    layers.map(LossNet::smallest_side).max().unwrap_or(1)
}

fn check_size(
    what: &'static str,
    (width, height): (u32, u32),
    layers: impl Iterator<Item = Layer>,
) -> Result<(), GatysError> {
    let deepest = layers.max_by_key(|&layer| LossNet::smallest_side(layer));
    match deepest.map(|layer| (layer, LossNet::smallest_side(layer))) {
        Some((layer, needed)) if width.min(height) < needed => {
            Err(GatysError::TooSmall { what, width, height, layer, needed })
        }
        _ => Ok(()),
    }
}
