//! Contact sheets: many pictures on one, each with words below it.

mod canvas;
mod caption;

use crate::{Filter, Picture};
use canvas::Canvas;
use caption::Lettering;

/// What shows between pictures: dark and neutral, as it does least to the colours beside it.
const GROUND: u8 = 24;
/// The shape that a sheet comes near to: width by height.
const SHEET_ASPECT: f64 = 1.5;

/// A picture on a sheet.
#[derive(Debug, Clone)]
pub struct SheetCell {
    /// Reduced to the sheet's cells where it is larger, never enlarged.
    pub picture: Picture,
    /// One line below it.
    pub heading: String,
    /// Up to two lines below that; may be empty.
    pub text: String,
}

/// One sheet of all cells, row by row, in as many columns as bring it nearest to 3:2. `cell_px` is the longest side of
/// a picture on it, in pixels. `None` of no cells.
pub fn contact_sheet(cells: &[SheetCell], cell_px: u32) -> Option<Picture> {
    let reduced: Vec<Picture> = cells.iter().map(|cell| reduced_to(&cell.picture, cell_px)).collect();
    let widest = reduced.iter().map(Picture::width).max()?;
    let highest = reduced.iter().map(Picture::height).max()?;

    let lettering = Lettering::for_cells(cell_px);
    let gap = (cell_px / 30).max(4);
    let caption_height = lettering.height_px(cells.iter().any(|cell| !cell.text.is_empty()));
    let (step_x, step_y) = (widest + gap, highest + gap / 2 + caption_height + gap);
    let columns = columns(cells.len() as u32, step_x, step_y);
    let rows = (cells.len() as u32).div_ceil(columns);

    let mut canvas = Canvas::new(columns * step_x + gap, rows * step_y + gap, GROUND);
    for (place, (cell, picture)) in cells.iter().zip(&reduced).enumerate() {
        let (column, row) = (place as u32 % columns, place as u32 / columns);
        let (left, top) = (gap + column * step_x, gap + row * step_y);
        canvas.lay(picture, left + (widest - picture.width()) / 2, top + (highest - picture.height()) / 2);
        let caption_at = (left, top + highest + gap / 2);
        lettering.draw(&mut canvas, caption_at, widest, (&cell.heading, &cell.text));
    }
    Some(canvas.into_picture())
}

/// How many columns of cells of this size bring a sheet nearest to its shape with few places left empty.
fn columns(cells: u32, cell_width: u32, cell_height: u32) -> u32 {
    let cost = |columns: u32| {
        let rows = cells.div_ceil(columns);
        let (width, height) = (f64::from(columns * cell_width), f64::from(rows * cell_height));
        let empty = 1.0 - f64::from(cells) / f64::from(rows * columns);
        ((width / height).ln() - SHEET_ASPECT.ln()).abs() + empty
    };
    (1..=cells).min_by(|&a, &b| cost(a).total_cmp(&cost(b))).unwrap_or(1)
}

/// The picture with no side longer than `long_side_px`; never enlarged.
pub fn reduced_to(picture: &Picture, long_side_px: u32) -> Picture {
    let long_side = picture.width().max(picture.height());
    if long_side <= long_side_px {
        return picture.clone();
    }
    let ratio = f64::from(long_side_px) / f64::from(long_side);
    let scaled = |side: u32| ((f64::from(side) * ratio).round() as u32).max(1);
    let (width, height) = (scaled(picture.width()), scaled(picture.height()));
    picture.resize(width, height, Filter::Lanczos3).expect("both sides are at least one pixel")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(width: u32, height: u32, value: u8) -> SheetCell {
        let rgb = vec![value; (width * height * 3) as usize];
        let picture = Picture::from_rgb(width, height, rgb).unwrap();
        SheetCell { picture, heading: format!("grey {value}"), text: String::new() }
    }

    fn value_at(picture: &Picture, x: u32, y: u32) -> u8 {
        picture.rgb()[((y * picture.width() + x) * 3) as usize]
    }

    #[test]
    fn sheets_come_near_to_three_by_two() {
        assert_eq!(columns(1, 480, 360), 1);
        assert_eq!(columns(2, 300, 400), 2);
        assert_eq!(columns(4, 480, 320), 2);
        assert_eq!(columns(9, 480, 320), 3);
        assert_eq!(columns(30, 480, 360), 6);
        assert_eq!(columns(4, 490, 440), 2, "three columns would come nearer and leave two places empty");
        assert_eq!(columns(12, 300, 400), 5);
        for cells in 1..60 {
            assert!((1..=cells).contains(&columns(cells, 480, 500)));
        }
    }

    #[test]
    fn every_picture_is_on_the_sheet_with_words_below() {
        let cells = [cell(96, 64, 100), cell(64, 96, 150), cell(20, 20, 200), cell(500, 250, 250)];
        let sheet = contact_sheet(&cells, 96).unwrap();
        let (gap, highest, letters) = (4, 96, 10);
        let step_x = 96 + gap;
        let step_y = highest + gap / 2 + letters + gap;
        assert_eq!((sheet.width(), sheet.height()), (3 * step_x + gap, 2 * step_y + gap));
        for (place, cell) in [(0, &cells[0]), (1, &cells[1]), (2, &cells[2]), (3, &cells[3])] {
            let middle = (gap + place % 3 * step_x + 48, gap + place / 3 * step_y + 48);
            let expected = cell.picture.rgb()[0];
            assert_eq!(value_at(&sheet, middle.0, middle.1), expected, "cell {place}");
            let caption_rows = middle.1 + 48 + gap / 2..middle.1 + 48 + gap / 2 + letters;
            let bright = caption_rows.flat_map(|y| (middle.0 - 48..middle.0 + 48).map(move |x| (x, y)));
            let bright = bright.filter(|&(x, y)| value_at(&sheet, x, y) > 200).count();
            assert!((20..500).contains(&bright), "{bright} bright pixels below cell {place}");
        }
        assert_eq!(value_at(&sheet, 0, 0), GROUND);
        assert!(contact_sheet(&[], 96).is_none());
    }

    #[test]
    fn the_ground_shows_through() {
        let mut glass = cell(2, 2, 255);
        glass.picture = glass.picture.with_alpha(vec![0, 255, 128, 255]).unwrap();
        let sheet = contact_sheet(&[glass], 64).unwrap();
        let values = [(0, 0), (1, 0), (0, 1)].map(|(x, y)| value_at(&sheet, 4 + x, 4 + y));
        assert_eq!(values, [GROUND, 255, 140]);
    }
}
