//! Films' scores as a table for people.

use super::{FilmScores, FlowSource};
use crate::eval::table::aligned;
use crate::number_text::quantity;

/// The row of the photos themselves.
pub(super) const PHOTOS: &str = "photos";
/// The film that stands for all of them.
pub(super) const MEAN: &str = "mean";

/// A table of the scores, a block for each film. Lines have their ends.
pub fn table(rows: &[FilmScores]) -> String {
    let heads =
        ["", "", "flow", "pairs", "visible", "warping error", "above photos", "e_stab", "content", "style"];
    let mut cells = vec![heads.map(str::to_owned).to_vec()];
    let or_dash = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), quantity);
    let mut film = "";
    for row in rows {
        let is_same = std::mem::replace(&mut film, &row.film) == row.film;
        cells.push(vec![
            if is_same { String::new() } else { row.film.clone() },
            row.name.clone(),
            match row.flow {
                FlowSource::GroundTruth => "ground truth".to_owned(),
                FlowSource::Estimated => "estimated".to_owned(),
            },
            row.pairs.to_string(),
            format!("{:.1} %", 100.0 * row.visible),
            or_dash(row.warping_error),
            or_dash(row.above_photos),
            or_dash(row.stability_error),
            or_dash(row.content),
            or_dash(row.style),
        ]);
    }
    aligned(&cells)
}

#[cfg(test)]
mod tests {
    use motion::{PairError, WarpingErrors};

    use super::*;

    #[test]
    fn a_film_is_named_once_and_unknown_is_a_dash() {
        let mut errors = WarpingErrors::default();
        errors.add(PairError { squared_sum: 0.5, points: 10, all_points: 20 });
        let photos = FilmScores::photos("swan", FlowSource::Estimated, 0.5, &errors);
        let painted = photos.painted("wave", &errors, (1234.0, None));
        let expected = [
            "                   flow  pairs  visible  warping error  above photos  e_stab  content  style",
            "swan  photos  estimated      1   50.0 %        0.05000             -  0.1581        -      -",
            "        wave  estimated      1   50.0 %        0.05000             0  0.1581     1234      -",
        ];
        assert_eq!(table(&[photos, painted]).lines().collect::<Vec<_>>(), expected);
    }
}
