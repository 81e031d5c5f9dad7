//! The page itself. Whatever comes from outside (titles, paths, names) is escaped by `html!`.

use common::loss::LossValues;
use common::style_file::{Outcome, Painting};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::curves;
use super::previews::Previews;
use crate::journal::JournalEntry;
use crate::number_text::{duration, grouped, quantity};
use crate::run_record::RunRecord;

/// Nothing is loaded from anywhere, whatever the page holds.
const POLICY: &str =
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'";

pub(super) fn page(record: &RunRecord, previews: &Previews) -> Markup {
    let painting = record.painting();
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                title { (painting) " · training report" }
                style { (PreEscaped(include_str!("page.css"))) }
            }
            body {
                main {
                    (header(record, &painting))
                    (preview_section(previews))
                    (result_section(record))
                    section {
                        h2 { "Curves" }
                        div.charts {
                            @for chart in curves::charts(&record.journal) { (chart.to_markup()) }
                        }
                    }
                    (run_section(record))
                }
                script { (PreEscaped(include_str!("page.js"))) }
            }
        }
    }
}

fn outcome(record: &RunRecord) -> Option<&Outcome> {
    record.card.as_ref().and_then(|card| card.outcome.as_ref())
}

/// The device and the software that the training ran on, or began on.
fn machine(record: &RunRecord) -> Option<(&str, &str)> {
    let ended_on = outcome(record).map(|outcome| (outcome.device.as_str(), outcome.software.as_str()));
    ended_on.or_else(|| {
        record.journal.iter().find_map(|entry| match entry {
            JournalEntry::Started { device, software, .. } => Some((device.as_str(), software.as_str())),
            _ => None,
        })
    })
}

fn header(record: &RunRecord, painting: &str) -> Markup {
    // The title is what one looks for; before there is a style file, it is not told apart from the rest.
    let (title, rest) = match record.card.as_ref().map(|card| &card.painting) {
        Some(Painting { title: Some(title), artist, year, .. }) => {
            (title.as_str(), [artist, year].into_iter().flatten().cloned().collect::<Vec<_>>().join(", "))
        }
        _ => (painting, String::new()),
    };
    html! {
        header {
            p.eyebrow { "Training report" }
            h1 { (title) }
            @if !rest.is_empty() { p.artist { (rest) } }
            dl.facts {
                (fact("Run", &record.name))
                (fact("Steps", &count(record.last_step())))
                @if let Some(outcome) = outcome(record) {
                    (fact("Photos seen", &count(outcome.images)))
                    (fact("Time", &duration(outcome.seconds)))
                } @else {
                    (fact("State", "no style file yet"))
                }
                @if let Some((device, _)) = machine(record) { (fact("Device", device)) }
                @if let Some(speed) = typical_speed(record) {
                    (fact("Images per second", &format!("{speed:.2}")))
                }
            }
        }
    }
}

fn fact(name: &str, value: &str) -> Markup {
    html! { div { dt { (name) } dd { (value) } } }
}

/// The median, which neither warming up nor a busy machine moves much.
fn typical_speed(record: &RunRecord) -> Option<f64> {
    let mut speeds: Vec<f64> = record
        .journal
        .iter()
        .filter_map(|entry| match entry {
            JournalEntry::Step { images_per_s, .. } => Some(*images_per_s),
            _ => None,
        })
        .collect();
    speeds.sort_by(f64::total_cmp);
    speeds.get(speeds.len() / 2).copied()
}

fn preview_section(previews: &Previews) -> Markup {
    let Previews { sheets, unreadable } = previews;
    let last = sheets.len().saturating_sub(1);
    html! {
        @if !sheets.is_empty() {
            section.previews {
                // A single sheet needs no stage.
                @if last > 0 {
                    figure #stage hidden {
                        img alt="preview sheet";
                        figcaption {
                            input #slider type="range" min="0" max=(last) value=(last) aria-label="preview";
                            output #stage-step {}
                        }
                    }
                }
                div.strip {
                    @for sheet in sheets {
                        figure {
                            img src=(sheet.data_uri) width=(sheet.width) height=(sheet.height)
                                alt={ "photos and paintings after step " (sheet.step) };
                            figcaption { "step " (count(sheet.step)) }
                        }
                    }
                }
            }
        }
        @if *unreadable > 0 { p.note { (unreadable) " previews could not be read." } }
    }
}

fn result_section(record: &RunRecord) -> Markup {
    let (heads, before, after) = match (record.validation(), record.batches()) {
        ((Some(photos), Some(painted)), _) => {
            (["Validation photos", "themselves", "painted"], photos, painted)
        }
        (_, Some((first, last))) => (["Training photos", "first batch", "last batch"], first, last),
        _ => return html! {},
    };
    html! {
        section {
            h2 { "Result" }
            @if before.style > 0.0 && after.style > 0.0 && heads[1] == "themselves" {
                p.lead {
                    "The paintings are " strong { (format!("{:.1}", before.style / after.style)) " times" }
                    " closer to the painting’s style than the photos that they were made of."
                }
            }
            (loss_table(heads, before, after))
        }
    }
}

fn loss_table(heads: [&str; 3], before: &LossValues, after: &LossValues) -> Markup {
    let sums = [
        ("Total, weighted", before.total, after.total),
        ("Style", before.style, after.style),
        ("Content", before.content, after.content),
        ("Total variation", before.total_variation, after.total_variation),
    ];
    let layers = |title: &'static str, layers: fn(&LossValues) -> &std::collections::BTreeMap<_, f64>| {
        let before = layers(before).clone();
        layers(after)
            .iter()
            .map(|(layer, after)| (format!("{title} {layer}"), before.get(layer).copied(), *after))
            .collect::<Vec<_>>()
    };
    html! {
        table {
            thead { tr { th { (heads[0]) } th { (heads[1]) } th { (heads[2]) } th { "of that" } } }
            tbody {
                @for (name, before, after) in sums { (loss_row(name, Some(before), after)) }
                @if let Some(after) = after.grid_pattern {
                    (loss_row("Grid pattern", before.grid_pattern, after))
                }
                @if let Some(after) = after.temporal { (loss_row("Temporal", before.temporal, after)) }
                @if let Some(after) = after.temporal_features {
                    (loss_row("Temporal, features", before.temporal_features, after))
                }
            }
            tbody.layers {
                @for (name, before, after) in layers("Style", |losses| &losses.style_layers) {
                    (loss_row(&name, before, after))
                }
                @for (name, before, after) in layers("Content", |losses| &losses.content_layers) {
                    (loss_row(&name, before, after))
                }
            }
        }
    }
}

fn loss_row(name: &str, before: Option<f64>, after: f64) -> Markup {
    html! {
        tr {
            th scope="row" { (name) }
            td { @if let Some(before) = before { (figure(before)) } }
            td { (figure(after)) }
            td {
                @if let Some(before) = before.filter(|before| *before > 0.0) { (percent(after / before)) }
            }
        }
    }
}

/// A quantity as it is set in print: `12 345`, `1.234 × 10⁷`.
fn figure(value: f64) -> Markup {
    let text = quantity(value);
    if let Some((mantissa, exponent)) = text.split_once('e') {
        html! { (mantissa) "\u{a0}×\u{a0}10" sup { (exponent) } }
    } else {
        html! { (grouped(&text)) }
    }
}

fn count(value: u64) -> String {
    grouped(&value.to_string())
}

fn percent(ratio: f64) -> String {
    if ratio < 0.1 { format!("{:.1} %", ratio * 100.0) } else { format!("{:.0} %", ratio * 100.0) }
}

fn run_section(record: &RunRecord) -> Markup {
    let resumed: Vec<String> = record
        .journal
        .iter()
        .filter_map(|entry| match entry {
            JournalEntry::Resumed { step, .. } => Some(count(*step)),
            _ => None,
        })
        .collect();
    html! {
        section {
            h2 { "Run" }
            dl.facts {
                @if let Some((_, software)) = machine(record) { (fact("Software", software)) }
                @if !resumed.is_empty() { (fact("Resumed after step", &resumed.join(", "))) }
                (fact("Photos that could not be used", &count(record.skipped_photos as u64)))
            }
            @if !record.config_toml.is_empty() {
                details {
                    summary { "Configuration" }
                    pre { (record.config_toml.trim()) }
                }
            }
        }
    }
}
