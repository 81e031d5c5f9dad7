//! What a scan found, kept for the next one: on a cold or a network disk, listing 120,000 files takes long.
//!
//! A folder's modification time changes with every name that is added to it or taken away, so that looking at the
//! folders is enough; the files are not looked at.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use pixel::{PICTURE_SUFFIXES, atomic_file};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::folder::Walk;

/// Grows when the form of the file or the rules of the scan change.
const VERSION: u32 = 1;

/// The coarsest times that file systems keep. A folder that changed this shortly before a scan may change once
/// more without showing it.
const CLOCK_STEP: Duration = Duration::from_secs(2);

/// The user's folder for what can be made anew: `$ATELIER_CACHE` if set, else `$XDG_CACHE_HOME/atelier`, by default
/// `~/.cache/atelier`. `None` without a home.
pub fn standard_cache_folder() -> Option<PathBuf> {
    let from_variable = |variable: &str, below: &str| {
        let folder = std::env::var_os(variable).filter(|value| !value.is_empty())?;
        Some(Path::new(&folder).join(below))
    };
    from_variable("ATELIER_CACHE", "")
        .or_else(|| from_variable("XDG_CACHE_HOME", "atelier"))
        .or_else(|| from_variable("HOME", ".cache/atelier"))
}

/// The place of one folder's scan among the cached ones.
pub(crate) struct CachedScan {
    file: PathBuf,
    root: PathBuf,
}

/// The content of the file.
#[derive(Serialize, Deserialize)]
struct Stored {
    version: u32,
    /// Canonical.
    root: PathBuf,
    /// What was looked for.
    suffixes: Vec<String>,
    /// Each folder below the root, the root too, with its modification time since 1970.
    folders: Vec<(PathBuf, Duration)>,
    /// As in [`Walk`].
    photos: Vec<PathBuf>,
}

impl CachedScan {
    /// `None` where the root has no canonical name.
    pub(crate) fn of(root: &Path, cache: &Path) -> Option<Self> {
        let root = root.canonicalize().ok()?;
        let digest = Sha256::digest(root.as_os_str().as_encoded_bytes());
        let (key, _) = digest.split_first_chunk()?;
        let file = cache.join("scans").join(format!("{:032x}.json", u128::from_be_bytes(*key)));
        Some(Self { file, root })
    }

    /// The photos, if no folder has changed since. What cannot be read is as good as absent.
    pub(crate) fn read(&self) -> Option<Vec<PathBuf>> {
        let stored: Stored = serde_json::from_slice(&fs::read(&self.file).ok()?).ok()?;
        let is_ours = stored.version == VERSION && stored.root == self.root;
        let is_current = stored.suffixes == PICTURE_SUFFIXES
            && stored.folders.iter().all(|(folder, then)| self.changed_at(folder) == Some(*then));
        (is_ours && is_current && !stored.photos.is_empty()).then_some(stored.photos)
    }

    /// Keeps what a walk found that began at `started`, unless it could be out of date without showing it. Best
    /// effort: without the file the next scan walks again.
    pub(crate) fn write(&self, walk: &Walk, started: SystemTime) {
        let _ = self.try_write(walk, started);
    }

    fn try_write(&self, walk: &Walk, started: SystemTime) -> Option<()> {
        // What a link leads to may appear without any folder here changing.
        if walk.has_dangling_links {
            return None;
        }
        let settled = started.duration_since(SystemTime::UNIX_EPOCH).ok()?.checked_sub(CLOCK_STEP)?;
        let timed = |folder: &PathBuf| {
            let changed = self.changed_at(folder).filter(|changed| *changed < settled)?;
            Some((folder.clone(), changed))
        };
        let stored = Stored {
            version: VERSION,
            root: self.root.clone(),
            suffixes: PICTURE_SUFFIXES.iter().map(ToString::to_string).collect(),
            folders: walk.folders.iter().map(timed).collect::<Option<_>>()?,
            photos: walk.photos.clone(),
        };
        // Fails where a name is no text.
        let json = serde_json::to_vec(&stored).ok()?;
        fs::create_dir_all(self.file.parent()?).ok()?;
        atomic_file::write(&self.file, &json).ok()
    }

    fn changed_at(&self, folder: &Path) -> Option<Duration> {
        let changed = self.root.join(folder).metadata().ok()?.modified().ok()?;
        changed.duration_since(SystemTime::UNIX_EPOCH).ok()
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use tempfile::TempDir;

    use super::*;
    use crate::PhotoFolder;

    /// Photos in two folders, last changed long ago.
    fn settled_photos() -> TempDir {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("more")).unwrap();
        for name in ["b.jpg", "a.jpg", "more/c.jpg"] {
            fs::write(root.path().join(name), b"").unwrap();
        }
        settle(root.path());
        root
    }

    fn settle(root: &Path) {
        let past = SystemTime::now() - Duration::from_mins(1);
        for folder in [root.join("more"), root.to_owned()] {
            File::open(folder).unwrap().set_modified(past).unwrap();
        }
    }

    fn names(root: &TempDir, cache: &TempDir) -> Vec<String> {
        let folder = PhotoFolder::scan_cached(root.path(), cache.path()).unwrap();
        assert_eq!(folder.root(), root.path());
        folder.relative_paths().iter().map(|path| path.to_str().unwrap().to_owned()).collect()
    }

    fn cached_files(cache: &TempDir) -> Vec<PathBuf> {
        let entries = fs::read_dir(cache.path().join("scans")).into_iter().flatten();
        entries.map(|entry| entry.unwrap().path()).collect()
    }

    #[test]
    fn the_second_scan_comes_from_the_cache() {
        let (root, cache) = (settled_photos(), tempfile::tempdir().unwrap());
        let walked = names(&root, &cache);
        assert_eq!(walked, ["a.jpg", "b.jpg", "more/c.jpg"]);
        assert_eq!(names(&root, &cache), walked);
        // To tell it from a walk: a cached name that is not there.
        let [file] = &cached_files(&cache)[..] else { panic!("one file") };
        let json = fs::read_to_string(file).unwrap();
        fs::write(file, json.replace("b.jpg", "z.jpg")).unwrap();
        assert_eq!(names(&root, &cache), ["a.jpg", "z.jpg", "more/c.jpg"]);
    }

    #[test]
    fn added_and_removed_files_are_seen_at_any_depth() {
        let (root, cache) = (settled_photos(), tempfile::tempdir().unwrap());
        names(&root, &cache);
        fs::write(root.path().join("more/d.jpg"), b"").unwrap();
        assert_eq!(names(&root, &cache), ["a.jpg", "b.jpg", "more/c.jpg", "more/d.jpg"]);
        settle(root.path());
        names(&root, &cache);
        fs::remove_file(root.path().join("a.jpg")).unwrap();
        assert_eq!(names(&root, &cache), ["b.jpg", "more/c.jpg", "more/d.jpg"]);
        settle(root.path());
        names(&root, &cache);
        fs::remove_dir_all(root.path().join("more")).unwrap();
        assert_eq!(names(&root, &cache), ["b.jpg"]);
    }

    #[test]
    fn a_folder_that_has_just_changed_is_not_cached() {
        let (root, cache) = (settled_photos(), tempfile::tempdir().unwrap());
        fs::write(root.path().join("more/d.jpg"), b"").unwrap();
        names(&root, &cache);
        assert!(cached_files(&cache).is_empty());
    }

    #[cfg(unix)]
    #[test]
    fn with_a_dangling_link_nothing_is_cached() {
        let (root, cache) = (settled_photos(), tempfile::tempdir().unwrap());
        let target = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(target.path().join("later"), root.path().join("link")).unwrap();
        settle(root.path());
        assert_eq!(names(&root, &cache).len(), 3);
        fs::create_dir(target.path().join("later")).unwrap();
        fs::write(target.path().join("later/e.jpg"), b"").unwrap();
        assert_eq!(names(&root, &cache), ["a.jpg", "b.jpg", "link/e.jpg", "more/c.jpg"]);
    }

    #[test]
    fn a_broken_cache_is_as_good_as_none() {
        let (root, cache) = (settled_photos(), tempfile::tempdir().unwrap());
        let walked = names(&root, &cache);
        let [file] = &cached_files(&cache)[..] else { panic!("one file") };
        let whole = fs::read(file).unwrap();
        for broken in [&whole[..whole.len() / 2], b"", b"{}", b"\xff\xfe"] {
            fs::write(file, broken).unwrap();
            assert_eq!(names(&root, &cache), walked);
        }
        assert_eq!(fs::read(file).unwrap(), whole, "and is replaced");

        let no_folder = root.path().join("a.jpg");
        let folder = PhotoFolder::scan_cached(root.path(), no_folder).unwrap();
        assert_eq!(folder.len(), 3);
    }

    #[test]
    fn errors_are_those_of_a_scan() {
        let (root, cache) = (settled_photos(), tempfile::tempdir().unwrap());
        assert!(PhotoFolder::scan_cached(root.path().join("none"), cache.path()).is_err());
        assert!(PhotoFolder::scan_cached(root.path().join("a.jpg"), cache.path()).is_err());
    }
}
