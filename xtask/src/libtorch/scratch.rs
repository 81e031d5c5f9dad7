//! The folder beside the target in which everything is prepared: `<target>.download`.
//!
//! It stays where it is when something fails, so that the next run finds the archives that have already come.

use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

pub(super) struct Scratch {
    folder: PathBuf,
    /// Held for as long as this lives: only one program at a time fills a target.
    _lock: File,
}

impl Scratch {
    /// Waits where another program is filling the same target.
    pub(super) fn open(target: &Path) -> Result<Self> {
        let mut name = OsString::from(target);
        name.push(".download");
        let folder = PathBuf::from(name);
        let open = || -> io::Result<File> {
            fs::create_dir_all(&folder)?;
            // Hides the folder from git wherever it lies.
            fs::write(folder.join(".gitignore"), "*\n")?;
            let lock = File::create(folder.join("lock"))?;
            match lock.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    eprintln!("libtorch: waiting for another program that is fetching it");
                    lock.lock()?;
                }
                Err(TryLockError::Error(err)) => return Err(err),
            }
            // The other one may have removed the folder when it was done.
            fs::create_dir_all(&folder)?;
            Ok(lock)
        };
        let lock = open().with_context(|| format!("preparing {}", folder.display()))?;
        Ok(Self { folder, _lock: lock })
    }

    /// Where archives collect.
    pub(super) fn archives(&self) -> &Path {
        &self.folder
    }

    /// An empty place for a new tree; what an interrupted run has left there goes.
    pub(super) fn fresh_tree(&self) -> Result<PathBuf> {
        let tree = self.folder.join("tree");
        remove(&tree)?;
        Ok(tree)
    }

    /// Puts the new tree in the target's place. Between the two renames there is no tree at all, never half a one.
    pub(super) fn swap_in(&self, tree: &Path, target: &Path) -> Result<()> {
        let old = self.folder.join("old");
        remove(&old)?;
        if target.exists() {
            fs::rename(target, &old).with_context(|| format!("moving away {}", target.display()))?;
        }
        fs::rename(tree, target).with_context(|| format!("moving the new tree to {}", target.display()))
    }

    pub(super) fn remove(self) -> Result<()> {
        remove(&self.folder)
    }
}

fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(err) if err.kind() != io::ErrorKind::NotFound => {
            Err(err).with_context(|| format!("removing {}", folder.display()))
        }
        _ => Ok(()),
    }
}
