//! Results of whole bytes.

use pixel::Picture;

use super::Band;
use crate::space;

/// A result that is rounded to bytes as it comes.
pub(super) struct Rounded {
    width: u32,
    height: u32,
    rgb: Vec<u8>,
}

impl Rounded {
    pub(super) fn of(photo: &Picture) -> Self {
        let (width, height) = (photo.width(), photo.height());
        Self { width, height, rgb: vec![0; photo.rgb().len()] }
    }

    pub(super) fn take(&mut self, band: &Band<'_>) {
        let row = 3 * self.width as usize;
        let from = band.first_row as usize * row;
        space::bytes_from_planes(band.planes, &mut self.rgb[from..from + band.rows as usize * row]);
    }

    pub(super) fn into_picture(self) -> Picture {
        Picture::from_rgb(self.width, self.height, self.rgb).expect("as many bytes as pixels ask for")
    }
}
