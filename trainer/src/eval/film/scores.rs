//! What is said of one film in one style.

use motion::WarpingErrors;
use serde::Serialize;

/// Where a film's motion is known from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FlowSource {
    /// Files.
    GroundTruth,
    /// The photos themselves.
    Estimated,
}

/// How a film flickers, and what its frames are like.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FilmScores {
    /// The film.
    pub film: String,
    /// Who painted it; the photos themselves are one row.
    pub name: String,
    /// Where the motion is known from.
    pub flow: FlowSource,
    /// Pairs of frames that were compared.
    pub pairs: u64,
    /// The share of points that are visible in both frames of a pair.
    pub visible: f64,
    /// Mean squared error over visible points, colours in 0..1 (Lai et al.); `None` where nothing is visible twice.
    pub warping_error: Option<f64>,
    /// That, less the photos' own.
    pub above_photos: Option<f64>,
    /// ReCoNet's e_stab, over all points.
    pub stability_error: Option<f64>,
    /// Content loss of the frames; `None` for the photos.
    pub content: Option<f64>,
    /// Style loss of the frames; `None` without a painting and for the photos.
    pub style: Option<f64>,
}

impl FilmScores {
    /// The row of the photos themselves.
    pub fn photos(film: &str, flow: FlowSource, visible: f64, errors: &WarpingErrors) -> Self {
        Self {
            film: film.to_owned(),
            name: super::table::PHOTOS.to_owned(),
            flow,
            pairs: errors.pairs(),
            visible,
            warping_error: errors.mean(),
            above_photos: None,
            stability_error: errors.stability_error(),
            content: None,
            style: None,
        }
    }

    /// The row of a painter, beside that of the photos; losses are content and style.
    #[must_use]
    pub fn painted(&self, name: &str, errors: &WarpingErrors, losses: (f64, Option<f64>)) -> Self {
        let mean = errors.mean();
        Self {
            name: name.to_owned(),
            pairs: errors.pairs(),
            warping_error: mean,
            above_photos: mean.zip(self.warping_error).map(|(mean, floor)| mean - floor),
            stability_error: errors.stability_error(),
            content: Some(losses.0),
            style: losses.1,
            ..self.clone()
        }
    }

    /// The means over films, in the order in which names first appear; of what not all films have, none.
    pub fn means(rows: &[Self]) -> Vec<Self> {
        let mut names: Vec<&str> = Vec::new();
        for row in rows {
            if !names.contains(&row.name.as_str()) {
                names.push(&row.name);
            }
        }
        let mean_of = |name: &&str| {
            let own: Vec<&Self> = rows.iter().filter(|row| row.name == **name).collect();
            let mean = |value: fn(&Self) -> Option<f64>| {
                let values: Option<Vec<f64>> = own.iter().map(|row| value(row)).collect();
                values.map(|values| values.iter().sum::<f64>() / values.len() as f64)
            };
            let all_true = own.iter().all(|row| row.flow == FlowSource::GroundTruth);
            Self {
                film: super::table::MEAN.to_owned(),
                name: (*name).to_owned(),
                flow: if all_true { FlowSource::GroundTruth } else { FlowSource::Estimated },
                pairs: own.iter().map(|row| row.pairs).sum(),
                visible: mean(|row| Some(row.visible)).unwrap_or(0.0),
                warping_error: mean(|row| row.warping_error),
                above_photos: mean(|row| row.above_photos),
                stability_error: mean(|row| row.stability_error),
                content: mean(|row| row.content),
                style: mean(|row| row.style),
            }
        };
        names.iter().map(mean_of).collect()
    }
}

#[cfg(test)]
mod tests {
    use motion::PairError;

    use super::*;

    fn errors(squared_sum: f64) -> WarpingErrors {
        let mut errors = WarpingErrors::default();
        errors.add(PairError { squared_sum, points: 10, all_points: 20 });
        errors
    }

    #[test]
    fn a_painter_is_set_beside_the_photos_and_means_are_over_films() {
        let photos = FilmScores::photos("a", FlowSource::GroundTruth, 0.5, &errors(1.0));
        let one = photos.painted("style", &errors(3.0), (5.0, Some(7.0)));
        assert!((one.above_photos.unwrap() - 0.2).abs() < 1e-12);
        let other = FilmScores { film: "b".into(), content: Some(9.0), style: None, ..one.clone() };
        let means = FilmScores::means(&[photos.clone(), one, photos, other]);
        assert_eq!(means.iter().map(|row| row.name.as_str()).collect::<Vec<_>>(), ["photos", "style"]);
        assert_eq!((means[1].content, means[1].style, means[1].pairs), (Some(7.0), None, 2));
        assert_eq!((means[0].content, means[0].above_photos), (None, None));
    }
}
