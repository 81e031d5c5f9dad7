//! `cargo xtask gallery`: the sample pictures in every style that ships, and the page that shows them.

use std::fmt::Write as _;
use std::path::Path;
use std::{fs, iter};

use anyhow::{Context as _, Result, ensure};
use xshell::cmd;

use super::card::{Card, Losses, Outcome, Training};
use super::{FOLDER, Style, shipped};
use crate::workspace::SAMPLES;
use crate::{libtorch, workspace};

const PAGE: &str = "checkpoints/README.md";

/// What is between these lines of the page is written here.
const START: &str = "<!-- cargo xtask gallery -->";
const END: &str = "<!-- end -->";

/// Quality of the pictures as JPEG: fine, and small enough for a repository.
const QUALITY: &str = "82";

/// Pictures beside each other.
const COLUMNS: usize = 3;

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
    let photos = samples.iter().map(|sample| format!("{SAMPLES}/{sample}.jpg"));
    let hands = styles.iter().flat_map(|style| ["--style".into(), style.path.clone()]);
    let run = ["run", "--quiet", "--release", "-p", "infer", "--", "image"];
    cmd!(shell, "{cargo} {run...} {photos...} {hands...} -o {SAMPLES} --quality {QUALITY} --overwrite")
        .run()?;
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

/// A table of the styles, then a table of pictures for each sample.
fn gallery(styles: &[(&Style, Card)], samples: &[String]) -> String {
    let mut page =
        String::from("| style | painting | trained | content loss | style loss |\n|---|---|---|---|---|\n");
    for (style, card) in styles {
        let Style { name, .. } = style;
        let painting = &card.training.painting;
        let licence = painting.licence.as_deref().map(|licence| format!(" ({licence})")).unwrap_or_default();
        let (content, style_loss) = losses(&card.training);
        let (trained, caption) = (trained(card), painting.caption());
        let _ = writeln!(page, "| `{name}` | {caption}{licence} | {trained} | {content} | {style_loss} |");
    }
    for sample in samples {
        let photo = ("the photo".to_owned(), format!("![The photo](samples/{sample}.jpg)"));
        let painted = styles.iter().map(|(Style { name, .. }, _)| {
            (format!("`{name}`"), format!("![{sample} as {name}](samples/{sample}.{name}.jpg)"))
        });
        page.push('\n');
        page.push_str(&grid(iter::once(photo).chain(painted)));
    }
    page
}

/// A table of pictures, each under its name. The last row is filled up with empty cells.
fn grid(pictures: impl Iterator<Item = (String, String)>) -> String {
    let pictures: Vec<_> = pictures.collect();
    let mut table = String::new();
    for (index, row) in pictures.chunks(COLUMNS).enumerate() {
        let cell = |column: usize| row.get(column).map_or(("", ""), |(name, picture)| (name, picture));
        let cells = (0..COLUMNS).map(cell);
        let _ =
            writeln!(table, "| {} |", cells.clone().map(|(name, _)| name).collect::<Vec<_>>().join(" | "));
        if index == 0 {
            let _ = writeln!(table, "|{}", "---|".repeat(COLUMNS));
        }
        let _ = writeln!(table, "| {} |", cells.map(|(_, picture)| picture).collect::<Vec<_>>().join(" | "));
    }
    table
}

/// How long the painting was learnt, in however many trainings, and what the first of them went on from.
fn trained(card: &Card) -> String {
    let name = &card.training.painting.name;
    let lineage: Vec<&Training> = card.lineage().collect();
    let first =
        lineage.iter().rposition(|training| training.painting.name != *name).map_or(0, |other| other + 1);
    let outcomes = || lineage[first..].iter().filter_map(|training| training.outcome.as_ref());
    let images: u64 = outcomes().map(|outcome| outcome.images).sum();
    let steps: u64 = outcomes().map(|outcome| outcome.steps).sum();
    let from = lineage[first].from().map(|from| format!(", from `{from}`")).unwrap_or_default();
    format!("{images} photos in {steps} steps{from}")
}

/// Content and style loss on photos that were not trained on.
fn losses(training: &Training) -> (String, String) {
    let Some(Outcome { validation: Some(Losses { content, style }), validation_of_photos, .. }) =
        &training.outcome
    else {
        return <(String, String)>::default();
    };
    let less = match validation_of_photos {
        Some(photos) if *style > 0.0 => format!("{:.1} times less than the photos'", photos.style / style),
        _ => format!("{style:.3e}"),
    };
    (format!("{content:.3e}"), less)
}

/// The page with another gallery in it.
fn with_gallery(page: &str, gallery: &str) -> Result<String> {
    let parts = page.split_once(START).and_then(|(before, rest)| Some((before, rest.split_once(END)?.1)));
    let (before, after) =
        parts.with_context(|| format!("{PAGE} has no place for a gallery: `{START}` ... `{END}`"))?;
    Ok(format!("{before}{START}\n{gallery}{END}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gallery_is_put_in_its_place() {
        let page = format!("# Styles\n{START}\nold\n{END}\nrest\n");
        let once = with_gallery(&page, "new\n").unwrap();
        assert_eq!(once, format!("# Styles\n{START}\nnew\n{END}\nrest\n"));
        assert_eq!(with_gallery(&once, "new\n").unwrap(), once);
        assert!(with_gallery("# Styles\n", "new\n").is_err());
    }

    #[test]
    fn the_gallery_says_what_the_cards_say() {
        let card: Card = serde_json::from_value(serde_json::json!({
            "painting": { "name": "the-scream", "title": "The Scream", "artist": "Edvard Munch", "year": "1893", "licence": "public domain" },
            "recipe": { "from": "the-scream" },
            "ancestors": [
                { "painting": { "name": "great-wave" }, "outcome": { "steps": 9, "images": 99 } },
                {
                    "painting": { "name": "the-scream" }, "recipe": { "from": "great-wave" },
                    "outcome": { "steps": 50, "images": 100 }
                }
            ],
            "outcome": {
                "steps": 300, "images": 1200,
                "validation": { "content": 266_000.0, "style": 20.0 },
                "validation_of_photos": { "content": 0.0, "style": 200.0 }
            }
        }))
        .unwrap();
        let style = Style { name: "the-scream".to_owned(), path: "the-scream.safetensors".into() };
        let page = gallery(&[(&style, card)], &["valley".to_owned()]);
        let expected = "\
| style | painting | trained | content loss | style loss |
|---|---|---|---|---|
| `the-scream` | Edvard Munch, *The Scream*, 1893 (public domain) | 1300 photos in 350 steps, from `great-wave` | 2.660e5 | 10.0 times less than the photos' |

| the photo | `the-scream` |  |
|---|---|---|
| ![The photo](samples/valley.jpg) | ![valley as the-scream](samples/valley.the-scream.jpg) |  |
";
        assert_eq!(page, expected);
    }

    #[test]
    fn pictures_are_set_in_rows() {
        let pictures = ["a", "b", "c", "d"].map(|name| (name.to_owned(), name.to_uppercase()));
        let expected = "| a | b | c |\n|---|---|---|\n| A | B | C |\n| d |  |  |\n| D |  |  |\n";
        assert_eq!(grid(pictures.into_iter()), expected);
    }
}
