//! Finding the photos under a folder.

use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use pixel::{PICTURE_SUFFIXES, has_picture_suffix};
use thiserror::Error;
use walkdir::{DirEntry, WalkDir};

use crate::scan_cache::CachedScan;

/// The photos under a folder, by name; whether they can be decoded shows later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhotoFolder {
    root: PathBuf,
    /// Relative to `root`, sorted, at least one.
    photos: Vec<PathBuf>,
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
        check_folder(root)?;
        Ok(Self { root: root.to_owned(), photos: Walk::through(root)?.photos })
    }

    /// As [`scan`](Self::scan), by what an earlier call left in the folder `cache`, unless a photo was added or
    /// removed since; see [`standard_cache_folder`](crate::standard_cache_folder).
    ///
    /// A cache that is broken or cannot be written is passed over: then every call walks.
    ///
    /// # Errors
    /// As [`scan`](Self::scan).
    pub fn scan_cached(root: impl AsRef<Path>, cache: impl AsRef<Path>) -> Result<Self, ScanError> {
        let root = root.as_ref();
        check_folder(root)?;
        let Some(cached) = CachedScan::of(root, cache.as_ref()) else { return Self::scan(root) };
        if let Some(photos) = cached.read() {
            return Ok(Self { root: root.to_owned(), photos });
        }
        let started = SystemTime::now();
        let walk = Walk::through(root)?;
        cached.write(&walk, started);
        Ok(Self { root: root.to_owned(), photos: walk.photos })
    }

    /// The folder that was scanned.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// How many photos there are, at least 1.
    #[allow(clippy::len_without_is_empty)] // an empty folder is an error of `scan`
    pub fn len(&self) -> usize {
        self.photos.len()
    }

    /// The photos' paths relative to [`root`](Self::root), sorted.
    pub fn relative_paths(&self) -> &[PathBuf] {
        &self.photos
    }

    /// The path of photo `index < len()`.
    pub(crate) fn path(&self, index: usize) -> PathBuf {
        self.root.join(&self.photos[index])
    }
}

fn check_folder(root: &Path) -> Result<(), ScanError> {
    match root.metadata() {
        Ok(metadata) if metadata.is_dir() => Ok(()),
        Ok(_) => Err(ScanError::NotAFolder { path: root.to_owned() }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(ScanError::Missing { path: root.to_owned() })
        }
        Err(cause) => Err(ScanError::Unreadable { path: root.to_owned(), cause }),
    }
}

/// What a walk through a folder found, by paths relative to it.
pub(crate) struct Walk {
    /// Sorted, at least one.
    pub(crate) photos: Vec<PathBuf>,
    /// Each folder that was listed, the root (an empty path) too.
    pub(crate) folders: Vec<PathBuf>,
    /// Some link led nowhere.
    pub(crate) has_dangling_links: bool,
}

impl Walk {
    fn through(root: &Path) -> Result<Self, ScanError> {
        let mut found = Self { photos: Vec::new(), folders: Vec::new(), has_dangling_links: false };
        for entry in WalkDir::new(root).follow_links(true).into_iter().filter_entry(is_visible) {
            match entry {
                Ok(entry) => {
                    let path = entry.path();
                    let relative = || path.strip_prefix(root).unwrap_or(path).to_owned();
                    if entry.file_type().is_dir() {
                        found.folders.push(relative());
                    } else if entry.file_type().is_file() && has_picture_suffix(path) {
                        found.photos.push(relative());
                    }
                }
                Err(error) if error.loop_ancestor().is_some() => {}
                Err(error) if is_missing(&error) => found.has_dangling_links = true,
                Err(error) => {
                    let path = error.path().unwrap_or(root).to_owned();
                    return Err(ScanError::Unreadable { path, cause: error.into() });
                }
            }
        }
        if found.photos.is_empty() {
            return Err(ScanError::NoPhotos { path: root.to_owned() });
        }
        // The order in which a file system lists names is anybody's guess.
        found.photos.sort();
        Ok(found)
    }
}

fn is_visible(entry: &DirEntry) -> bool {
    // The root itself may be called anything, `.` for one.
    entry.depth() == 0 || !entry.file_name().as_encoded_bytes().starts_with(b".")
}

fn is_missing(error: &walkdir::Error) -> bool {
    error.io_error().is_some_and(|error| error.kind() == io::ErrorKind::NotFound)
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
