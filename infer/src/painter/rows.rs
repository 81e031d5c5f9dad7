//! A painting, row by row.

use common::engine::{Engine, PaintError, SharedNorms};
use common::space::visible;
use pixel::Picture;

/// Paints photos of one size as they are and hands over each row once: its photo's place, its number, and its `byte_rgb`
/// `[width, 3]`, within 0..255, which the receiver may change. A photo's rows come from top to bottom.
///
/// # Errors
/// As [`Engine::paint_frames`].
pub(super) fn paint_rows(
    engine: &Engine,
    photos: &[Picture],
    norms: Option<&mut SharedNorms>,
    mut receive: impl FnMut(usize, u32, &mut [f32]),
) -> Result<(), PaintError> {
    let width = photos.first().map_or(0, Picture::width) as usize;
    let mut interleaved = vec![0.0; width * 3];
    engine.paint_frames(photos, norms, |place, band| {
        let planes = band.planes.chunks_exact(band.rows as usize * width);
        let planes: [&[f32]; 3] = planes.collect::<Vec<_>>().try_into().expect("a band has three planes");
        for row in 0..band.rows {
            let columns = row as usize * width..(row as usize + 1) * width;
            let [red, green, blue] = planes.map(|plane| &plane[columns.clone()]);
            for (pixel, ((&red, &green), &blue)) in
                interleaved.as_chunks_mut::<3>().0.iter_mut().zip(red.iter().zip(green).zip(blue))
            {
                // What is blended is what would be seen.
                *pixel = [red, green, blue].map(visible);
            }
            receive(place, band.first_row + row, &mut interleaved);
        }
    })
}
