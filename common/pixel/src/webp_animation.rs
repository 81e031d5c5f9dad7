//! Animated WebP, frame by frame.

use std::fs::File;
use std::io::{BufReader, Read as _, Seek as _};
use std::path::Path;

use image_webp::{DecodingError, WebPDecoder};

use crate::decode::{DecodeError, DecodeLimits};
use crate::file_kind::FileKind;
use crate::{Picture, PictureError};

/// What tells one kind of file from another.
const HEAD_BYTES: u64 = 16;

/// A WebP file with several pictures, each shown for a time of its own. Memory holds one picture, however many there are.
pub struct WebpAnimation {
    decoder: WebPDecoder<BufReader<File>>,
    samples: Vec<u8>,
    shown_ms: u64,
}

/// A picture of an animation.
#[derive(Clone, Debug, PartialEq)]
pub struct AnimationFrame {
    /// The whole picture, with what earlier ones left of themselves; opaque.
    pub picture: Picture,
    /// When it is shown, in milliseconds from the beginning.
    pub starts_ms: u64,
}

impl WebpAnimation {
    /// Opens a file; `None` where it is no WebP, or a still one.
    ///
    /// # Errors
    /// The file cannot be read, is broken, or larger than the limits.
    pub fn open(path: &Path, limits: &DecodeLimits) -> Result<Option<Self>, DecodeError> {
        let mut file = File::open(path).map_err(DecodeError::Read)?;
        let mut head = Vec::with_capacity(HEAD_BYTES as usize);
        file.by_ref().take(HEAD_BYTES).read_to_end(&mut head).map_err(DecodeError::Read)?;
        if FileKind::from_content(&head) != Some(FileKind::WebP) {
            return Ok(None);
        }
        file.rewind().map_err(DecodeError::Read)?;
        let mut decoder = WebPDecoder::new(BufReader::new(file)).map_err(|error| broken(&error))?;
        if !decoder.is_animated() {
            return Ok(None);
        }
        let (width, height) = decoder.dimensions();
        let bytes = decoder.output_buffer_size().unwrap_or(usize::MAX);
        // The decoder keeps a canvas and a frame beside the result.
        limits.check(width, height, (bytes as u64).saturating_mul(3))?;
        decoder.set_memory_limit(limits.max_alloc_bytes as usize);
        Ok(Some(Self { decoder, samples: vec![0; bytes], shown_ms: 0 }))
    }

    /// Pixels across and down.
    pub fn size(&self) -> (u32, u32) {
        self.decoder.dimensions()
    }

    /// How many pictures the file says it has.
    pub fn frames(&self) -> u32 {
        self.decoder.num_frames()
    }

    /// How long all of them are shown, in milliseconds.
    pub fn duration_ms(&self) -> u64 {
        self.decoder.loop_duration()
    }

    /// The next picture; `None` after the last.
    ///
    /// # Errors
    /// It is broken.
    pub fn next_frame(&mut self) -> Result<Option<AnimationFrame>, DecodeError> {
        let shown = match self.decoder.read_frame(&mut self.samples) {
            Ok(shown) => shown,
            Err(DecodingError::NoMoreFrames) => return Ok(None),
            Err(error) => return Err(broken(&error)),
        };
        let rgb = if self.decoder.has_alpha() {
            self.samples.as_chunks::<4>().0.iter().flat_map(|&[r, g, b, _]| [r, g, b]).collect()
        } else {
            self.samples.clone()
        };
        let (width, height) = self.size();
        let picture = Picture::from_rgb(width, height, rgb).map_err(|error: PictureError| broken(&error))?;
        let starts_ms = self.shown_ms;
        self.shown_ms += u64::from(shown);
        Ok(Some(AnimationFrame { picture, starts_ms }))
    }
}

fn broken(error: &dyn std::fmt::Display) -> DecodeError {
    DecodeError::Broken { kind: FileKind::WebP, reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{EncodeOptions, Format, write_file};

    #[test]
    fn still_pictures_and_other_files_are_no_animations() {
        let folder = tempfile::tempdir().unwrap();
        let open = |name: &str| WebpAnimation::open(&folder.path().join(name), &DecodeLimits::default());
        let picture = Picture::from_rgb(2, 2, vec![7; 12]).unwrap();
        let options = |format| EncodeOptions { format, exif: None };
        write_file(&picture, folder.path().join("a.webp"), options(Format::WebP)).unwrap();
        write_file(&picture, folder.path().join("a.png"), options(Format::Png)).unwrap();
        std::fs::write(folder.path().join("empty.webp"), "").unwrap();
        std::fs::write(folder.path().join("a.mp4"), b"\0\0\0\x20ftypisom\0\0\x02\0isomiso2avc1mp41").unwrap();
        for name in ["a.webp", "a.png", "empty.webp", "a.mp4"] {
            assert!(open(name).unwrap().is_none(), "{name}");
        }
        assert!(matches!(open("none.webp"), Err(DecodeError::Read(_))));
    }
}
