//! Frames from a film, or from picture files.

use std::ops::Range;
use std::path::PathBuf;

use anyhow::Context as _;
use film::{DecodeOptions, Decoder, FilmInfo, FrameRate, ProbedInput, Programs, TimeBase};
use pixel::{DecodeLimits, Filter, Picture, WebpAnimation};

/// A photo of a film.
pub(super) struct SourceFrame {
    /// Of the result's size.
    pub(super) picture: Picture,
    /// When it is shown, in the source's time base.
    pub(super) ticks: i64,
}

/// Frames, one after the other.
pub(super) enum FrameSource {
    Film(Box<Decoder>),
    Animation(Box<Animation>),
    Pictures(PictureFiles),
}

/// The pictures of an animation that are shown within a part of it.
pub(super) struct Animation {
    pictures: WebpAnimation,
    size: (u32, u32),
    shown_ms: Range<i64>,
}

/// Picture files that are shown at a constant rate. All are brought to one size.
pub(super) struct PictureFiles {
    files: std::vec::IntoIter<PathBuf>,
    size: (u32, u32),
    next_tick: i64,
    time_base: TimeBase,
}

impl FrameSource {
    pub(super) fn film(
        programs: &Programs,
        info: &FilmInfo,
        input: ProbedInput,
        options: &DecodeOptions,
    ) -> anyhow::Result<Self> {
        Ok(Self::Film(Box::new(Decoder::start(programs, info, input, options)?)))
    }

    pub(super) fn animation(
        animation: WebpAnimation,
        size: (u32, u32),
        start_s: Option<f64>,
        duration_s: Option<f64>,
    ) -> Self {
        let milliseconds = |seconds: f64| (seconds * 1000.0).round() as i64;
        let start = start_s.map_or(0, milliseconds);
        let end = duration_s.map_or(i64::MAX, |seconds| start.saturating_add(milliseconds(seconds)));
        Self::Animation(Box::new(Animation { pictures: animation, size, shown_ms: start..end }))
    }

    pub(super) fn pictures(files: Vec<PathBuf>, size: (u32, u32), rate: FrameRate) -> Self {
        let time_base = TimeBase { numerator: rate.seconds, denominator: rate.frames };
        Self::Pictures(PictureFiles { files: files.into_iter(), size, next_tick: 0, time_base })
    }

    /// The next frame; `None` after the last.
    pub(super) fn next(&mut self) -> anyhow::Result<Option<SourceFrame>> {
        match self {
            Self::Film(decoder) => {
                let frame = decoder.next_frame()?;
                Ok(frame.map(|frame| SourceFrame { picture: frame.picture, ticks: frame.ticks }))
            }
            Self::Animation(animation) => animation.next(),
            Self::Pictures(pictures) => pictures.next(),
        }
    }

    /// The unit of times; known with the first frame.
    pub(super) fn time_base(&self) -> Option<TimeBase> {
        match self {
            Self::Film(decoder) => decoder.time_base(),
            Self::Animation(_) => Some(TimeBase { numerator: 1, denominator: 1000 }),
            Self::Pictures(pictures) => Some(pictures.time_base),
        }
    }

    /// Errors in the film that were got over; known after the last frame.
    pub(super) fn errors(&self) -> u64 {
        match self {
            Self::Film(decoder) => decoder.errors(),
            Self::Animation(_) | Self::Pictures(_) => 0,
        }
    }
}

impl Animation {
    fn next(&mut self) -> anyhow::Result<Option<SourceFrame>> {
        loop {
            let Some(frame) = self.pictures.next_frame()? else { return Ok(None) };
            let starts_ms = frame.starts_ms as i64;
            if starts_ms >= self.shown_ms.end {
                return Ok(None);
            }
            if starts_ms >= self.shown_ms.start {
                let picture = sized(frame.picture, self.size)?;
                return Ok(Some(SourceFrame { picture, ticks: starts_ms - self.shown_ms.start }));
            }
        }
    }
}

fn sized(picture: Picture, (width, height): (u32, u32)) -> anyhow::Result<Picture> {
    if (picture.width(), picture.height()) == (width, height) {
        return Ok(picture);
    }
    Ok(picture.resize(width, height, Filter::Lanczos3)?)
}

impl PictureFiles {
    fn next(&mut self) -> anyhow::Result<Option<SourceFrame>> {
        let Some(path) = self.files.next() else { return Ok(None) };
        let name = || path.display().to_string();
        let picture = pixel::decode_file(&path, &DecodeLimits::default()).with_context(name)?.without_alpha();
        let picture = sized(picture, self.size).with_context(name)?;
        let ticks = self.next_tick;
        self.next_tick += 1;
        Ok(Some(SourceFrame { picture, ticks }))
    }
}
