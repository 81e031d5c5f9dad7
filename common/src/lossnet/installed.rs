//! Where loss networks lie that are asked for by name.

use std::path::{Path, PathBuf};

/// The names that `trainer fetch` knows. What is not among them is the path of a file.
pub const LOSS_NET_NAMES: [&str; 6] = [
    "vgg19",
    "vgg16",
    "vgg19-torchvision",
    "vgg16-torchvision",
    "resnet50-torchvision",
    "inception_v3-torchvision",
];

const SUFFIX: &str = "safetensors";

/// The folder of loss networks: one safetensors file for each name.
pub struct LossNetShelf {
    folder: Option<PathBuf>,
}

/// Why a loss network is not found.
#[derive(Debug, thiserror::Error)]
pub enum LossNetShelfError {
    /// A name that has not been fetched yet.
    #[error("no loss network {name} here yet: run `trainer fetch {name}`; looked for {}", path.display())]
    NotFetched {
        /// The name.
        name: &'static str,
        /// The file that it would be.
        path: PathBuf,
    },
    /// No name, and no file either.
    #[error("no loss network file, and no name that is known ({}): {}", LOSS_NET_NAMES.join(", "), .0.display())]
    NoSuchFile(PathBuf),
    /// The system does not say where the user's home is.
    #[error("no home folder is known to keep loss networks in: set ATELIER_CACHE to a folder")]
    NoFolder,
}

impl LossNetShelf {
    /// `loss-nets` in the [cache folder](crate::cache_folder::standard).
    pub fn standard() -> Self {
        Self { folder: crate::cache_folder::standard().map(|cache| cache.join("loss-nets")) }
    }

    /// A shelf of this folder.
    pub fn of(folder: PathBuf) -> Self {
        Self { folder: Some(folder) }
    }

    /// Where the files lie; the folder need not be there yet.
    ///
    /// # Errors
    /// The system does not say where the user's home is.
    pub fn folder(&self) -> Result<&Path, LossNetShelfError> {
        self.folder.as_deref().ok_or(LossNetShelfError::NoFolder)
    }

    /// The file of a name, whether it is there or not.
    ///
    /// # Errors
    /// The system does not say where the user's home is.
    pub fn file_of(&self, name: &str) -> Result<PathBuf, LossNetShelfError> {
        Ok(self.folder()?.join(name).with_extension(SUFFIX))
    }

    /// The file that `name_or_path` means. One of [`LOSS_NET_NAMES`] is a name, all else a path (a file that is called
    /// like a name is `./vgg19`).
    ///
    /// # Errors
    /// There is no such file, or that name has not been fetched yet.
    pub fn find(&self, name_or_path: &str) -> Result<PathBuf, LossNetShelfError> {
        if let Some(name) = LOSS_NET_NAMES.into_iter().find(|name| *name == name_or_path) {
            let path = self.file_of(name)?;
            return if path.is_file() { Ok(path) } else { Err(LossNetShelfError::NotFetched { name, path }) };
        }
        let path = PathBuf::from(name_or_path);
        if path.is_file() { Ok(path) } else { Err(LossNetShelfError::NoSuchFile(path)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_looked_up_and_a_path_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = LossNetShelf::of(folder.path().join("loss-nets"));
        let message = shelf.find("vgg19").unwrap_err().to_string();
        assert!(message.contains("run `trainer fetch vgg19`"), "{message}");
        assert!(message.ends_with("loss-nets/vgg19.safetensors"), "{message}");

        std::fs::create_dir(folder.path().join("loss-nets")).unwrap();
        let installed = folder.path().join("loss-nets/vgg19.safetensors");
        std::fs::write(&installed, "").unwrap();
        assert_eq!(shelf.find("vgg19").unwrap(), installed);
        assert_eq!(shelf.find(installed.to_str().unwrap()).unwrap(), installed);
        assert!(matches!(shelf.find("vgg16"), Err(LossNetShelfError::NotFetched { name: "vgg16", .. })));
    }

    #[test]
    fn what_is_neither_name_nor_file_is_answered_with_the_names() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = LossNetShelf::of(folder.path().to_owned());
        for wrong in ["vgg18", "./vgg19", "none.safetensors"] {
            let message = shelf.find(wrong).unwrap_err().to_string();
            assert!(message.contains("vgg19-torchvision") && message.ends_with(wrong), "{message}");
        }
    }

    #[test]
    fn names_with_a_dash_keep_it_in_the_file() {
        let shelf = LossNetShelf::of(PathBuf::from("nets"));
        for name in LOSS_NET_NAMES {
            assert_eq!(shelf.file_of(name).unwrap(), Path::new("nets").join(format!("{name}.safetensors")));
        }
    }
}
