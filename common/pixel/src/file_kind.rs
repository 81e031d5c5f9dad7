//! Which files are pictures: by content when one is read, by suffix when folders are searched.

use std::fmt;
use std::path::Path;

/// Suffixes of the files that [`decode_file`](crate::decode_file) can read, lower case, for searching folders.
pub const PICTURE_SUFFIXES: &[&str] =
    &["bmp", "gif", "jfif", "jpe", "jpeg", "jpg", "png", "tif", "tiff", "webp"];

/// Whether the name ends like that of a picture, in upper or lower case. Says nothing about the content.
pub fn has_picture_suffix(path: &Path) -> bool {
    path.extension()
        .and_then(|suffix| suffix.to_str())
        .is_some_and(|suffix| PICTURE_SUFFIXES.iter().any(|known| known.eq_ignore_ascii_case(suffix)))
}

/// The kinds of file that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // the names say it
pub enum FileKind {
    Jpeg,
    Png,
    WebP,
    Tiff,
    Bmp,
    Gif,
}

impl FileKind {
    /// Every kind, in the order in which messages name them.
    pub const ALL: [Self; 6] = [Self::Jpeg, Self::Png, Self::WebP, Self::Tiff, Self::Bmp, Self::Gif];

    /// The kind that the first bytes of a file announce; never by its name, which may lie.
    pub fn from_content(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [0xff, 0xd8, 0xff, ..] => Some(Self::Jpeg),
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some(Self::Png),
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(Self::WebP),
            [b'I', b'I', 42, 0, ..] | [b'M', b'M', 0, 42, ..] => Some(Self::Tiff),
            [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some(Self::Gif),
            [b'B', b'M', ..] => Some(Self::Bmp),
            _ => None,
        }
    }
}

impl fmt::Display for FileKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Jpeg => "JPEG",
            Self::Png => "PNG",
            Self::WebP => "WebP",
            Self::Tiff => "TIFF",
            Self::Bmp => "BMP",
            Self::Gif => "GIF",
        })
    }
}

/// The name of a kind that people do have on their disks and that cannot be read here.
pub(crate) fn known_but_unreadable(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [_, _, _, _, b'f', b't', b'y', b'p', brand @ ..] => match brand.get(..4)? {
            b"avif" | b"avis" => Some("AVIF"),
            b"heic" | b"heix" | b"heif" | b"hevc" | b"mif1" | b"msf1" => Some("HEIC"),
            _ => None,
        },
        [0xff, 0x0a, ..] | [0, 0, 0, 0x0c, b'J', b'X', b'L', b' ', ..] => Some("JPEG XL"),
        [b'8', b'B', b'P', b'S', ..] => Some("Photoshop"),
        [b'%', b'P', b'D', b'F', ..] => Some("PDF"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suffixes_in_any_case() {
        for name in ["a.jpg", "b.JPEG", "c/d.Png", "e.tar.webp"] {
            assert!(has_picture_suffix(Path::new(name)), "{name}");
        }
        for name in ["jpg", ".jpg", "a.txt", "a.jpg.part", ""] {
            assert!(!has_picture_suffix(Path::new(name)), "{name}");
        }
    }

    #[test]
    fn short_content_is_no_picture() {
        for bytes in [&b""[..], b"\xff", b"\xff\xd8", b"RIFF\0\0\0\0WEB", b"\x89PNG"] {
            assert_eq!(FileKind::from_content(bytes), None, "{bytes:?}");
        }
    }

    #[test]
    fn phones_write_heic() {
        assert_eq!(known_but_unreadable(b"\0\0\0\x18ftypheic\0\0"), Some("HEIC"));
        assert_eq!(known_but_unreadable(b"\0\0\0\x18ftypisom"), None);
        assert_eq!(known_but_unreadable(b"\0\0\0\x18ftyp"), None);
    }
}
