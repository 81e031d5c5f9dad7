//! Small pictures drawn for tests.

use std::path::Path;

use pixel::{Format, Picture};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// A picture of coloured rectangles, the same for the same seed.
pub(crate) fn rectangles(width: u32, height: u32, seed: u64) -> Picture {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut rgb = vec![0; (width * height * 3) as usize];
    for _ in 0..24 {
        let colour: [u8; 3] = std::array::from_fn(|_| rng.random());
        let (left, top) = (rng.random_range(0..width), rng.random_range(0..height));
        let (right, bottom) = (rng.random_range(left..=width), rng.random_range(top..=height));
        for y in top..bottom {
            for x in left..right {
                let at = ((y * width + x) * 3) as usize;
                rgb[at..at + 3].copy_from_slice(&colour);
            }
        }
    }
    Picture::from_rgb(width, height, rgb).expect("as many bytes as pixels ask for")
}

/// Writes a picture, its format by the suffix.
pub(crate) fn save(picture: &Picture, path: &Path) {
    let format = Format::from_path(path).expect("a known suffix");
    pixel::write_file(picture, path, format).expect("a folder that can be written to");
}

/// A folder of `count` photos of mixed sizes.
pub(crate) fn photo_folder(folder: &Path, count: u64) {
    std::fs::create_dir_all(folder.join("nested")).expect("a folder that can be written to");
    for photo in 0..count {
        let name = if photo % 2 == 0 { format!("{photo}.jpg") } else { format!("nested/{photo}.png") };
        let (width, height) = (48 + 8 * (photo as u32 % 3), 40 + 4 * (photo as u32 % 4));
        save(&rectangles(width, height, photo), &folder.join(name));
    }
}
