//! Cards as people read them.

use std::fmt::Write as _;

use common::loss::LossValues;
use common::net::Parameters;
use common::style_file::{Ancestor, Origin, Outcome, Parent};

use super::Style;

/// Two lines: the painting; what the network is and where.
pub(super) fn summary(style: &Style<'_>) -> String {
    let painting = &style.card.painting;
    let mut title = String::new();
    let known = [&painting.title, &painting.artist, &painting.year];
    for part in known.into_iter().flatten() {
        let separator = if title.is_empty() { "  " } else { ", " };
        let _ = write!(title, "{separator}{part}");
    }
    if let Some(licence) = &painting.licence {
        let _ = write!(title, " ({licence})");
    }
    let mut facts: Vec<String> =
        style.card.origin.iter().map(|origin| format!("network of {}", origin.family)).collect();
    facts.extend(style.card.outcome.iter().flat_map(training));
    facts.push(megabytes(style.bytes));
    facts.push(style.path.display().to_string());
    printable(&format!("{}{title}", style.name)) + "\n    " + &printable(&facts.join(", "))
}

/// All that the card says.
pub(super) fn whole(style: &Style<'_>) -> String {
    let mut text = format!("{}\n", printable(style.name));
    let mut line = |key: &str, value: &str| {
        let _ = writeln!(text, "  {key:<9} {}", printable(value));
    };
    let card = &style.card;
    let painting = &card.painting;
    let of_painting = [
        ("title", &painting.title),
        ("artist", &painting.artist),
        ("year", &painting.year),
        ("licence", &painting.licence),
        ("picture", &painting.picture_sha256),
    ];
    if painting.name != style.name {
        line("painting", &painting.name);
    }
    for (key, value) in of_painting {
        if let Some(value) = value {
            line(key, value);
        }
    }
    for part in &card.blend {
        line("blends", &format!("{} of {} ({})", part.weight, part.picture, part.picture_sha256));
    }
    if let Some(origin) = &card.origin {
        line("family", &origin.family);
        line("from", &from(origin));
        line("terms", origin.licence.as_deref().unwrap_or("of its weights: not said"));
    }
    for (index, ancestor) in card.ancestors.iter().enumerate() {
        let parents = ancestor.parents.as_deref().map(mean).unwrap_or_default();
        line("after", &format!("{}. {}{parents}", index + 1, before(ancestor)));
    }
    if let Some(outcome) = &card.outcome {
        let minutes = outcome.seconds / 60.0;
        let Outcome { steps, images, device, software, .. } = outcome;
        let parents = card.parents.as_deref().map(mean).unwrap_or_default();
        line(
            "trained",
            &format!("{steps} steps, {images} photos, {minutes:.1} min on {device} ({software}){parents}"),
        );
        if let Some(validation) = &outcome.validation {
            line("losses", &losses(validation));
        }
        if let Some(photos) = &outcome.validation_of_photos {
            line("of photos", &losses(photos));
        }
    }
    line("file", &format!("{}, {}", megabytes(style.bytes), style.path.display()));
    line("weights", &Parameters::count(&card.net).to_string());
    line("format", &card.format_version.to_string());
    line("network", &serde_json::to_string(&card.net).unwrap_or_default());
    if !card.recipe.is_null() {
        let recipe = serde_json::to_string_pretty(&card.recipe).unwrap_or_default();
        let _ = writeln!(text, "  recipe    {}", recipe.replace('\n', "\n  "));
    }
    text
}

/// `great-wave (1250 steps, 2500 photos)`.
fn before(ancestor: &Ancestor) -> String {
    let name = &ancestor.painting.name;
    match (&ancestor.outcome, &ancestor.origin) {
        (Some(outcome), _) => format!("{name} ({} steps, {} photos)", outcome.steps, outcome.images),
        (None, Some(origin)) => format!("{name}, {}", from(origin)),
        (None, None) => name.clone(),
    }
}

/// `, from 0.70 of 2 and 0.30 of 3`: what it went on from, where that is not the one before it.
fn mean(parents: &[Parent]) -> String {
    let part = |parent: &Parent| format!("{:.2} of {}", parent.weight, parent.ancestor);
    match parents {
        [] => ", from a fresh network".to_owned(),
        [parent] => format!(", from {}", parent.ancestor),
        several => format!(", from {}", several.iter().map(part).collect::<Vec<_>>().join(" and ")),
    }
}

/// `candy.pth (sha256 ...), https://...`.
fn from(origin: &Origin) -> String {
    let mut text = origin.file.clone();
    if let Some(sha256) = &origin.sha256 {
        let _ = write!(text, " (sha256 {sha256})");
    }
    if let Some(source) = &origin.source {
        let _ = write!(text, ", {source}");
    }
    text
}

/// What came of the training: `640 steps`, `content 5.506e5`, `style 8.735e4 of the photos' 9.847e5`.
fn training(outcome: &Outcome) -> Vec<String> {
    let mut facts = vec![format!("{} steps", outcome.steps)];
    if let Some(LossValues { content, style, .. }) = &outcome.validation {
        facts.push(format!("content {content:.3e}"));
        let photos = outcome.validation_of_photos.as_ref();
        let of_photos =
            photos.map_or(String::new(), |photos| format!(" of the photos' {:.3e}", photos.style));
        facts.push(format!("style {style:.3e}{of_photos}"));
    }
    facts
}

fn losses(losses: &LossValues) -> String {
    let LossValues { content, style, total_variation, .. } = losses;
    let LossValues { grid_pattern, temporal, temporal_features, .. } = losses;
    let optional =
        [("grid pattern", grid_pattern), ("temporal", temporal), ("temporal features", temporal_features)];
    let optional: String =
        optional.iter().filter_map(|(name, loss)| loss.map(|loss| format!(", {name} {loss:.3e}"))).collect();
    format!("content {content:.3e}, style {style:.3e}, total variation {total_variation:.1}{optional}")
}

fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}

/// The text without control characters, which would steer the terminal: a style file is from anywhere.
pub(crate) fn printable(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { '\u{fffd}' } else { letter }).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use common::net::NetConfig;
    use common::style_file::{Painting, StyleCard};

    use super::*;

    #[test]
    fn a_card_cannot_steer_the_terminal() {
        let painting = Painting {
            name: "wave".to_owned(),
            title: Some("a\x1b[2Jb\nc".to_owned()),
            year: Some("1831".to_owned()),
            licence: Some("public domain".to_owned()),
            ..Painting::default()
        };
        let card = StyleCard::new(NetConfig::default(), painting);
        let style = Style { name: "wave", path: Path::new("a/wave.safetensors"), bytes: 3_365_174, card };
        assert_eq!(
            summary(&style),
            "wave  a\u{fffd}[2Jb\u{fffd}c, 1831 (public domain)\n    3.4 MB, a/wave.safetensors"
        );
        assert!(!whole(&style).contains('\x1b') && whole(&style).contains("  licence   public domain\n"));
    }
}
