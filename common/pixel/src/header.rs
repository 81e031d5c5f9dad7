//! What a file says of itself before its pixels come.

use crate::decode::upright_size;
use crate::{DecodeLimits, FileKind};

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
        let (width, height) = upright_size(bytes, kind, &DecodeLimits::default())?;
        Some(Self { kind, width, height })
    }
}

#[cfg(test)]
mod tests {
    use image::codecs::png::PngEncoder;
    use image::{ExtendedColorType, ImageEncoder as _};

    use super::*;

    #[test]
    fn a_picture_on_its_side_is_seen_as_the_decoder_sees_it() {
        // Orientation 6, with the prefix that belongs into JPEG and that some writers put into other files.
        let turned = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0".to_vec();
        let mut file = Vec::new();
        let mut encoder = PngEncoder::new(&mut file);
        encoder.set_exif_metadata(turned).unwrap();
        encoder.write_image(&[0; 18], 3, 2, ExtendedColorType::Rgb8).unwrap();
        let decoded = crate::decode_bytes(&file, &DecodeLimits::default()).unwrap();
        let header = Header::of(&file);
        assert_eq!(header, Some(Header { kind: FileKind::Png, width: 2, height: 3 }));
        assert_eq!((decoded.width(), decoded.height()), (2, 3));
    }
}
