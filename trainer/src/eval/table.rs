//! Scores as a table for people.

use std::collections::BTreeMap;

use common::lossnet::Layer;

use super::Scores;
use crate::number_text::quantity;

/// A table of the scores, a row for each name: the sums first, then each layer. Lines have their ends.
pub fn table(rows: &[(String, Scores)]) -> String {
    let mut sums =
        vec![["", "total", "style", "content", "total variation", "SSIM"].map(str::to_owned).to_vec()];
    let mut layers = vec![vec![String::new()]];
    if let Some((_, scores)) = rows.first() {
        let heads = |kind: &'static str, layers: &BTreeMap<Layer, f64>| -> Vec<String> {
            layers.keys().map(|layer| format!("{kind} {layer}")).collect()
        };
        layers[0].extend(heads("style", &scores.style_layers));
        layers[0].extend(heads("content", &scores.content_layers));
    }
    for (name, scores) in rows {
        let or_dash = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), quantity);
        sums.push(vec![
            name.clone(),
            or_dash(scores.total),
            or_dash(scores.style),
            quantity(scores.content),
            quantity(scores.total_variation),
            format!("{:.4}", scores.ssim),
        ]);
        let by_layer = scores.style_layers.values().chain(scores.content_layers.values());
        layers.push(std::iter::once(name.clone()).chain(by_layer.copied().map(quantity)).collect());
    }
    format!("{}\n{}", aligned(&sums), aligned(&layers))
}

/// Columns as wide as they need, two spaces apart; the first to the left, the others to the right.
pub(super) fn aligned(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns)
        .map(|column| {
            rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
        })
        .collect();
    let line = |row: &Vec<String>| {
        let cells: Vec<String> = row
            .iter()
            .zip(&widths)
            .enumerate()
            .map(|(column, (cell, &width))| match column {
                0 => format!("{cell:<width$}"),
                _ => format!("{cell:>width$}"),
            })
            .collect();
        format!("{}\n", cells.join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_what_is_unknown_is_a_dash() {
        let layer: Layer = "relu1_2".parse().unwrap();
        let scores = |content: f64| Scores {
            total: None,
            style: None,
            content,
            total_variation: 0.5,
            ssim: 1.0,
            style_layers: BTreeMap::new(),
            content_layers: BTreeMap::from([(layer, content)]),
        };
        let rows = [("photos".to_owned(), scores(0.0)), ("a".to_owned(), scores(1234.0))];
        let expected = [
            "        total  style  content  total variation    SSIM",
            "photos      -      -        0           0.5000  1.0000",
            "a           -      -     1234           0.5000  1.0000",
            "",
            "        content relu1_2",
            "photos                0",
            "a                  1234",
        ];
        let found = table(&rows);
        assert_eq!(found.lines().collect::<Vec<_>>(), expected);
    }
}
