//! Finding the photos under a folder.

use std::io;
use std::path::{Path, PathBuf};

use pixel::{PICTURE_SUFFIXES, has_picture_suffix};
use thiserror::Error;
use walkdir::{DirEntry, WalkDir};

/// The photos under a folder, by name; whether they can be decoded shows later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhotoFolder {
    root: PathBuf,
    /// Relative to `root`, sorted, at least one.
    relative: Vec<PathBuf>,
}

/// A folder does not yield any photos.
#[derive(Debug, Error)]
pub enum ScanError {
    /// There is nothing under that name.
    #[error("no such folder: {}", path.display())]
    Missing {
        /// What was given.
        path: PathBuf,
    },
    /// It is a file.
    #[error("expected a folder of photos, found a file: {}", path.display())]
    NotAFolder {
        /// What was given.
        path: PathBuf,
    },
    /// Nothing in it is named like a picture.
    #[error("no photos found, looked for names in {} here and in all folders below: {}", suffix_list(), path.display())]
    NoPhotos {
        /// What was given.
        path: PathBuf,
    },
    /// A folder below cannot be read; going on would silently train on a part.
    #[error("cannot read the folder: {cause}: {}", path.display())]
    Unreadable {
        /// The folder that cannot be read.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
}

fn suffix_list() -> String {
    PICTURE_SUFFIXES.iter().map(|suffix| format!(".{suffix}")).collect::<Vec<_>>().join(", ")
}

impl PhotoFolder {
    /// Finds every file with a picture's suffix under `root`, however deep.
    ///
    /// Hidden files and folders (`.name`) are left out. Symbolic links are followed; a link that leads
    /// nowhere or back to a folder above it is passed over.
    ///
    /// # Errors
    /// `root` is missing, no folder, or has no such file in it; a folder below cannot be read.
    pub fn scan(root: impl AsRef<Path>) -> Result<Self, ScanError> {
        let root = root.as_ref();
        match root.metadata() {
            Ok(metadata) if metadata.is_dir() => {}
            Ok(_) => return Err(ScanError::NotAFolder { path: root.to_owned() }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(ScanError::Missing { path: root.to_owned() });
            }
            Err(cause) => return Err(ScanError::Unreadable { path: root.to_owned(), cause }),
        }

        let mut relative = Vec::new();
        for entry in WalkDir::new(root).follow_links(true).into_iter().filter_entry(is_visible) {
            match entry {
                Ok(entry) if entry.file_type().is_file() && has_picture_suffix(entry.path()) => {
                    let path = entry.path();
                    relative.push(path.strip_prefix(root).unwrap_or(path).to_owned());
                }
                Ok(_) => {}
                Err(error) if leads_nowhere(&error) => {}
                Err(error) => {
                    let path = error.path().unwrap_or(root).to_owned();
                    return Err(ScanError::Unreadable { path, cause: error.into() });
                }
            }
        }
        if relative.is_empty() {
            return Err(ScanError::NoPhotos { path: root.to_owned() });
        }
        // The order in which a file system lists names is anybody's guess.
        relative.sort();
        Ok(Self { root: root.to_owned(), relative })
    }

    /// The folder that was scanned.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// How many photos there are, at least 1.
    #[allow(clippy::len_without_is_empty)] // an empty folder is an error of `scan`
    pub fn len(&self) -> usize {
        self.relative.len()
    }

    /// The photos' paths relative to [`root`](Self::root), sorted.
    pub fn relative_paths(&self) -> &[PathBuf] {
        &self.relative
    }

    /// The path of photo `index < len()`.
    pub(crate) fn path(&self, index: usize) -> PathBuf {
        self.root.join(&self.relative[index])
    }
}

fn is_visible(entry: &DirEntry) -> bool {
    // The root itself may be called anything, `.` for one.
    entry.depth() == 0 || !entry.file_name().as_encoded_bytes().starts_with(b".")
}

fn leads_nowhere(error: &walkdir::Error) -> bool {
    let is_loop = error.loop_ancestor().is_some();
    is_loop || error.io_error().is_some_and(|error| error.kind() == io::ErrorKind::NotFound)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn touch(root: &Path, names: &[&str]) {
        for name in names {
            let path = root.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, b"").unwrap();
        }
    }

    #[test]
    fn finds_pictures_below_sorted_and_nothing_else() {
        let root = tempfile::tempdir().unwrap();
        touch(
            root.path(),
            &["z.jpg", "b/c/d.PNG", "b/a.webp", "notes.txt", ".hidden.jpg", ".cache/e.jpg", "jpg"],
        );
        let folder = PhotoFolder::scan(root.path()).unwrap();
        assert_eq!(folder.relative_paths(), ["b/a.webp", "b/c/d.PNG", "z.jpg"].map(PathBuf::from));
        assert_eq!(folder.path(2), root.path().join("z.jpg"));
    }

    #[test]
    fn says_what_is_wrong_with_a_folder() {
        let root = tempfile::tempdir().unwrap();
        touch(root.path(), &["notes.txt"]);
        let scan = |name: &str| PhotoFolder::scan(root.path().join(name)).unwrap_err();
        assert!(matches!(scan("none"), ScanError::Missing { .. }));
        assert!(matches!(scan("notes.txt"), ScanError::NotAFolder { .. }));
        let message = scan("").to_string();
        assert!(message.starts_with("no photos found, looked for names in .bmp, .gif, "), "{message}");
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_but_not_in_circles() {
        use std::os::unix::fs::symlink;
        let root = tempfile::tempdir().unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        touch(root.path(), &["a.jpg"]);
        touch(elsewhere.path(), &["b.jpg"]);
        symlink(elsewhere.path(), root.path().join("more")).unwrap();
        symlink(root.path(), root.path().join("circle")).unwrap();
        symlink("nowhere", root.path().join("dangling.jpg")).unwrap();
        let folder = PhotoFolder::scan(root.path()).unwrap();
        assert_eq!(folder.relative_paths(), ["a.jpg", "more/b.jpg"].map(PathBuf::from));
    }
}
