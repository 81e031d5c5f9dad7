//! A folder that nothing can be written into.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// Locked until dropped, as a temporary folder could not be removed otherwise.
pub(crate) struct ReadOnly {
    folder: PathBuf,
}

impl ReadOnly {
    pub(crate) fn lock(folder: &Path) -> Self {
        fs::set_permissions(folder, Permissions::from_mode(0o555)).unwrap();
        Self { folder: folder.to_owned() }
    }

    /// It does not keep out root.
    pub(crate) fn keeps_us_out(&self) -> bool {
        fs::write(self.folder.join("probe"), "").is_err()
    }
}

impl Drop for ReadOnly {
    fn drop(&mut self) {
        let _ = fs::set_permissions(&self.folder, Permissions::from_mode(0o755));
    }
}
