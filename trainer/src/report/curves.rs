//! Which curves a report shows.

use std::collections::BTreeMap;

use common::loss::LossValues;
use common::lossnet::Layer;

use super::chart::{Chart, Mark, Series, Size};
use super::scale::Spread;
use crate::journal::JournalEntry;

/// All charts of a journal, the most telling first.
pub(super) fn charts(journal: &[JournalEntry]) -> Vec<Chart<'static>> {
    let curves = Curves { journal };
    vec![
        curves.loss("Total loss", "weighted sum", |losses| Some(losses.total)),
        curves.loss("Style loss", "sum over layers", |losses| Some(losses.style)),
        curves.loss("Content loss", "sum over layers", |losses| Some(losses.content)),
        curves.loss("Grid pattern", "squared levels", |losses| losses.grid_pattern),
        curves.loss("Temporal loss", "mean square, colours from 0 to 1", |losses| losses.temporal),
        curves.loss("Temporal loss of features", "relative to their mean square", |losses| {
            losses.temporal_features
        }),
        curves.layers("Style loss by layer", |losses| &losses.style_layers),
        curves.layers("Content loss by layer", |losses| &losses.content_layers),
        Chart {
            size: Size::Small,
            ..curves.loss("Total variation", "", |losses| Some(losses.total_variation))
        },
        curves.plain("Learning rate", |learning_rate, _| learning_rate),
        curves.plain("Images per second", |_, images_per_s| images_per_s),
    ]
}

struct Curves<'a> {
    journal: &'a [JournalEntry],
}

impl Curves<'_> {
    /// A term of the loss on the training batches, and on the validation photos, where there are any; nothing to draw of a
    /// term that no batch has.
    fn loss(
        &self,
        title: &'static str,
        note: &'static str,
        term: fn(&LossValues) -> Option<f64>,
    ) -> Chart<'static> {
        let training = self.batches().filter_map(|(step, losses)| Some((step, term(losses)?))).collect();
        let validation: Vec<(u64, f64)> = self
            .journal
            .iter()
            .filter_map(|entry| match entry {
                // At step 0 the content loss is 0, and the others tell of the photos, not of the training.
                JournalEntry::Validation { step, losses, .. } if *step > 0 => Some((*step, term(losses)?)),
                _ => None,
            })
            .collect();
        let mut series =
            vec![Series { name: "training batches".to_owned(), points: training, mark: Mark::Line(0) }];
        if !validation.is_empty() {
            let name = "validation photos".to_owned();
            series.push(Series { name, points: validation, mark: Mark::Dots });
        }
        Chart { title, note, size: Size::Large, spread: Spread::Logarithmic, is_noisy: true, series }
    }

    /// A loss at each of its layers; nothing to draw where there is but one, whose curve is the sum's.
    fn layers(
        &self,
        title: &'static str,
        layers: fn(&LossValues) -> &BTreeMap<Layer, f64>,
    ) -> Chart<'static> {
        let mut by_layer: BTreeMap<Layer, Vec<(u64, f64)>> = BTreeMap::new();
        for (step, losses) in self.batches() {
            for (layer, loss) in layers(losses) {
                by_layer.entry(*layer).or_default().push((step, *loss));
            }
        }
        let series = by_layer.into_iter().enumerate().map(|(place, (layer, points))| Series {
            name: layer.to_string(),
            points,
            mark: Mark::Line(place),
        });
        let series: Vec<Series> = series.collect();
        let series = if series.len() > 1 { series } else { Vec::new() };
        Chart {
            title,
            note: "unweighted",
            size: Size::Large,
            spread: Spread::Logarithmic,
            is_noisy: true,
            series,
        }
    }

    fn plain(&self, title: &'static str, value: fn(f64, f64) -> f64) -> Chart<'static> {
        let points = self
            .journal
            .iter()
            .filter_map(|entry| match entry {
                JournalEntry::Step { step, learning_rate, images_per_s, .. } => {
                    Some((*step, value(*learning_rate, *images_per_s)))
                }
                _ => None,
            })
            .collect();
        let series = vec![Series { name: title.to_owned(), points, mark: Mark::Line(0) }];
        Chart { title, note: "", size: Size::Small, spread: Spread::Linear, is_noisy: false, series }
    }

    fn batches(&self) -> impl Iterator<Item = (u64, &LossValues)> {
        self.journal.iter().filter_map(|entry| match entry {
            JournalEntry::Step { step, losses, .. } => Some((*step, losses)),
            _ => None,
        })
    }
}
