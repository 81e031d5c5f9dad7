//! From a photo to the painted picture: the engines, and the controls around them.
//!
//! ```text
//! photo --size--> photo of the result's size --stroke, engine--> painted rows --colours, masks, strength--> samples
//! ```

mod args;
mod controls;
mod detail;
mod finish;
mod masks;
mod rows;
mod sample;
mod size;
mod stroke;

use std::borrow::Cow;

use common::engine::{Engine, EngineOptions, SharedNorms};
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

    /// Paints frames of one size that follow each other in one scene; `memory` knows the frames of the scene before them.
    pub(crate) fn paint_frames(
        &self,
        frames: &[Picture],
        memory: Option<&mut SceneMemory>,
    ) -> anyhow::Result<Vec<Picture>> {
        self.paint_scene::<u8>(frames, memory)
    }

    /// Frames that are best painted at once, of this size.
    pub(crate) fn preferred_batch(&self, (width, height): (u32, u32)) -> usize {
        let batches = self.styles.iter().map(|style| style.engine.preferred_batch(width, height));
        batches.min().unwrap_or(1)
    }

    fn paint_samples<S: Sample>(&self, photo: &Picture) -> anyhow::Result<S::Picture> {
        let mut pictures = self.paint_scene::<S>(std::slice::from_ref(photo), None)?;
        Ok(pictures.remove(0))
    }

    fn paint_scene<S: Sample>(
        &self,
        photos: &[Picture],
        mut memory: Option<&mut SceneMemory>,
    ) -> anyhow::Result<Vec<S::Picture>> {
        let Some(photo) = photos.first() else { return Ok(Vec::new()) };
        let Controls { strength, keeps_colours, stroke, mask_feather_px, .. } = self.controls;
        let size = self.output_size(photo.width(), photo.height());
        size::check_reasonable(size)?;
        size::check_reasonable(size::scaled(size, 1.0 / stroke))?;
        let sized: Vec<Cow<'_, Picture>> =
            photos.iter().map(|photo| size::resized(photo, size)).collect::<Result<_, _>>()?;
        let masks: Option<Vec<_>> = self
            .styles
            .iter()
            .map(|style| Some(masks::feathered(style.mask.as_ref()?, size, mask_feather_px)))
            .collect();
        let mut finishes: Vec<_> = sized
            .iter()
            .map(|sized| {
                let weights = masks.clone().map(|masks| Weights::new(masks, size));
                Finish::<S>::new(sized, strength, keeps_colours, weights, self.styles.len())
            })
            .collect();
        for (place, style) in self.styles.iter().enumerate() {
            let mut norms = memory.as_deref_mut().map(|memory| memory.of_style(place));
            if stroke == 1.0 {
                let sized = owned(&sized, photos);
                rows::paint_rows(&style.engine, &sized, norms, |frame, row, painted| {
                    finishes[frame].take_row(place, row, painted);
                })?;
                continue;
            }
            for ((photo, sized), finish) in photos.iter().zip(&sized).zip(&mut finishes) {
                let norms = norms.as_deref_mut();
                stroke::paint_rows_by_strokes(&style.engine, photo, sized, stroke, norms, |row, painted| {
                    finish.take_row(place, row, painted);
                })?;
            }
        }
        Ok(finishes.into_iter().map(Finish::into_picture).collect())
    }
}

/// What the frames of a scene share, for each style of a look.
#[derive(Debug, Default)]
pub(crate) struct SceneMemory(Vec<SharedNorms>);

impl SceneMemory {
    fn of_style(&mut self, place: usize) -> &mut SharedNorms {
        if self.0.len() <= place {
            self.0.resize_with(place + 1, SharedNorms::default);
        }
        &mut self.0[place]
    }
}

/// All of them side by side, copied only where they are not `photos` themselves.
fn owned<'a>(sized: &[Cow<'_, Picture>], photos: &'a [Picture]) -> Cow<'a, [Picture]> {
    if sized.iter().all(|picture| matches!(picture, Cow::Borrowed(_))) {
        return Cow::Borrowed(photos);
    }
    Cow::Owned(sized.iter().map(|picture| picture.as_ref().clone()).collect())
}
