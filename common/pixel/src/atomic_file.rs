//! Files that are either there in full or not at all.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use thiserror::Error;

/// A file could not be written; what was there before is untouched.
#[derive(Debug, Error)]
#[error("cannot write: {cause}: {}", path.display())]
pub struct AtomicFileError {
    /// The file that was to be written.
    pub path: PathBuf,
    /// What the system said.
    pub cause: io::Error,
}

/// Writes `bytes` to `path`: under a temporary name in the same folder, synced, then renamed.
///
/// A reader, or a power cut, sees the old file or the new one, never a part. A file that is replaced keeps
/// its permissions, a new one gets those that the umask leaves; a symbolic link is written through.
///
/// # Errors
/// The folder is missing or not writable, the disk is full, or `path` is a folder.
pub fn write(path: impl AsRef<Path>, bytes: &[u8]) -> Result<(), AtomicFileError> {
    let path = path.as_ref();
    try_write(path, bytes).map_err(|cause| AtomicFileError { path: path.to_owned(), cause })
}

fn try_write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // Renaming over a link would replace the link; a link to nowhere has nothing to keep.
    let target =
        if path.is_symlink() { fs::canonicalize(path).unwrap_or(path.to_owned()) } else { path.to_owned() };
    let folder = match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };

    let mut builder = tempfile::Builder::new();
    builder.prefix(".atelier-").suffix(".part");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // A temporary file is private by default; the umask still applies to this mode.
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    let mut file = builder.tempfile_in(folder)?;
    if let Ok(old) = fs::metadata(&target)
        && old.is_file()
    {
        file.as_file().set_permissions(old.permissions())?;
    }
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(&target).map_err(|error| error.error)?;
    sync_folder(folder);
    Ok(())
}

/// Makes the new name itself survive a power cut. Best effort: not every file system can do it, and the
/// content is safe by now.
fn sync_folder(folder: &Path) {
    #[cfg(unix)]
    if let Ok(folder) = fs::File::open(folder) {
        let _ = folder.sync_all();
    }
    #[cfg(not(unix))]
    let _ = folder;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn writes_and_replaces_and_leaves_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.bin");
        write(&path, b"one").unwrap();
        write(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(names(folder.path()), ["a.bin"]);
    }

    #[test]
    fn the_error_names_the_path_and_nothing_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("no/such/a.bin");
        let message = write(&missing, b"x").unwrap_err().to_string();
        assert!(message.ends_with("no/such/a.bin"), "{message}");

        let occupied = folder.path().join("folder");
        fs::create_dir(&occupied).unwrap();
        assert!(write(&occupied, b"x").is_err());
        assert_eq!(names(folder.path()), ["folder"]);
    }

    #[cfg(unix)]
    #[test]
    fn a_new_file_has_the_permissions_of_any_new_file() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let [ours, plain] = ["ours", "plain"].map(|name| folder.path().join(name));
        write(&ours, b"x").unwrap();
        fs::File::create(&plain).unwrap();
        let mode = |path| fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&ours), mode(&plain));

        fs::set_permissions(&ours, fs::Permissions::from_mode(0o600)).unwrap();
        write(&ours, b"y").unwrap();
        assert_eq!(mode(&ours) & 0o777, 0o600, "a replaced file keeps its permissions");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_written_through() {
        let folder = tempfile::tempdir().unwrap();
        let [real, link] = ["real", "link"].map(|name| folder.path().join(name));
        fs::write(&real, b"old").unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        write(&link, b"new").unwrap();
        assert!(link.is_symlink());
        assert_eq!(fs::read(&real).unwrap(), b"new");
    }
}
