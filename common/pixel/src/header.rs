//! What a file says of itself before its pixels come.

use std::io::Cursor;

use image::metadata::Orientation;
use image::{ImageDecoder as _, ImageFormat, ImageReader};

use crate::FileKind;

/// Kind and size of a picture file, by its header alone: the pixels may still turn out to be damaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// The kind that the content announces.
    pub kind: FileKind,
    /// Pixels across, once upright.
    pub width: u32,
    /// Pixels down, once upright.
    pub height: u32,
}

impl Header {
    /// Reads the header of a file; `None` where there is none that is understood. Why not, [`decode_bytes`] says.
    ///
    /// [`decode_bytes`]: crate::decode_bytes
    pub fn of(bytes: &[u8]) -> Option<Self> {
        let kind = FileKind::from_content(bytes)?;
        let format = match kind {
            FileKind::Jpeg => ImageFormat::Jpeg,
            FileKind::Png => ImageFormat::Png,
            FileKind::WebP => ImageFormat::WebP,
            FileKind::Tiff => ImageFormat::Tiff,
            FileKind::Bmp => ImageFormat::Bmp,
            FileKind::Gif => ImageFormat::Gif,
        };
        let mut decoder = ImageReader::with_format(Cursor::new(bytes), format).into_decoder().ok()?;
        let (width, height) = decoder.dimensions();
        let lies_on_its_side = matches!(
            decoder.orientation(),
            Ok(Orientation::Rotate90
                | Orientation::Rotate270
                | Orientation::Rotate90FlipH
                | Orientation::Rotate270FlipH)
        );
        let (width, height) = if lies_on_its_side { (height, width) } else { (width, height) };
        Some(Self { kind, width, height })
    }
}
