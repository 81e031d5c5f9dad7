//! [`Steadier`]: calms the flicker of films that were painted frame by frame.

mod blend;
mod guide;
#[cfg(test)]
mod tests;

use pixel::Picture;

use self::blend::{Pixel, blend};
use self::guide::Guide;
use crate::estimate::{Effort, Estimator, Field, Prepared};

/// How a [`Steadier`] works.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SteadyOptions {
    /// How much of the last result is kept where nothing moves, 0..1.
    pub still: f32,
    /// How much of it is kept where things move, 0..1. It is fetched from between pixels, which blurs each time.
    pub moving: f32,
    /// Motion below this counts as none, in pixels.
    pub still_below_px: f32,
    /// The photos' difference in brightness (0..255) after the motion at which half as much is kept.
    pub photo_tolerance: f32,
}

impl Default for SteadyOptions {
    /// Measured on four sequences with moving cameras, in a style that flickers much. Keeping 0.5 leaves 35 to 44 % of the
    /// warping error above the photos' own, and 83 % of the brightness's slopes from pixel to pixel; 0.6 leaves 29 to 38 % and
    /// 80 %, 0.7 24 to 32 % and 77 %, 0.8 blurs visibly. With a tolerance of 8 twice as much is left of the flicker in water and
    /// fur; 20 gains little.
    ///
    /// Where the painting itself flickers, its mean is softer than each frame: with 0.6, after six frames, the style loss was
    /// 3.4 times that of the plain frames, the content loss four fifths. Less is kept therefore by default. The less a network
    /// flickers, the less this takes.
    fn default() -> Self {
        Self { still: 0.85, moving: 0.4, still_below_px: 0.15, photo_tolerance: 16.0 }
    }
}

/// Blends into each painted frame what the last result was at the same points, moved along with the photo. It knows nothing of
/// the style.
///
/// What is kept fades by itself: where two thirds are kept, a point's colour is that of its last three or so frames. Nothing is
/// kept where the photos disagree or a point was hidden, so that things that move leave no ghosts.
#[derive(Debug)]
pub struct Steadier {
    options: SteadyOptions,
    estimator: Estimator,
    now: Prepared,
    before: Prepared,
    there: Field,
    back: Field,
    guide: Guide,
    /// The last result and the one that is being made.
    results: [Vec<Pixel>; 2],
    /// Of the frame before, if there was one.
    size: Option<(u32, u32)>,
}

impl Default for Steadier {
    fn default() -> Self {
        Self::new(SteadyOptions::default())
    }
}

impl Steadier {
    /// At the start of a film.
    pub fn new(options: SteadyOptions) -> Self {
        Self {
            options,
            estimator: Estimator::new(Effort::Light),
            now: Prepared::default(),
            before: Prepared::default(),
            there: Field::default(),
            back: Field::default(),
            guide: Guide::default(),
            results: Default::default(),
            size: None,
        }
    }

    /// Forgets what it saw: for the first frame of a new shot.
    pub fn reset(&mut self) {
        self.size = None;
    }

    /// The next painted frame, calmed, by the photo that it was painted from. The first one, the first after
    /// [`Steadier::reset`], and the first of another size are left as they are; transparency is always that of `painted`.
    ///
    /// # Panics
    /// The photo and the painting differ in size.
    pub fn steady(&mut self, photo: &Picture, painted: Picture) -> Picture {
        let size = (photo.width(), photo.height());
        assert_eq!(size, (painted.width(), painted.height()), "pictures of one size");
        std::mem::swap(&mut self.now, &mut self.before);
        self.estimator.prepare(photo, &mut self.now);
        let [before, result] = &mut self.results;
        if self.size.replace(size) != Some(size) {
            let pixels = painted.rgb().as_chunks::<3>().0.iter();
            before.clear();
            before.extend(pixels.map(|&[r, g, b]| [f32::from(r), f32::from(g), f32::from(b), 0.0]));
            return painted;
        }
        self.estimator.field(&self.now, &self.before, &mut self.there);
        self.estimator.field(&self.before, &self.now, &mut self.back);
        let scale = 1 << self.now.halvings();
        let levels = (self.now.largest(), self.before.largest());
        self.guide.fill(levels, (&self.there, &self.back), scale as f32, &self.options);

        let alpha = painted.alpha().map(<[u8]>::to_vec);
        let mut rgb = painted.into_rgb();
        blend((size.0 as usize, size.1 as usize), &self.guide, scale, before, &mut rgb, result);
        std::mem::swap(before, result);
        let steadied = Picture::from_rgb(size.0, size.1, rgb).expect("as many bytes as before");
        match alpha {
            Some(alpha) => steadied.with_alpha(alpha).expect("as many bytes as before"),
            None => steadied,
        }
    }
}
