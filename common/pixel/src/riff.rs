//! The chunks of a WebP file, each a name, a 32-bit length and as many bytes, padded to an even number.
//!
//! `image` reserves what a chunk of metadata claims to be long, up to 4 GB for a file of 100 bytes.

/// The content of the first chunk of this name, if it lies in the file as a whole.
pub(crate) fn chunk(file: &[u8], name: [u8; 4]) -> Option<&[u8]> {
    let (content, length) = start_of(file.get(12..)?, name)?;
    content.get(..length)
}

/// Pixels across and down that the first frame of an extended file claims to have, where it is lossy. `image` takes the
/// memory for them before it compares them with the size of the picture.
pub(crate) fn size_of_lossy_frame(file: &[u8]) -> Option<(u32, u32)> {
    let chunks = file.get(12..)?;
    // In an animation 16 bytes of its own come before the frame's chunks.
    let in_animation =
        || start_of(chunks, *b"ANMF").and_then(|(frame, _)| start_of(frame.get(16..)?, *b"VP8 "));
    let (frame, _) = start_of(chunks, *b"VP8 ").or_else(in_animation)?;
    // Three bytes of flags and three of a signature, then 14 bits each.
    let sides = frame.get(6..)?.first_chunk::<4>()?;
    let side = |low: u8, high: u8| u32::from(u16::from_le_bytes([low, high]) & 0x3fff);
    Some((side(sides[0], sides[1]), side(sides[2], sides[3])))
}

/// Whether there are several frames.
pub(crate) fn is_animated(file: &[u8]) -> bool {
    file.get(12..).is_some_and(|chunks| start_of(chunks, *b"ANMF").is_some())
}

/// From the content of the first chunk of this name to the end, and the length that the chunk claims.
fn start_of(mut rest: &[u8], name: [u8; 4]) -> Option<(&[u8], usize)> {
    loop {
        let (found, behind) = rest.split_first_chunk::<4>()?;
        let (length, behind) = behind.split_first_chunk::<4>()?;
        let length = u32::from_le_bytes(*length) as usize;
        if *found == name {
            return Some((behind, length));
        }
        rest = behind.get(length.next_multiple_of(2)..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_found_where_they_are_whole() {
        let file = b"RIFF____WEBPVP8X\x03\0\0\0abc\0EXIF\x02\0\0\0deICCP\xff\xff\xff\xffgh";
        assert_eq!(chunk(file, *b"VP8X"), Some(&b"abc"[..]));
        assert_eq!(chunk(file, *b"EXIF"), Some(&b"de"[..]));
        assert_eq!(chunk(file, *b"ICCP"), None, "longer than the file");
        assert_eq!(chunk(file, *b"XMP "), None);
        for length in 0..file.len() {
            chunk(&file[..length], *b"XMP ");
            size_of_lossy_frame(&file[..length]);
        }
    }

    #[test]
    fn a_lossy_frame_is_found_in_animations_too() {
        let frame = b"VP8 \x0a\0\0\0fff\x9d\x01\x2a\x05\x40\x07\x00";
        let still = [&b"RIFF____WEBP"[..], frame].concat();
        assert_eq!(size_of_lossy_frame(&still), Some((5, 7)), "the upper two bits mean something else");
        let animation = [&b"RIFF____WEBPANMF\x22\0\0\0________________"[..], frame].concat();
        assert_eq!(size_of_lossy_frame(&animation), Some((5, 7)));
        assert!(is_animated(&animation) && !is_animated(&still));
    }
}
