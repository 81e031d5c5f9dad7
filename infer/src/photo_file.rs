//! Files and streams at both ends: the one place that reads photos, and the one that writes pictures.

use std::io::Read as _;

use anyhow::Context as _;
use pixel::{DecodeError, DecodeLimits, FileKind, Format, Picture};

use crate::plan::{Output, Source, Target, Writing};
use crate::stdout;

/// A photo, decoded.
pub(crate) struct Photo {
    pub(crate) picture: Picture,
    /// What its content was.
    pub(crate) kind: FileKind,
}

/// The bytes of a photo's file.
pub(crate) fn read(source: &Source) -> Result<Vec<u8>, DecodeError> {
    match source {
        Source::File(path) => Ok(std::fs::read(path)?),
        Source::Stdin => {
            let mut bytes = Vec::new();
            std::io::stdin().lock().read_to_end(&mut bytes)?;
            Ok(bytes)
        }
    }
}

pub(crate) fn decode(bytes: &[u8]) -> Result<Photo, DecodeError> {
    let picture = pixel::decode_bytes(bytes, &DecodeLimits::default())?;
    let kind = FileKind::from_content(bytes).ok_or(DecodeError::NotAPicture)?;
    Ok(Photo { picture, kind })
}

/// Writes a picture painted from a photo of `kind`; a file is there in full or not at all.
pub(crate) fn write(
    picture: &Picture,
    kind: FileKind,
    output: &Output,
    writing: Writing,
) -> anyhow::Result<()> {
    let format = output.format.unwrap_or_else(|| format_of(kind, writing.quality));
    match &output.target {
        Target::Stdout => stdout::write(&pixel::encode(picture, format)?),
        Target::File(path) => {
            if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
                std::fs::create_dir_all(folder)
                    .with_context(|| format!("cannot make the folder {}", folder.display()))?;
            }
            Ok(pixel::write_file(picture, path, format)?)
        }
    }
}

/// The format nearest to that of a photo; GIF, which is not written, becomes PNG.
const fn format_of(kind: FileKind, quality: u8) -> Format {
    match kind {
        FileKind::Jpeg => Format::Jpeg { quality },
        FileKind::WebP => Format::WebP,
        FileKind::Tiff => Format::Tiff,
        FileKind::Bmp => Format::Bmp,
        FileKind::Png | FileKind::Gif => Format::Png,
    }
}
