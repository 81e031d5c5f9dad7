//! Cameras store what the sensor saw and note how they were held; this turns the picture upright.

use image::metadata::Orientation;

/// A turn as steps from an upright pixel to its place in the stored picture.
struct Steps {
    /// Rows and columns change places.
    transposed: bool,
    /// Then counted from the right.
    from_right: bool,
    /// Then counted from the bottom.
    from_bottom: bool,
}

impl Steps {
    const fn of(orientation: Orientation) -> Self {
        let (transposed, from_right, from_bottom) = match orientation {
            Orientation::NoTransforms => (false, false, false),
            Orientation::FlipHorizontal => (false, true, false),
            Orientation::Rotate180 => (false, true, true),
            Orientation::FlipVertical => (false, false, true),
            Orientation::Rotate90FlipH => (true, false, false),
            Orientation::Rotate90 => (true, false, true),
            Orientation::Rotate270FlipH => (true, true, true),
            Orientation::Rotate270 => (true, true, false),
        };
        Self { transposed, from_right, from_bottom }
    }
}

/// Width and height once upright.
pub(super) const fn turned_size(width: u32, height: u32, orientation: Orientation) -> (u32, u32) {
    if Steps::of(orientation).transposed { (height, width) } else { (width, height) }
}

/// Turns a stored plane of `width` x `height` pixels, `CHANNELS` bytes each, upright.
pub(super) fn turn<const CHANNELS: usize>(
    stored: Vec<u8>,
    width: u32,
    height: u32,
    orientation: Orientation,
) -> Vec<u8> {
    if orientation == Orientation::NoTransforms {
        return stored;
    }
    let steps = Steps::of(orientation);
    let (upright_width, upright_height) = turned_size(width, height, orientation);
    let (width, height) = (width as usize, height as usize);
    let pixels = stored.as_chunks::<CHANNELS>().0;
    let mut upright = Vec::with_capacity(stored.len());
    for y in 0..upright_height as usize {
        for x in 0..upright_width as usize {
            let (column, row) = if steps.transposed { (y, x) } else { (x, y) };
            let column = if steps.from_right { width - 1 - column } else { column };
            let row = if steps.from_bottom { height - 1 - row } else { row };
            upright.extend_from_slice(&pixels[row * width + column]);
        }
    }
    upright
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_orientation_of_a_small_plane() {
        // Stored:  a b c
        //          d e f
        let expected = [
            (1, "abcdef", 3),
            (2, "cbafed", 3),
            (3, "fedcba", 3),
            (4, "defabc", 3),
            (5, "adbecf", 2),
            (6, "daebfc", 2),
            (7, "fcebda", 2),
            (8, "cfbead", 2),
        ];
        for (exif, upright, upright_width) in expected {
            let orientation = Orientation::from_exif(exif).unwrap();
            let found = turn::<1>(b"abcdef".to_vec(), 3, 2, orientation);
            assert_eq!(String::from_utf8(found).unwrap(), upright, "EXIF {exif}");
            assert_eq!(turned_size(3, 2, orientation).0, upright_width, "EXIF {exif}");
        }
    }

    #[test]
    fn pixels_stay_together() {
        let found = turn::<3>(vec![1, 2, 3, 4, 5, 6], 2, 1, Orientation::Rotate180);
        assert_eq!(found, [4, 5, 6, 1, 2, 3]);
    }
}
