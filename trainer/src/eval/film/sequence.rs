//! Finding films as folders of frames.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use datasets::{PhotoFolder, ScanError};
use thiserror::Error;

/// A film as its frames, in the order of their names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Film {
    /// Its folder, as seen from the one that was searched; the name of that one, if the frames lie in it.
    pub name: String,
    /// At least two.
    pub frames: Vec<PathBuf>,
    /// Whether its folder is one among several.
    pub(super) folder: PathBuf,
}

/// A folder holds no films.
#[derive(Debug, Error)]
pub enum FilmError {
    /// No pictures at all.
    #[error(transparent)]
    Scan(#[from] ScanError),
    /// Too few frames.
    #[error("a film needs at least two frames to flicker, found {found}: {}", folder.display())]
    TooFewFrames {
        /// Frames there are.
        found: usize,
        /// Where.
        folder: PathBuf,
    },
}

/// Pictures of these names lie beside frames and are none: they mark pixels that do not count.
pub(super) const MASKS: [&str; 2] = ["occlusion", "invalid"];

/// The films in a folder: its own pictures as one film, or, where it has none, those of each folder below. `most_frames`
/// are taken of each.
///
/// # Errors
/// There are none, or one has fewer than two frames.
pub fn films(root: &Path, most_frames: Option<usize>) -> Result<Vec<Film>, FilmError> {
    let mut by_folder: BTreeMap<PathBuf, Vec<PathBuf>> = BTreeMap::new();
    for path in PhotoFolder::scan(root)?.relative_paths().iter().filter(|path| !is_mask(path)) {
        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
        by_folder.entry(folder).or_default().push(root.join(path));
    }
    if let Some(own) = by_folder.remove(Path::new("")) {
        by_folder = BTreeMap::from([(PathBuf::new(), own)]);
    }
    if by_folder.is_empty() {
        return Err(FilmError::TooFewFrames { found: 0, folder: root.to_owned() });
    }
    let film = |(folder, mut frames): (PathBuf, Vec<PathBuf>)| {
        frames.truncate(most_frames.unwrap_or(usize::MAX));
        if frames.len() < 2 {
            return Err(FilmError::TooFewFrames { found: frames.len(), folder: root.join(folder) });
        }
        let root_name =
            || root.file_name().map_or_else(|| root.to_string_lossy(), |name| name.to_string_lossy());
        let name = if folder.as_os_str().is_empty() { root_name() } else { folder.to_string_lossy() };
        Ok(Film { name: name.into_owned(), frames, folder })
    };
    by_folder.into_iter().map(film).collect()
}

fn is_mask(path: &Path) -> bool {
    let is_one =
        |name: Option<&std::ffi::OsStr>| MASKS.iter().any(|mask| name.is_some_and(|name| name == *mask));
    is_one(path.file_stem()) || is_one(path.parent().and_then(Path::file_name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn touch(root: &Path, names: &[&str]) {
        for name in names {
            let path = root.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, b"").unwrap();
        }
    }

    #[test]
    fn frames_of_a_folder_are_one_film_by_name() {
        let root = tempfile::tempdir().unwrap();
        touch(root.path(), &["2.png", "1.png", "10.png", "occlusion.png", "invalid/1.png", "below/1.png"]);
        let found = films(root.path(), None).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].frames, ["1.png", "10.png", "2.png"].map(|name| root.path().join(name)));
        assert_eq!(films(root.path(), Some(2)).unwrap()[0].frames.len(), 2);
    }

    #[test]
    fn folders_below_are_a_film_each() {
        let root = tempfile::tempdir().unwrap();
        touch(root.path(), &["b/1.png", "b/2.png", "a/x/1.jpg", "a/x/2.jpg", "a/x/invalid.png"]);
        let found = films(root.path(), None).unwrap();
        assert_eq!(found.iter().map(|film| film.name.as_str()).collect::<Vec<_>>(), ["a/x", "b"]);
        touch(root.path(), &["c/1.png"]);
        let message = films(root.path(), None).unwrap_err().to_string();
        assert!(message.contains("at least two frames") && message.ends_with('c'), "{message}");
    }
}
