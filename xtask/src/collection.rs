//! The styles that ship, in `checkpoints/`: what their cards say, how they are trained again, and their gallery.

mod card;
pub(crate) mod gallery;
pub(crate) mod retrain;

use std::path::{Path, PathBuf};
use std::{fs, io};

use anyhow::{Context as _, Result};

use card::Card;

/// Where they lie, from the root of the workspace.
pub(crate) const FOLDER: &str = "checkpoints";

/// A style file that ships.
pub(crate) struct Style {
    pub(crate) name: String,
    pub(crate) path: PathBuf,
}

impl Style {
    pub(crate) fn card(&self) -> Result<Card> {
        Card::read(&self.path).with_context(|| format!("the card of {}", self.path.display()))
    }
}

/// The style files in `folder`, by name.
pub(crate) fn shipped(folder: &Path) -> Result<Vec<Style>> {
    let entries: io::Result<Vec<PathBuf>> =
        fs::read_dir(folder).and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect());
    let mut styles: Vec<Style> = entries
        .with_context(|| format!("listing {}", folder.display()))?
        .into_iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "safetensors"))
        .filter_map(|path| Some(Style { name: path.file_stem()?.to_str()?.to_owned(), path }))
        .collect();
    styles.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(styles)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_style_files_count() {
        let folder = tempfile::tempdir().unwrap();
        for file in ["b.safetensors", "a.safetensors", "README.md"] {
            fs::write(folder.path().join(file), "").unwrap();
        }
        let names: Vec<String> =
            shipped(folder.path()).unwrap().into_iter().map(|style| style.name).collect();
        assert_eq!(names, ["a", "b"]);
    }
}
