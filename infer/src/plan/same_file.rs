//! One name for a file however it is written.

use std::path::{Path, PathBuf};

/// Two paths of the same key are the same file. What is not there yet is named by the nearest folder that is.
pub(crate) fn same_file_key(path: &Path) -> PathBuf {
    let mut missing = Vec::new();
    let mut existing = path;
    loop {
        let folder = if existing.as_os_str().is_empty() { Path::new(".") } else { existing };
        if let Ok(mut key) = folder.canonicalize() {
            key.extend(missing.iter().rev());
            return key;
        }
        match (existing.parent(), existing.file_name()) {
            (Some(parent), Some(name)) => {
                missing.push(name);
                existing = parent;
            }
            _ => return path.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_is_named_by_what_is() {
        let folder = tempfile::tempdir().unwrap();
        let at = |path: &str| same_file_key(&folder.path().join(path));
        assert_eq!(at("new/a.png"), at("./new/./a.png"));
        assert_ne!(at("new/a.png"), at("new/b.png"));
        std::fs::create_dir(folder.path().join("there")).unwrap();
        assert_eq!(at("there/../a.png"), at("a.png"));
        assert_eq!(same_file_key(Path::new("new.png")), same_file_key(Path::new("./new.png")));
    }
}
