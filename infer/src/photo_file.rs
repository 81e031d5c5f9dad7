//! Files and streams at both ends: the one place that reads photos, and the one that writes pictures.

use std::io::Read as _;
use std::sync::Arc;

use anyhow::Context as _;
use pixel::{DecodeError, DecodeLimits, EncodeOptions, FileKind, Format, Metadata, Picture};

use crate::painter::FinishedPicture;
use crate::plan::{Output, Source, Target, Writing};
use crate::stdout;

/// A photo, decoded.
pub(crate) struct Photo {
    pub(crate) picture: Picture,
    /// What its file said beside it, for each of its paintings.
    pub(crate) metadata: Arc<Metadata>,
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
    let decoded = pixel::decode_bytes_with_metadata(bytes, &DecodeLimits::default())?;
    Ok(Photo { picture: decoded.picture, metadata: Arc::new(decoded.metadata) })
}

/// Writes a picture painted from a photo with this metadata; a file is there in full or not at all.
pub(crate) fn write(
    picture: &FinishedPicture,
    metadata: &Metadata,
    output: &Output,
    writing: Writing,
) -> anyhow::Result<()> {
    let format = output.format.unwrap_or_else(|| format_of(metadata.kind, writing.quality));
    let exif = metadata.exif.as_deref().filter(|_| writing.keep_metadata);
    let options = EncodeOptions { format, exif };
    match &output.target {
        Target::Stdout => stdout::write(&match picture {
            FinishedPicture::Eight(picture) => pixel::encode(picture, options)?,
            FinishedPicture::Sixteen(picture) => pixel::encode_deep(picture, options)?,
        }),
        Target::File(path) => {
            if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
                std::fs::create_dir_all(folder)
                    .with_context(|| format!("cannot make the folder {}", folder.display()))?;
            }
            match picture {
                FinishedPicture::Eight(picture) => pixel::write_file(picture, path, options)?,
                FinishedPicture::Sixteen(picture) => pixel::write_deep_file(picture, path, options)?,
            }
            Ok(())
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
