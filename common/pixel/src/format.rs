//! Which files can be written, and what they are called.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use thiserror::Error;

/// The JPEG quality of [`Format::from_path`]: no visible loss, a third of the bytes of 100.
pub const DEFAULT_JPEG_QUALITY: u8 = 92;

/// How a picture is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Lossy; has no alpha, so transparent pixels are laid over white.
    Jpeg {
        /// 1 to 100; other values count as the nearest of these.
        quality: u8,
    },
    /// Lossless, with alpha.
    Png,
    /// Lossless, with alpha; at most 16383 pixels a side.
    WebP,
    /// Lossless, uncompressed, with alpha.
    Tiff,
    /// Lossless, uncompressed, with alpha. Takes neither colour profile nor EXIF.
    Bmp,
}

/// The suffixes that [`Format::from_path`] knows; the first of a format is the usual one.
const SUFFIXES: [(&str, Format); 7] = [
    ("jpg", Format::Jpeg { quality: DEFAULT_JPEG_QUALITY }),
    ("jpeg", Format::Jpeg { quality: DEFAULT_JPEG_QUALITY }),
    ("png", Format::Png),
    ("webp", Format::WebP),
    ("tif", Format::Tiff),
    ("tiff", Format::Tiff),
    ("bmp", Format::Bmp),
];

/// The name of a file does not say how to write it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("cannot tell the picture format, end the name in {}: {}", listed(".", "or"), path.display())]
pub struct UnknownSuffix {
    /// The name that was given.
    pub path: PathBuf,
}

/// No format has this name.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("unknown picture format `{name}`, known are {}", listed("", "and"))]
pub struct UnknownFormat {
    /// The name that was given.
    pub name: String,
}

fn listed(prefix: &str, last_word: &str) -> String {
    let names: Vec<String> = SUFFIXES.iter().map(|(suffix, _)| format!("{prefix}{suffix}")).collect();
    match names.split_last() {
        Some((last, others)) => format!("{} {last_word} {last}", others.join(", ")),
        None => String::new(),
    }
}

impl Format {
    /// The format that the suffix asks for, in upper or lower case; JPEG at [`DEFAULT_JPEG_QUALITY`].
    ///
    /// # Errors
    /// No suffix or an unknown one.
    pub fn from_path(path: impl AsRef<Path>) -> Result<Self, UnknownSuffix> {
        let path = path.as_ref();
        let suffix = path.extension().and_then(|suffix| suffix.to_str());
        suffix
            .and_then(|suffix| Self::from_name(suffix).ok())
            .ok_or_else(|| UnknownSuffix { path: path.to_owned() })
    }

    /// The format of this name, which is a suffix without its dot: `jpg`, `png`, in upper or lower case; JPEG at
    /// [`DEFAULT_JPEG_QUALITY`].
    ///
    /// # Errors
    /// An unknown name.
    pub fn from_name(name: &str) -> Result<Self, UnknownFormat> {
        let known = SUFFIXES.iter().find(|(suffix, _)| suffix.eq_ignore_ascii_case(name));
        known.map(|(_, format)| *format).ok_or_else(|| UnknownFormat { name: name.to_owned() })
    }

    /// What the name of such a file usually ends in, without the dot.
    pub const fn suffix(self) -> &'static str {
        match self {
            Self::Jpeg { .. } => "jpg",
            Self::Png => "png",
            Self::WebP => "webp",
            Self::Tiff => "tif",
            Self::Bmp => "bmp",
        }
    }

    /// JPEG at this quality; other formats, which lose nothing, as they are.
    #[must_use]
    pub const fn at_quality(self, quality: u8) -> Self {
        match self {
            Self::Jpeg { .. } => Self::Jpeg { quality },
            other => other,
        }
    }

    /// Whether EXIF can go along; otherwise it is left out.
    pub const fn keeps_exif(self) -> bool {
        matches!(self, Self::Jpeg { .. } | Self::Png | Self::WebP)
    }

    /// Whether a [`DeepPicture`](crate::DeepPicture) can be written.
    pub const fn keeps_16_bits(self) -> bool {
        matches!(self, Self::Png | Self::Tiff)
    }

    /// The longest side that the file format can express.
    pub(crate) const fn max_side(self) -> u32 {
        match self {
            Self::Jpeg { .. } => 65_535,
            Self::WebP => 16_383,
            Self::Png | Self::Bmp => i32::MAX as u32,
            Self::Tiff => u32::MAX,
        }
    }
}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Self, UnknownFormat> {
        Self::from_name(name)
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Jpeg { .. } => "JPEG",
            Self::Png => "PNG",
            Self::WebP => "WebP",
            Self::Tiff => "TIFF",
            Self::Bmp => "BMP",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suffixes_choose_the_format() {
        assert_eq!(Format::from_path("a/b.PNG"), Ok(Format::Png));
        assert_eq!(Format::from_path("b.jpeg"), Ok(Format::Jpeg { quality: DEFAULT_JPEG_QUALITY }));
        let message = Format::from_path("out/b.gif").unwrap_err().to_string();
        assert_eq!(
            message,
            "cannot tell the picture format, end the name in .jpg, .jpeg, .png, .webp, .tif, .tiff or .bmp: out/b.gif"
        );
        assert!(Format::from_path("png").is_err());
    }

    #[test]
    fn quality_is_jpegs_alone() {
        assert_eq!(Format::from_name("JPG").unwrap().at_quality(70), Format::Jpeg { quality: 70 });
        assert_eq!(Format::Tiff.at_quality(70), Format::Tiff);
    }

    #[test]
    fn names_are_suffixes_without_the_dot() {
        for (suffix, format) in SUFFIXES {
            assert_eq!(suffix.parse(), Ok(format));
            assert_eq!(Format::from_name(format.suffix()), Ok(format));
        }
        let message = "gif".parse::<Format>().unwrap_err().to_string();
        assert_eq!(
            message,
            "unknown picture format `gif`, known are jpg, jpeg, png, webp, tif, tiff and bmp"
        );
    }
}
