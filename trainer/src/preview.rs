//! Previews: a few photos beside what the network makes of them, on one sheet.

use std::path::{Path, PathBuf};

use common::space::{byte_rgb_from_picture, picture_from_byte_rgb};
use datasets::{ByteCrop, PhotoFolder, centre_crops};
use pixel::{Filter, Format, Picture, PictureError, WriteError};
use tch::{Device, Tensor};

/// How many photos a sheet shows.
pub const PHOTOS_ON_A_SHEET: usize = 4;

/// Where sheets are kept in the run folder.
pub(crate) const FOLDER: &str = "previews";

/// The longest side of a picture on a sheet, in pixels.
const CELL_PX: u32 = 256;
/// Between a photo and its painting, in pixels.
const GAP_PX: u32 = 2;
/// Between two pairs, in pixels.
const PAIR_GAP_PX: u32 = 10;
/// Pairs side by side, where there are more than two.
const PAIRS_IN_A_ROW: usize = 2;
/// What shows between pictures: dark and neutral, as it does least to the colours beside it.
const GROUND: u8 = 24;

/// The photos that every preview of a training shows.
pub struct PreviewPhotos {
    photos: Vec<Picture>,
}

/// A preview that cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum PreviewError {
    /// The folder cannot be made, or cleared of earlier sheets.
    #[error("cannot make room for previews: {cause}: {}", path.display())]
    Folder {
        /// The folder, or the earlier sheet.
        path: PathBuf,
        /// What the system said.
        cause: std::io::Error,
    },
    /// The picture cannot be written.
    #[error(transparent)]
    Picture(#[from] WriteError),
}

impl PreviewPhotos {
    /// [`PHOTOS_ON_A_SHEET`] of these crops, evenly chosen: the same ones whenever the crops are the same.
    pub fn among(crops: &[ByteCrop]) -> Self {
        let count = crops.len().min(PHOTOS_ON_A_SHEET);
        let photos = (0..count).filter_map(|place| {
            let crop = &crops[place * crops.len() / count];
            Picture::from_rgb(crop.side, crop.side, crop.byte_rgb.clone()).ok()
        });
        Self { photos: photos.collect() }
    }

    /// The first usable photos of a folder, their centre squares at `crop_px` a side; those alone are decoded.
    pub fn of_folder(folder: &PhotoFolder, crop_px: u32) -> Self {
        let crops: Vec<ByteCrop> = centre_crops(folder, crop_px).flatten().take(PHOTOS_ON_A_SHEET).collect();
        Self::among(&crops)
    }

    /// Whether there is nothing to show.
    pub fn is_empty(&self) -> bool {
        self.photos.is_empty()
    }

    /// A sheet of the photos and of what `paint` makes of each; `byte_rgb` `[1, 3, h, w]` goes in and comes out.
    /// `None` if there are no photos.
    pub fn sheet(&self, device: Device, paint: impl Fn(&Tensor) -> Tensor) -> Option<Picture> {
        let pairs: Vec<[Picture; 2]> = self
            .photos
            .iter()
            .map(|photo| {
                let painted = tch::no_grad(|| paint(&byte_rgb_from_picture(photo, device)));
                [photo.clone(), picture_from_byte_rgb(&painted)]
            })
            .collect();
        sheet(&pairs)
    }
}

/// Pairs of pictures on one sheet, the two of a pair side by side, each reduced to 256 pixels at its longest side.
/// `None` of none.
pub fn sheet(pairs: &[[Picture; 2]]) -> Option<Picture> {
    let pairs: Vec<[Picture; 2]> = pairs.iter().map(|pair| pair.each_ref().map(reduced)).collect();
    let side = |of: fn(&Picture) -> u32| pairs.iter().flatten().map(of).max();
    let (cell_width, cell_height) = (side(Picture::width)?, side(Picture::height)?);
    let columns = if pairs.len() > PAIRS_IN_A_ROW { PAIRS_IN_A_ROW } else { 1 };
    let rows = pairs.len().div_ceil(columns) as u32;

    let pair_width = 2 * cell_width + GAP_PX;
    let mut canvas = Canvas::new(
        columns as u32 * (pair_width + PAIR_GAP_PX) - PAIR_GAP_PX,
        rows * (cell_height + PAIR_GAP_PX) - PAIR_GAP_PX,
    );
    for (place, pair) in pairs.iter().enumerate() {
        let left = (place % columns) as u32 * (pair_width + PAIR_GAP_PX);
        let top = (place / columns) as u32 * (cell_height + PAIR_GAP_PX);
        for (picture, left) in pair.iter().zip([left, left + cell_width + GAP_PX]) {
            let centred = |cell: u32, length: u32| (cell - length) / 2;
            canvas.lay(
                picture,
                left + centred(cell_width, picture.width()),
                top + centred(cell_height, picture.height()),
            );
        }
    }
    canvas.into_picture().ok()
}

/// Writes a sheet into the run folder and returns its name relative to that, `previews/step-000200.png`.
///
/// # Errors
/// The folder cannot be made or the file cannot be written.
pub fn write(run_folder: &Path, step: u64, sheet: &Picture) -> Result<String, PreviewError> {
    let name = format!("{FOLDER}/step-{step:06}.png");
    let path = run_folder.join(&name);
    let folder = run_folder.join(FOLDER);
    std::fs::create_dir_all(&folder).map_err(|cause| PreviewError::Folder { path: folder, cause })?;
    pixel::write_file(sheet, &path, Format::Png)?;
    Ok(name)
}

/// Removes the sheets of an earlier run from the run folder; other files are left alone.
///
/// # Errors
/// A sheet cannot be removed.
pub fn remove_all(run_folder: &Path) -> Result<(), PreviewError> {
    let folder = run_folder.join(FOLDER);
    let Ok(files) = std::fs::read_dir(&folder) else { return Ok(()) };
    for path in files.flatten().map(|file| file.path()) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with("step-") && name.ends_with(".png") {
            std::fs::remove_file(&path)
                .map_err(|cause| PreviewError::Folder { path: path.clone(), cause })?;
        }
    }
    Ok(())
}

fn reduced(picture: &Picture) -> Picture {
    let long_side = picture.width().max(picture.height());
    if long_side <= CELL_PX {
        return picture.clone();
    }
    let scaled =
        |side: u32| ((f64::from(side) * f64::from(CELL_PX) / f64::from(long_side)).round() as u32).max(1);
    picture
        .resize(scaled(picture.width()), scaled(picture.height()), Filter::Lanczos3)
        .expect("both sides are at least one pixel")
}

/// A picture that others are laid upon.
struct Canvas {
    width: u32,
    height: u32,
    rgb: Vec<u8>,
}

impl Canvas {
    fn new(width: u32, height: u32) -> Self {
        Self { width, height, rgb: vec![GROUND; width as usize * height as usize * 3] }
    }

    /// Lays a picture with its top left pixel at `left`, `top`, inside the canvas; its transparency is left behind.
    fn lay(&mut self, picture: &Picture, left: u32, top: u32) {
        let row_bytes = picture.width() as usize * 3;
        for (row, pixels) in picture.rgb().chunks_exact(row_bytes).enumerate() {
            let start = ((top as usize + row) * self.width as usize + left as usize) * 3;
            self.rgb[start..start + row_bytes].copy_from_slice(pixels);
        }
    }

    fn into_picture(self) -> Result<Picture, PictureError> {
        Picture::from_rgb(self.width, self.height, self.rgb)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(width: u32, height: u32, value: u8) -> Picture {
        Picture::from_rgb(width, height, vec![value; (width * height * 3) as usize]).unwrap()
    }

    fn value_at(picture: &Picture, x: u32, y: u32) -> u8 {
        picture.rgb()[((y * picture.width() + x) * 3) as usize]
    }

    #[test]
    fn a_pair_lies_side_by_side() {
        let sheet = sheet(&[[plain(5, 4, 100), plain(5, 4, 200)]]).unwrap();
        assert_eq!((sheet.width(), sheet.height()), (5 + GAP_PX + 5, 4));
        let row: Vec<u8> = (0..sheet.width()).map(|x| value_at(&sheet, x, 3)).collect();
        assert_eq!(row, [100, 100, 100, 100, 100, 24, 24, 200, 200, 200, 200, 200]);
    }

    #[test]
    fn many_pairs_make_rows_of_two_and_large_pictures_are_reduced() {
        let pairs: Vec<[Picture; 2]> =
            (0..3).map(|pair| [plain(600, 300, pair * 20 + 100), plain(600, 300, 7)]).collect();
        let sheet = sheet(&pairs).unwrap();
        let pair_width = 2 * 256 + GAP_PX;
        assert_eq!((sheet.width(), sheet.height()), (2 * pair_width + PAIR_GAP_PX, 2 * 128 + PAIR_GAP_PX));
        assert_eq!(value_at(&sheet, 9, 9), 100);
        assert_eq!(value_at(&sheet, pair_width + PAIR_GAP_PX, 0), 120);
        assert_eq!(value_at(&sheet, 0, 128 + PAIR_GAP_PX), 140);
        assert_eq!(value_at(&sheet, pair_width + PAIR_GAP_PX, 128 + PAIR_GAP_PX), GROUND);
        assert!(super::sheet(&[]).is_none());
    }

    #[test]
    fn photos_are_chosen_evenly_and_painted_by_the_closure() {
        let crops: Vec<ByteCrop> = (0..10)
            .map(|value| ByteCrop { path: PathBuf::new(), side: 16, byte_rgb: vec![value; 16 * 16 * 3] })
            .collect();
        let photos = PreviewPhotos::among(&crops);
        let values: Vec<u8> = photos.photos.iter().map(|photo| photo.rgb()[0]).collect();
        assert_eq!(values, [0, 2, 5, 7]);
        let sheet = photos.sheet(Device::Cpu, |byte_rgb| byte_rgb + 100.0).unwrap();
        assert_eq!(value_at(&sheet, 0, 0), 0);
        assert_eq!(value_at(&sheet, 16 + GAP_PX, 0), 100);
        assert!(PreviewPhotos::among(&[]).sheet(Device::Cpu, Tensor::shallow_clone).is_none());
    }

    #[test]
    fn a_sheet_is_written_under_its_step() {
        let folder = tempfile::tempdir().unwrap();
        let name = write(folder.path(), 200, &plain(4, 4, 1)).unwrap();
        assert_eq!(name, "previews/step-000200.png");
        let path = folder.path().join(name);
        assert_eq!(pixel::decode_file(&path, &pixel::DecodeLimits::default()).unwrap(), plain(4, 4, 1));

        let own = folder.path().join("previews/notes.txt");
        std::fs::write(&own, "").unwrap();
        remove_all(folder.path()).unwrap();
        assert!(!path.exists() && own.exists());
        remove_all(&folder.path().join("none")).unwrap();
    }
}
