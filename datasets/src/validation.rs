//! Each photo of a folder once, as its centre square: the plain walk, for validation, and a sample.

use std::path::PathBuf;

use crate::crop::CropPlan;
use crate::folder::PhotoFolder;
use crate::load::{load_crop, skip_on_panic};
use crate::order::epoch_order;
use crate::skip::SkippedPhoto;

/// The centre square of one photo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ByteCrop {
    /// Where it comes from.
    pub path: PathBuf,
    /// Pixels a side.
    pub side: u32,
    /// `[side, side, 3]`
    pub byte_rgb: Vec<u8>,
}

/// The centre square of each photo, in the order of the folder, decoded when asked for.
///
/// The short side is resized to `crop` pixels (at least 1), as [`PhotoStream`](crate::PhotoStream) does
/// without augmentation. A photo that cannot be used yields the reason; the walk goes on.
pub fn centre_crops(
    folder: &PhotoFolder,
    crop: u32,
) -> impl Iterator<Item = Result<ByteCrop, SkippedPhoto>> + '_ {
    (0..folder.len()).map(move |index| centre_crop(folder, crop, index))
}

/// As [`centre_crops`], in an order that depends on the seed: the first few are a random sample.
pub fn shuffled_centre_crops(
    folder: &PhotoFolder,
    crop: u32,
    seed: u64,
) -> impl Iterator<Item = Result<ByteCrop, SkippedPhoto>> + '_ {
    let order = epoch_order(seed, /* epoch = */ 0, folder.len());
    order.into_iter().map(move |index| centre_crop(folder, crop, index as usize))
}

fn centre_crop(folder: &PhotoFolder, crop: u32, index: usize) -> Result<ByteCrop, SkippedPhoto> {
    let path = folder.path(index);
    match skip_on_panic(|| load_crop(&path, &CropPlan::centre(crop))) {
        Ok(byte_rgb) => Ok(ByteCrop { path, side: crop, byte_rgb }),
        Err(reason) => Err(SkippedPhoto { path, reason }),
    }
}

#[cfg(test)]
mod tests {
    use pixel::{Format, Picture, write_file};

    use super::*;
    use crate::skip::SkipReason;

    #[test]
    fn walks_in_order_and_past_what_is_broken() {
        let root = tempfile::tempdir().unwrap();
        for (name, side, value) in [("c.png", 20, 3), ("a.png", 32, 1), ("d.png", 15, 9)] {
            let rgb = (0..side * side).flat_map(|i| [value, (i / side * 8) as u8, 0]).collect();
            let photo = Picture::from_rgb(side, side, rgb).unwrap();
            write_file(&photo, root.path().join(name), Format::Png).unwrap();
        }
        std::fs::write(root.path().join("b.jpg"), b"").unwrap();

        let folder = PhotoFolder::scan(root.path()).unwrap();
        let found: Vec<_> = centre_crops(&folder, 8).collect();
        let [Ok(a), Err(b), Ok(c), Err(d)] = &found[..] else { panic!("{found:?}") };
        assert_eq!((a.side, a.byte_rgb.len(), c.byte_rgb.len()), (8, 192, 192));
        assert!(a.byte_rgb.iter().step_by(3).all(|&red| red == 1), "{a:?}");
        assert!(c.byte_rgb.iter().step_by(3).all(|&red| red == 3), "{c:?}");
        assert!(b.to_string().ends_with("b.jpg: the file is empty (0 bytes)"), "{b}");
        assert!(matches!(d.reason, SkipReason::TooSmall { width: 15, height: 15 }), "{d}");

        // The shuffled walk meets the same photos; so small a folder has few orders, but not all seeds share one.
        let shuffled = |seed| -> Vec<PathBuf> {
            shuffled_centre_crops(&folder, 8, seed).flatten().map(|crop| crop.path).collect()
        };
        let orders: std::collections::BTreeSet<Vec<PathBuf>> = (0..8).map(shuffled).collect();
        assert_eq!(orders.len(), 2);
        assert_eq!(shuffled(3), shuffled(3));
    }
}
