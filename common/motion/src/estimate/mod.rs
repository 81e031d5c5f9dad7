//! [`Estimator`]: optical flow from two photos.

mod field;
mod level;
mod patch;
#[cfg(test)]
mod tests;

use pixel::Picture;

pub(crate) use self::field::Field;
use self::field::Search;
pub(crate) use self::level::Level;
use self::level::Pyramid;
use crate::Flow;

/// How much work goes into a flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effort {
    /// For films while they are painted: at half the size and below.
    Light,
    /// For measuring, where time matters less: at full size.
    Careful,
}

/// What an effort means.
#[derive(Debug, Clone, Copy)]
struct Settings {
    /// From one patch to the next, in pixels.
    patch_spacing: usize,
    /// The most steps that a patch takes at each size.
    steps: usize,
    /// The most pixels that are looked at.
    most_pixels: u64,
    least_halvings: u32,
}

/// The pyramid ends where a side would be shorter than this.
const SHORTEST_SIDE_PX: usize = 12;

impl Effort {
    fn settings(self) -> Settings {
        match self {
            Self::Light => Settings { patch_spacing: 5, steps: 5, most_pixels: 130_000, least_halvings: 1 },
            Self::Careful => {
                Settings { patch_spacing: 3, steps: 16, most_pixels: 1 << 22, least_halvings: 0 }
            }
        }
    }
}

/// A photo, ready to be compared with others.
#[derive(Debug, Default)]
pub(crate) struct Prepared {
    pyramid: Pyramid,
    width: u32,
    height: u32,
}

/// Estimates optical flow. It keeps its buffers, so that one of them should serve a whole film.
#[derive(Debug)]
pub struct Estimator {
    settings: Settings,
    search: Search,
    coarser: Field,
}

impl Estimator {
    /// An estimator that takes this much effort.
    pub fn new(effort: Effort) -> Self {
        Self { settings: effort.settings(), search: Search::default(), coarser: Field::default() }
    }

    /// The flow from one photo to another, at their own size, and the flow back.
    ///
    /// # Panics
    /// The sizes differ.
    pub fn both_ways(&mut self, from: &Picture, to: &Picture) -> (Flow, Flow) {
        assert_eq!((from.width(), from.height()), (to.width(), to.height()), "photos of one size");
        let (mut one, mut other) = (Prepared::default(), Prepared::default());
        self.prepare(from, &mut one);
        self.prepare(to, &mut other);
        (self.flow(&one, &other), self.flow(&other, &one))
    }

    /// Makes a photo ready, in the place of another one.
    pub(crate) fn prepare(&self, photo: &Picture, prepared: &mut Prepared) {
        let Settings { most_pixels, least_halvings, .. } = self.settings;
        let pixels = u64::from(photo.width()) * u64::from(photo.height());
        let mut halvings = least_halvings;
        while pixels >> (2 * halvings) > most_pixels {
            halvings += 1;
        }
        prepared.pyramid.fill(photo, halvings, SHORTEST_SIDE_PX);
        (prepared.width, prepared.height) = (photo.width(), photo.height());
    }

    /// The flow between photos of one size, at that size.
    fn flow(&mut self, from: &Prepared, to: &Prepared) -> Flow {
        let mut field = Field::default();
        self.field(from, to, &mut field);
        let small = Flow::new(field.width as u32, field.height as u32, field.u, field.v)
            .expect("a value for each pixel");
        small.enlarged(1 << from.pyramid.halvings, from.width, from.height)
    }

    /// The motion between photos of one size, at the size it is looked at.
    pub(crate) fn field(&mut self, from: &Prepared, to: &Prepared, field: &mut Field) {
        let levels = from.pyramid.levels.iter().zip(&to.pyramid.levels);
        let mut is_first = true;
        for (from, to) in levels.rev() {
            std::mem::swap(field, &mut self.coarser);
            let coarser = (!is_first).then_some(&self.coarser);
            self.search.run(from, to, coarser, &self.settings, field);
            is_first = false;
        }
    }
}

impl Prepared {
    /// The largest size that is looked at.
    pub(crate) fn largest(&self) -> &Level {
        &self.pyramid.levels[0]
    }

    /// How often the photo was halved for that.
    pub(crate) fn halvings(&self) -> u32 {
        self.pyramid.halvings
    }
}
