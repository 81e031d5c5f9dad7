//! From a photo to the painted picture: the engines, and the controls around them.
//!
//! ```text
//! photo --size--> photo of the result's size --stroke, engine--> painted rows --colours, masks, strength--> samples
//! ```

mod args;
mod colours;
mod controls;
mod detail;
mod finish;
mod masks;
mod rows;
mod sample;
mod size;
mod stroke;

use common::engine::{Engine, EngineOptions};
use common::style_file;
use pixel::{BitDepth, Grey, Picture};

pub(crate) use args::PainterArgs;
pub(crate) use controls::Look;
pub(crate) use sample::FinishedPicture;

use self::controls::Controls;
use self::finish::Finish;
use self::masks::Weights;
use self::sample::Sample;

/// Paints photos as the user asked for. Loaded once, it paints any number of photos of any size.
pub(crate) struct Painter {
    styles: Vec<LoadedStyle>,
    controls: Controls,
}

struct LoadedStyle {
    engine: Engine,
    mask: Option<Grey>,
}

impl Painter {
    /// Loads a look's styles and masks.
    pub(crate) fn load(look: &Look, options: &EngineOptions) -> anyhow::Result<Self> {
        let mut styles = Vec::with_capacity(look.styles.len());
        for (style, mask) in &look.styles {
            let mask = mask.as_deref().map(masks::load).transpose()?;
            let (_card, net) = style_file::load(style, options.device)?;
            styles.push(LoadedStyle { engine: Engine::new(net, options), mask });
        }
        Ok(Self { styles, controls: look.controls.clone() })
    }

    /// The size of the result for a photo of this size.
    pub(crate) fn output_size(&self, width: u32, height: u32) -> (u32, u32) {
        self.controls.size.of((width, height))
    }

    /// Paints one photo, with its transparency.
    pub(crate) fn paint(&self, photo: &Picture) -> anyhow::Result<Picture> {
        self.paint_samples::<u8>(photo)
    }

    /// As [`Self::paint`], with so many bits a sample.
    pub(crate) fn paint_with(&self, bits: BitDepth, photo: &Picture) -> anyhow::Result<FinishedPicture> {
        Ok(match bits {
            BitDepth::Eight => FinishedPicture::Eight(self.paint_samples::<u8>(photo)?),
            BitDepth::Sixteen => FinishedPicture::Sixteen(self.paint_samples::<u16>(photo)?),
        })
    }

    fn paint_samples<S: Sample>(&self, photo: &Picture) -> anyhow::Result<S::Picture> {
        let Controls { strength, keeps_colours, stroke, mask_feather_px, .. } = self.controls;
        let size = self.output_size(photo.width(), photo.height());
        size::check_reasonable(size)?;
        size::check_reasonable(size::scaled(size, 1.0 / stroke))?;
        let sized = size::resized(photo, size)?;
        let masks: Option<Vec<_>> = self
            .styles
            .iter()
            .map(|style| Some(masks::feathered(style.mask.as_ref()?, size, mask_feather_px)))
            .collect();
        let weights = masks.map(|masks| Weights::new(masks, size));
        let mut finish = Finish::<S>::new(&sized, strength, keeps_colours, weights, self.styles.len());
        for (place, style) in self.styles.iter().enumerate() {
            stroke::paint_rows_by_strokes(&style.engine, photo, &sized, stroke, |row, painted| {
                finish.take_row(place, row, painted);
            })?;
        }
        Ok(finish.into_picture())
    }
}
