//! EXIF is a small TIFF file. It is edited in place and never laid out anew, since makers' notes hold offsets that only
//! their makers understand.

use std::ops::Range;

use image::metadata::Orientation;

use crate::tiff_structure::{BYTE, Directory, LONG, SHORT, Tiff};

const ORIENTATION: u16 = 0x0112;
const EXIF_DIRECTORY: u16 = 0x8769;
const COLOUR_SPACE: u16 = 0xa001;
/// Where a thumbnail lies, and how many bytes it has: as JPEG, or as one strip of pixels.
const THUMBNAIL: [(u16, u16); 2] = [(0x0201, 0x0202), (0x0111, 0x0117)];

/// What JPEG puts in front, and some writers of other formats too.
const PREFIX: &[u8] = b"Exif\0\0";

/// How the camera was held.
pub(crate) fn orientation(chunk: &[u8]) -> Option<Orientation> {
    Orientation::from_exif_chunk(without_prefix(chunk))
}

fn without_prefix(chunk: &[u8]) -> &[u8] {
    chunk.strip_prefix(PREFIX).unwrap_or(chunk)
}

/// The EXIF of a photo once it has been turned upright and converted to sRGB, without the thumbnail. `None` where it is
/// malformed.
pub(crate) fn of_an_upright_picture(chunk: Vec<u8>) -> Option<Vec<u8>> {
    let bytes = if chunk.starts_with(PREFIX) { without_prefix(&chunk).to_vec() } else { chunk };
    let mut exif = Tiff::new(bytes)?;
    let main = exif.main_directory()?;
    if let Some(entry) = exif.find(&main, ORIENTATION) {
        exif.set_number(entry, 1);
    }
    let camera = exif.find(&main, EXIF_DIRECTORY).and_then(|entry| exif.number(entry));
    if let Some(camera) = camera.and_then(|at| exif.directory(at as usize))
        && let Some(entry) = exif.find(&camera, COLOUR_SPACE)
    {
        exif.set_number(entry, 1);
    }
    exif.drop_thumbnail(&main)?;
    Some(exif.bytes)
}

impl Tiff<Vec<u8>> {
    /// Leaves an entry alone that is no number.
    fn set_number(&mut self, entry: usize, value: u8) {
        let width = match self.u16_at(entry + 2) {
            Some(BYTE) => 1,
            Some(SHORT) => 2,
            Some(LONG) => 4,
            _ => return,
        };
        let last = if self.is_big_endian { width - 1 } else { 0 };
        self.bytes[entry + 8..entry + 8 + width].fill(0);
        self.bytes[entry + 8 + last] = value;
    }

    /// Unhooks the second directory, which describes the thumbnail, and wipes both. `None` where the thumbnail would lie
    /// on top of the first directory.
    fn drop_thumbnail(&mut self, main: &Directory) -> Option<()> {
        let link = main.entries.end;
        let Some(second) = self.u32_at(link).filter(|&at| at != 0) else { return Some(()) };
        self.bytes[link..link + 4].fill(0);
        let Some(second) = self.directory(second as usize) else { return Some(()) };

        let directory = second.entries.start - 2..second.entries.end;
        let mut wiped: Vec<Range<usize>> = std::iter::once(directory).collect();
        for (start, length) in THUMBNAIL {
            let [start, length] = [start, length].map(|tag| self.number(self.find(&second, tag)?));
            if let (Some(start), Some(length)) = (start, length) {
                let end = (start as usize).saturating_add(length as usize).min(self.bytes.len());
                wiped.push((start as usize).min(end)..end);
            }
        }
        let kept = main.entries.start - 2..link + 4;
        for range in &wiped {
            let hits = |other: &Range<usize>| range.start < other.end && other.start < range.end;
            if hits(&(0..8)) || hits(&kept) {
                return None;
            }
            self.bytes[range.clone()].fill(0);
        }
        // Most cameras put the thumbnail last.
        if let Some(last) = wiped.iter().find(|range| range.end == self.bytes.len()) {
            self.bytes.truncate(last.start);
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same content in both byte orders: orientation 6 and a camera directory with colour space 65535; behind it a
    /// thumbnail of four bytes.
    fn sample(is_big_endian: bool) -> Vec<u8> {
        let u16 = |v: u16| if is_big_endian { v.to_be_bytes() } else { v.to_le_bytes() };
        let u32 = |v: u32| if is_big_endian { v.to_be_bytes() } else { v.to_le_bytes() };
        let short = |tag: u16, v: u16| [&u16(tag)[..], &u16(SHORT), &u32(1), &u16(v), &u16(0)].concat();
        let long = |tag: u16, v: u32| [&u16(tag)[..], &u16(LONG), &u32(1), &u32(v)].concat();
        let order: &[u8] = if is_big_endian { b"MM" } else { b"II" };
        [
            [order, &u16(42), &u32(8)].concat(),
            // 8: the main directory; behind it 38: the camera's, 56: the thumbnail's
            [&u16(2)[..], &short(ORIENTATION, 6), &long(EXIF_DIRECTORY, 38), &u32(56)].concat(),
            [&u16(1)[..], &short(COLOUR_SPACE, 65535), &u32(0)].concat(),
            [&u16(2)[..], &long(0x0201, 86), &long(0x0202, 4), &u32(0)].concat(),
            b"JPEG".to_vec(),
        ]
        .concat()
    }

    #[test]
    fn orientation_and_colour_space_become_those_of_the_picture_and_the_thumbnail_goes() {
        for is_big_endian in [false, true] {
            let exif = of_an_upright_picture(sample(is_big_endian)).unwrap();
            assert_eq!(exif.len(), 86, "the thumbnail was last");
            let exif = Tiff::new(exif).unwrap();
            let main = exif.directory(8).unwrap();
            assert_eq!(exif.number(exif.find(&main, ORIENTATION).unwrap()), Some(1));
            assert_eq!(exif.u32_at(main.entries.end), Some(0), "no second directory");
            let camera = exif.directory(38).unwrap();
            assert_eq!(exif.number(exif.find(&camera, COLOUR_SPACE).unwrap()), Some(1));
            assert!(exif.bytes[56..].iter().all(|&byte| byte == 0));
            assert_eq!(of_an_upright_picture(exif.bytes.clone()), Some(exif.bytes), "nothing is left to do");
        }
    }

    #[test]
    fn a_thumbnail_in_the_middle_is_wiped() {
        let mut bytes = sample(false);
        bytes.extend(b"behind");
        let exif = of_an_upright_picture(bytes).unwrap();
        assert_eq!(exif[86..], *b"\0\0\0\0behind");
    }

    #[test]
    fn jpegs_prefix_is_taken_off() {
        let bare = of_an_upright_picture(sample(true)).unwrap();
        let prefixed = [b"Exif\0\0", &sample(true)[..]].concat();
        assert_eq!(of_an_upright_picture(prefixed), Some(bare));
    }

    #[test]
    fn malformed_is_none_and_never_a_panic() {
        for bytes in [&b""[..], b"II", b"II*\0", b"II*\0\x08\0\0\0", b"MM\0*\xff\xff\xff\xff", b"Exif\0\0II"]
        {
            assert_eq!(of_an_upright_picture(bytes.to_vec()), None, "{bytes:?}");
        }
        let whole = sample(false);
        for at in 0..whole.len() {
            of_an_upright_picture(whole[..at].to_vec());
            for value in [0, 1, 8, 0x7f, 0xff] {
                let mut damaged = whole.clone();
                damaged[at] = value;
                of_an_upright_picture(damaged);
            }
        }
        let mut on_top = whole;
        on_top[56 + 2 + 8] = 8; // the thumbnail starts where the main directory does
        assert_eq!(of_an_upright_picture(on_top), None);
    }
}
