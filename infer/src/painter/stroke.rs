//! Larger and finer strokes: the network paints at another resolution than the result has.

use common::engine::{Engine, SharedNorms};
use pixel::{Filter, Picture};

use super::detail::Detail;
use super::size::{resized, scaled};

/// Rows of the result that are made at a time.
const BAND_ROWS: u32 = 32;

/// Paints a photo with strokes that are `factor` times as large and hands over each row once, as [`paint_rows`] does. `sized`
/// is the photo at the size of the result, `photo` the same as it came.
///
/// A network's strokes are so many pixels wide. It paints a photo that is `factor` times smaller, and the painting is
/// enlarged; [`Detail`] gives edges back their sharpness. The painting in between is rounded to bytes, which keeps it small,
/// also where the result has 16 bits.
pub(super) fn paint_rows_by_strokes(
    engine: &Engine,
    photo: &Picture,
    sized: &Picture,
    factor: f64,
    norms: Option<&mut SharedNorms>,
    mut receive: impl FnMut(u32, &mut [f32]),
) -> anyhow::Result<()> {
    let (width, height) = (sized.width(), sized.height());
    let network_size = scaled((width, height), 1.0 / factor);
    let seen = resized(photo, network_size)?.into_owned().without_alpha();
    let painted = engine.paint_frame_picture(&seen, norms)?;
    let detail = (factor > 1.0).then(|| Detail::new(&seen, &painted));
    let mut values = Vec::with_capacity(width as usize * 3);
    for first in (0..height).step_by(BAND_ROWS as usize) {
        let rows = first..(first + BAND_ROWS).min(height);
        let enlarged = painted.resize_rows(width, height, rows.clone(), Filter::Lanczos3)?;
        let details = detail.as_ref().map(|detail| detail.rows(sized, rows.clone())).transpose()?;
        for (row, bytes) in rows.zip(enlarged.rgb().chunks_exact(width as usize * 3)) {
            values.clear();
            values.extend(bytes.iter().copied().map(f32::from));
            if let Some(details) = &details {
                let details = details.chunks_exact(width as usize).nth((row - first) as usize);
                add_light(&mut values, details.expect("a row of details for each row"));
            }
            receive(row, &mut values);
        }
    }
    Ok(())
}

/// Adds to all channels of a pixel alike, within 0..255.
fn add_light(values: &mut [f32], details: &[f32]) {
    for (pixel, detail) in values.as_chunks_mut::<3>().0.iter_mut().zip(details) {
        *pixel = pixel.map(|value| (value + detail).clamp(0.0, 255.0));
    }
}
