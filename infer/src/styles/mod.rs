//! `infer styles`: what is installed, and what each file says of itself.

mod text;

use std::path::Path;

use common::exit_status::ExitStatus;
use common::net::Parameters;
use common::style_file::{self, Shelf, StyleCard};
use serde_json::json;

use crate::cli::StylesArgs;
use crate::stdout;

pub(crate) use self::text::printable;

pub(crate) fn run(args: &StylesArgs) -> anyhow::Result<ExitStatus> {
    let shelf = Shelf::standard();
    match &args.style {
        Some(style) => one(&shelf.find(style)?, args.json),
        None => list(&shelf, args.json),
    }
}

/// A style file that can be read.
struct Style<'a> {
    /// What it is called by, which is the file's name.
    name: &'a str,
    path: &'a Path,
    bytes: u64,
    card: StyleCard,
}

impl<'a> Style<'a> {
    fn open(name: &'a str, path: &'a Path) -> anyhow::Result<Self> {
        let card = style_file::load_card(path)?;
        let bytes = std::fs::metadata(path)?.len();
        Ok(Self { name, path, bytes, card })
    }

    /// What the list tells of it.
    fn summary(&self) -> serde_json::Value {
        let painting = &self.card.painting;
        let outcome = self.card.outcome.as_ref();
        json!({
            "name": self.name,
            "title": painting.title,
            "artist": painting.artist,
            "year": painting.year,
            "licence": painting.licence,
            "family": self.card.origin.as_ref().map(|origin| &origin.family),
            "steps": outcome.map(|outcome| outcome.steps),
            "losses": outcome.and_then(|outcome| outcome.validation.as_ref()),
            "losses_of_photos": outcome.and_then(|outcome| outcome.validation_of_photos.as_ref()),
            "bytes": self.bytes,
            "path": self.path,
        })
    }

    fn whole(&self) -> serde_json::Value {
        json!({
            "name": self.name,
            "bytes": self.bytes,
            "path": self.path,
            "weights": Parameters::count(&self.card.net),
            "card": self.card,
        })
    }
}

fn list(shelf: &Shelf, is_json: bool) -> anyhow::Result<ExitStatus> {
    let entries = shelf.entries();
    if entries.is_empty() && !is_json {
        eprintln!("no styles are installed; put style files into the folder that ATELIER_STYLES names");
    }
    let mut broken = 0;
    for entry in &entries {
        let line = match Style::open(&entry.name, &entry.path) {
            Ok(style) if is_json => style.summary().to_string(),
            Ok(style) => text::summary(&style),
            Err(error) => {
                broken += 1;
                let error = text::printable(&format!("{error:#}"));
                if is_json {
                    json!({ "name": entry.name, "path": entry.path, "error": error }).to_string()
                } else {
                    eprintln!("error: {error}");
                    continue;
                }
            }
        };
        stdout::write(format!("{line}\n").as_bytes())?;
    }
    Ok(ExitStatus::of_inputs(entries.len(), broken))
}

pub(crate) fn one(path: &Path, is_json: bool) -> anyhow::Result<ExitStatus> {
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    let style = Style::open(&name, path)?;
    let card = if is_json { style.whole().to_string() } else { text::whole(&style) };
    stdout::write(format!("{}\n", card.trim_end()).as_bytes())?;
    Ok(ExitStatus::Success)
}
