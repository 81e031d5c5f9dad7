//! `cargo xtask gallery`: the sample pictures in every style that ships, and the page that shows them.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use xshell::cmd;

use super::card::{Losses, Outcome};
use super::{Card, FOLDER, Style, shipped};
use crate::workspace::SAMPLES;
use crate::{libtorch, workspace};

const PAGE: &str = "checkpoints/README.md";

/// What is between these lines of the page is written here.
const START: &str = "<!-- cargo xtask gallery -->";
const END: &str = "<!-- end -->";

/// Quality of the pictures as JPEG: fine, and small enough for a repository.
const QUALITY: &str = "88";

/// Paints all samples in all styles and writes the page.
pub(crate) fn run() -> Result<()> {
    let root = workspace::root();
    let styles = shipped(&root.join(FOLDER))?;
    let samples = samples(&root.join(SAMPLES))?;
    let page = fs::read_to_string(root.join(PAGE)).with_context(|| format!("reading {PAGE}"))?;
    let cards: Vec<(&Style, Card)> =
        styles.iter().map(|style| Ok((style, style.card()?))).collect::<Result<_>>()?;
    let page = with_gallery(&page, &gallery(&cards, &samples))?;

    libtorch::ensure(&libtorch::Options::default())?;
    let shell = workspace::shell()?;
    let cargo = workspace::cargo();
    for style in &styles {
        for sample in &samples {
            let photo = format!("{SAMPLES}/{sample}.jpg");
            let (file, painted) = (&style.path, format!("{SAMPLES}/{}", painted(sample, &style.name)));
            let run = ["run", "--quiet", "--release", "-p", "infer", "--", "image"];
            cmd!(
                shell,
                "{cargo} {run...} {photo} --style {file} -o {painted} --quality {QUALITY} --overwrite"
            )
            .run()?;
        }
    }
    fs::write(root.join(PAGE), page).with_context(|| format!("writing {PAGE}"))?;
    println!("{PAGE}");
    Ok(())
}

/// The pictures of our own, without their suffix: painted ones have a dot in their names.
fn samples(folder: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("listing {}", folder.display()))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        names.extend(name.strip_suffix(".jpg").filter(|stem| !stem.contains('.')).map(str::to_owned));
    }
    names.sort();
    ensure!(!names.is_empty(), "no pictures in {SAMPLES}: make them with `cargo xtask sample`");
    Ok(names)
}

fn painted(sample: &str, style: &str) -> String {
    format!("{sample}.{style}.jpg")
}

/// A table: a row for each style.
fn gallery(styles: &[(&Style, Card)], samples: &[String]) -> String {
    let mut table = String::from("| style | painting | trained | content loss | style loss |");
    let mut rule = String::from("|---|---|---|---|---|");
    for sample in samples {
        let _ = write!(table, " {sample} |");
        rule.push_str("---|");
    }
    let _ = write!(table, "\n{rule}\n| | | | | |");
    for sample in samples {
        let _ = write!(table, " ![The photo](samples/{sample}.jpg) |");
    }
    for (style, card) in styles {
        let Style { name, .. } = style;
        let licence = card.painting.licence.as_deref().map(|licence| format!(" ({licence})"));
        let (trained, content, style_loss) = losses(card);
        let _ = write!(
            table,
            "\n| `{name}` | {}{} | {trained} | {content} | {style_loss} |",
            card.caption(name),
            licence.unwrap_or_default()
        );
        for sample in samples {
            let _ = write!(table, " ![{sample} as {name}](samples/{}) |", painted(sample, name));
        }
    }
    table
}

/// How it was trained, and what came of it on photos that were not trained on.
fn losses(card: &Card) -> (String, String, String) {
    let Some(Outcome { steps, images, validation, validation_of_photos }) = &card.outcome else {
        return <(String, String, String)>::default();
    };
    let from = card.recipe.from.as_deref().map(|from| format!(", from `{from}`")).unwrap_or_default();
    let trained = format!("{images} photos in {steps} steps, {} px{from}", card.recipe.crop_px);
    let Some(Losses { content, style }) = validation else { return (trained, String::new(), String::new()) };
    let less = match validation_of_photos {
        Some(photos) if *style > 0.0 => format!("{:.1} times less than the photos'", photos.style / style),
        _ => format!("{style:.3e}"),
    };
    (trained, format!("{content:.3e}"), less)
}

/// The page with another gallery in it.
fn with_gallery(page: &str, gallery: &str) -> Result<String> {
    let parts = page.split_once(START).and_then(|(before, rest)| Some((before, rest.split_once(END)?.1)));
    let (before, after) =
        parts.with_context(|| format!("{PAGE} has no place for a gallery: `{START}` ... `{END}`"))?;
    Ok(format!("{before}{START}\n{gallery}\n{END}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gallery_is_put_in_its_place() {
        let page = format!("# Styles\n{START}\nold\n{END}\nrest\n");
        let once = with_gallery(&page, "new").unwrap();
        assert_eq!(once, format!("# Styles\n{START}\nnew\n{END}\nrest\n"));
        assert_eq!(with_gallery(&once, "new").unwrap(), once);
        assert!(with_gallery("# Styles\n", "new").is_err());
    }

    #[test]
    fn a_row_says_what_the_card_says() {
        let card: Card = serde_json::from_value(serde_json::json!({
            "painting": { "title": "The Scream", "artist": "Edvard Munch", "year": "1893", "licence": "public domain" },
            "recipe": { "from": "great-wave", "crop_px": 256, "steps": 7 },
            "outcome": {
                "steps": 300, "images": 1200,
                "validation": { "content": 266_000.0, "style": 20.0 },
                "validation_of_photos": { "content": 0.0, "style": 200.0 }
            }
        }))
        .unwrap();
        let style = Style { name: "the-scream".to_owned(), path: "the-scream.safetensors".into() };
        let table = gallery(&[(&style, card)], &["valley".to_owned()]);
        let row = "| `the-scream` | Edvard Munch, *The Scream*, 1893 (public domain) | 1200 photos in 300 steps, 256 px, from \
                   `great-wave` | 2.660e5 | 10.0 times less than the photos' | ![valley as the-scream](samples/valley.the-scream.jpg) |";
        assert_eq!(table.lines().last(), Some(row));
        let columns = |line: &str| line.matches('|').count();
        assert!(table.lines().all(|line| columns(line) == columns(row)), "{table}");
    }
}
