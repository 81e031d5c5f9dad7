//! From a photo to the painted picture: the engines, and the controls around them.

mod args;

use std::path::PathBuf;

use anyhow::Context as _;
use common::engine::{Engine, EngineOptions};
use common::style_file;
use pixel::Picture;

pub(crate) use args::PainterArgs;

/// What one result for each photo is painted with.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Look {
    style: PathBuf,
}

impl Look {
    /// The style's name.
    pub(crate) fn name(&self) -> String {
        self.style.file_stem().unwrap_or_default().to_string_lossy().into_owned()
    }
}

/// Paints photos as the user asked for.
pub(crate) struct Painter {
    engine: Engine,
}

impl Painter {
    /// Loads a look's style.
    pub(crate) fn load(look: &Look, options: &EngineOptions) -> anyhow::Result<Self> {
        let (_card, net) = style_file::load(&look.style, options.device)?;
        Ok(Self { engine: Engine::new(net, options) })
    }

    /// The size of the result for a photo of this size.
    #[allow(clippy::unused_self)]
    pub(crate) fn output_size(&self, width: u32, height: u32) -> (u32, u32) {
        (width, height)
    }

    /// Paints one photo, with its transparency.
    pub(crate) fn paint(&self, photo: &Picture) -> anyhow::Result<Picture> {
        let painted = self.engine.paint_picture(photo)?;
        match photo.alpha() {
            Some(alpha) => painted.with_alpha(alpha.to_vec()).context("the transparency does not fit"),
            None => Ok(painted),
        }
    }
}
