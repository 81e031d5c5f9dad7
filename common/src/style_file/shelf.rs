//! Where style files are kept, and how a name finds one.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// The suffix of a style file.
const SUFFIX: &str = "safetensors";

/// Those of files that other projects keep networks in.
const FOREIGN_SUFFIXES: [&str; 5] = ["pth", "pt", "model", "t7", "onnx"];

/// The folders that style files are looked for in, the user's own first.
#[derive(Clone, Debug)]
pub struct Shelf {
    folders: Vec<PathBuf>,
}

/// A style file on a shelf.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StyleEntry {
    /// The name it is called by: the file's, without its suffix.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
}

/// Why no style was found.
#[derive(Debug, thiserror::Error)]
pub enum ShelfError {
    /// It was given as a file, and there is none.
    #[error("no style file {}", .0.display())]
    NoSuchFile(PathBuf),
    /// It was given as a name, and no shelf has it.
    #[error(
        "no style named `{name}` (known: {known}; looked in {folders}); a path to a style file will do too"
    )]
    NoSuchName {
        /// The name asked for.
        name: String,
        /// The names there are.
        known: String,
        /// Where they were looked for.
        folders: String,
    },
}

impl Shelf {
    /// The usual folders: `ATELIER_STYLES` if set; the user's (`$XDG_DATA_HOME/atelier/styles`, by default under
    /// `~/.local/share`); `../share/atelier/styles` from the program; `checkpoints` of the source tree that the program
    /// was built in.
    pub fn standard() -> Self {
        let from_variable = |variable: &str, below: &str| {
            let folder = std::env::var_os(variable).filter(|value| !value.is_empty())?;
            Some(Path::new(&folder).join(below))
        };
        let own = from_variable("ATELIER_STYLES", "");
        let users = from_variable("XDG_DATA_HOME", "atelier/styles")
            .or_else(|| from_variable("HOME", ".local/share/atelier/styles"));
        let installed = std::env::current_exe()
            .ok()
            .and_then(|program| Some(program.parent()?.parent()?.join("share/atelier/styles")));
        let source_tree = Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(|root| root.join("checkpoints"));
        Self { folders: [own, users, installed, source_tree].into_iter().flatten().collect() }
    }

    /// A shelf of these folders, the first of which wins.
    pub fn of(folders: Vec<PathBuf>) -> Self {
        Self { folders }
    }

    /// Every style on the shelf by name, a name once. Folders that do not exist are empty.
    pub fn entries(&self) -> Vec<StyleEntry> {
        let mut entries: Vec<StyleEntry> = Vec::new();
        for folder in &self.folders {
            let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
            for path in files.map(|file| file.path()) {
                let is_style = path.extension() == Some(OsStr::new(SUFFIX));
                let Some(name) = path.file_stem().and_then(OsStr::to_str).filter(|_| is_style) else {
                    continue;
                };
                if entries.iter().all(|entry| entry.name != name) {
                    entries.push(StyleEntry { name: name.to_owned(), path });
                }
            }
        }
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        entries
    }

    /// The style file that `name_or_path` means. What looks like a path (a separator or the suffix in it) is one; all
    /// else is a name. `great_wave` finds `great-wave`.
    ///
    /// # Errors
    /// There is no such file, or no style of that name; the error lists the names that there are.
    pub fn find(&self, name_or_path: &str) -> Result<PathBuf, ShelfError> {
        let path = Path::new(name_or_path);
        let is_path = path.components().count() > 1
            || name_or_path.contains(std::path::is_separator)
            || is_called_style(path);
        if is_path {
            return if path.is_file() {
                Ok(path.to_owned())
            } else {
                Err(ShelfError::NoSuchFile(path.to_owned()))
            };
        }
        let entries = self.entries();
        if let Some(entry) =
            entries.iter().find(|entry| canonical_name(&entry.name) == canonical_name(name_or_path))
        {
            return Ok(entry.path.clone());
        }
        let names: Vec<&str> = entries.iter().map(|entry| entry.name.as_str()).collect();
        let folders: Vec<String> = self.folders.iter().map(|folder| folder.display().to_string()).collect();
        Err(ShelfError::NoSuchName {
            name: name_or_path.to_owned(),
            known: if names.is_empty() { "none".to_owned() } else { names.join(", ") },
            folders: folders.join(", "),
        })
    }
}

/// Whether a file is called as style files and networks of other projects are.
pub fn is_called_style(path: &Path) -> bool {
    path.extension().is_some_and(|suffix| suffix == SUFFIX || is_foreign(suffix))
}

fn is_foreign(suffix: &OsStr) -> bool {
    FOREIGN_SUFFIXES.iter().any(|&known| suffix == known)
}

/// The one spelling of a style's name: lower case, with `-` between words. `Great_Wave` becomes `great-wave`.
pub fn canonical_name(name: &str) -> String {
    name.to_lowercase().replace([' ', '_'], "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shelf(folder: &tempfile::TempDir) -> Shelf {
        let (own, shipped) = (folder.path().join("own"), folder.path().join("shipped"));
        for path in
            ["own/great-wave.safetensors", "shipped/great-wave.safetensors", "shipped/udnie.safetensors"]
        {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        std::fs::write(shipped.join("README.md"), "").unwrap();
        Shelf::of(vec![own, folder.path().join("absent"), shipped])
    }

    #[test]
    fn the_users_own_folder_wins_and_a_name_is_listed_once() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = shelf(&folder);
        let names: Vec<String> = shelf.entries().into_iter().map(|entry| entry.name).collect();
        assert_eq!(names, ["great-wave", "udnie"]);
        for spelling in ["great-wave", "great_wave", "Great Wave"] {
            assert_eq!(shelf.find(spelling).unwrap(), folder.path().join("own/great-wave.safetensors"));
        }
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_known_ones() {
        let folder = tempfile::tempdir().unwrap();
        let message = shelf(&folder).find("starry-night").unwrap_err().to_string();
        assert!(message.contains("known: great-wave, udnie"), "{message}");
    }

    #[test]
    fn a_path_is_never_taken_for_a_name() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = shelf(&folder);
        assert!(matches!(shelf.find("./udnie"), Err(ShelfError::NoSuchFile(_))));
        assert!(matches!(shelf.find("udnie.safetensors"), Err(ShelfError::NoSuchFile(_))));
        assert!(matches!(shelf.find("udnie.pth"), Err(ShelfError::NoSuchFile(_))));
        let path = folder.path().join("shipped/udnie.safetensors");
        assert_eq!(shelf.find(path.to_str().unwrap()).unwrap(), path);
    }
}
