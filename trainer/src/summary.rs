//! What came of a training, on one screen of a terminal.

use std::fmt::Write as _;

use common::loss::LossValues;

use crate::number_text::{duration, quantity};
use crate::run_record::RunRecord;

/// What came of a training: some ten lines of text, each with its end.
pub fn text(record: &RunRecord) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "{}", record.painting());
    if let Some(outcome) = record.card.as_ref().and_then(|card| card.outcome.as_ref()) {
        let _ = writeln!(
            text,
            "{} steps over {} photos in {} on {} ({:.2} images/s)",
            outcome.steps,
            outcome.images,
            duration(outcome.seconds),
            outcome.device,
            outcome.images as f64 / outcome.seconds.max(1.0),
        );
    }
    match (record.validation(), record.batches()) {
        ((Some(photos), Some(painted)), _) => {
            text.push_str(&loss_table(["validation photos", "themselves", "painted"], photos, painted));
        }
        (_, Some((first, last))) => {
            text.push_str(&loss_table(["training photos", "first batch", "last batch"], first, last));
        }
        _ => {}
    }
    if record.skipped_photos > 0 {
        let _ = writeln!(
            text,
            "{} photos could not be used, see {}",
            record.skipped_photos,
            record.folder.join("skipped.txt").display()
        );
    }
    text
}

fn loss_table(heads: [&str; 3], before: &LossValues, after: &LossValues) -> String {
    let [title, first, second] = heads;
    let mut table = format!("  {title:<18}{first:>12}{second:>12}\n");
    let sums = [
        ("total", before.total, after.total),
        ("style", before.style, after.style),
        ("content", before.content, after.content),
        ("total variation", before.total_variation, after.total_variation),
    ];
    // The first batch may be from before the temporal losses counted.
    let optional = [
        ("grid pattern", before.grid_pattern.zip(after.grid_pattern)),
        ("temporal", before.temporal.zip(after.temporal)),
        ("temporal, features", before.temporal_features.zip(after.temporal_features)),
    ];
    let optional = optional.into_iter().filter_map(|(name, losses)| losses.map(|(b, a)| (name, b, a)));
    for (name, before, after) in sums.into_iter().chain(optional) {
        let note = match name {
            "style" if after > 0.0 => format!("   {:.1} times less", before / after),
            _ => String::new(),
        };
        let _ = writeln!(table, "  {name:<18}{:>12}{:>12}{note}", quantity(before), quantity(after));
    }
    table
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::journal::JournalEntry;

    fn record(journal: Vec<JournalEntry>) -> RunRecord {
        RunRecord {
            folder: PathBuf::from("runs/wave"),
            name: "wave".to_owned(),
            config_toml: String::new(),
            journal,
            card: None,
            skipped_photos: 2,
        }
    }

    #[test]
    fn losses_stand_before_and_after() {
        let losses = |style| LossValues { style, total: style, ..LossValues::default() };
        let validation = |step, style| JournalEntry::Validation { step, losses: losses(style), photos: 3 };
        let text = text(&record(vec![validation(0, 800.0), validation(5, 300.0), validation(9, 20.0)]));
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "wave");
        assert_eq!(lines[3], "  style                    800.0       20.00   40.0 times less");
        assert_eq!(lines[6], "2 photos could not be used, see runs/wave/skipped.txt");
    }

    #[test]
    fn a_run_that_has_just_begun_has_a_summary() {
        assert_eq!(text(&RunRecord { skipped_photos: 0, ..record(vec![]) }), "wave\n");
    }
}
