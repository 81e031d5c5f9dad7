//! The beginning of a file that is being fetched: `NAME.part`, and beside it `NAME.part.json` with what is needed to go
//! on with it.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write as _};
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::FetchError;
use super::pin::sha256_of_all;

/// What the bytes so far belong to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct State {
    pub(super) url: String,
    /// ETag or date of the server's file.
    pub(super) validator: Option<String>,
    /// Size of the server's file.
    pub(super) total: Option<u64>,
    /// The bytes of the server's file that are kept, one after the other; None: all.
    pub(super) spans: Option<Vec<Range<u64>>>,
}

/// Locked as long as it is held.
pub(super) struct Part {
    path: PathBuf,
    file: File,
    length: u64,
    state: State,
}

impl Part {
    /// The part of this address in `folder`, which is made if need be; `kind` keeps apart what does not fit together.
    pub(super) fn open(folder: &Path, url: &str, kind: &str) -> Result<Self, FetchError> {
        fs::create_dir_all(folder).map_err(|cause| FetchError::local(folder, cause))?;
        // Many servers call their files alike.
        let address = &sha256_of_all([url.as_bytes()])[..8];
        let path = folder.join(format!("{}.{address}{kind}.part", file_name(url)));
        Self::open_file(&path, url)
    }

    fn open_file(path: &Path, url: &str) -> Result<Self, FetchError> {
        let local = |cause| FetchError::local(path, cause);
        let file = File::options().read(true).append(true).create(true).open(path).map_err(local)?;
        file.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => FetchError::Busy(path.to_owned()),
            TryLockError::Error(cause) => local(cause),
        })?;
        let mut part = Self { path: path.to_owned(), file, length: 0, state: State::default() };
        let state = fs::read(part.state_path()).ok().and_then(|json| serde_json::from_slice(&json).ok());
        match state {
            Some(state @ State { .. }) if state.url == url => {
                part.length = part.file.metadata().map_err(local)?.len();
                part.state = state;
            }
            // What it belongs to is not known any more.
            _ => part.restart(State { url: url.to_owned(), ..State::default() })?,
        }
        Ok(part)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn length(&self) -> u64 {
        self.length
    }

    pub(super) fn state(&self) -> &State {
        &self.state
    }

    /// Empties it, for another file or the same from its beginning.
    pub(super) fn restart(&mut self, state: State) -> Result<(), FetchError> {
        self.file.set_len(0).map_err(|cause| self.local(cause))?;
        self.length = 0;
        self.state = state;
        let json = serde_json::to_vec(&self.state).expect("a state is plain JSON");
        pixel::atomic_file::write(self.state_path(), &json)
            .map_err(|error| FetchError::local(&error.path, error.cause))
    }

    pub(super) fn append(&mut self, bytes: &[u8]) -> Result<(), FetchError> {
        let written = self.file.write_all(bytes);
        // After an error it is the disk that knows how much arrived.
        self.length = match written {
            Ok(()) => self.length + bytes.len() as u64,
            Err(_) => self.file.metadata().map_or(self.length, |metadata| metadata.len()),
        };
        written.map_err(|cause| self.local(cause))
    }

    pub(super) fn remove(self) {
        // Best effort: what stays behind costs room and no more.
        let _ = fs::remove_file(self.state_path());
        let _ = fs::remove_file(&self.path);
    }

    fn state_path(&self) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(".json");
        name.into()
    }

    fn local(&self, cause: io::Error) -> FetchError {
        FetchError::local(&self.path, cause)
    }
}

/// The last word of an address, as far as it can be a file's name everywhere.
fn file_name(url: &str) -> String {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    let last = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let plain: String =
        last.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')).take(80).collect();
    if plain.trim_matches('.').is_empty() { "weights".to_owned() } else { plain }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_the_addresss_last_word() {
        assert_eq!(file_name("https://host/models/vgg19-d01eb7cb.pth"), "vgg19-d01eb7cb.pth");
        assert_eq!(file_name("http://host/a/model.safetensors?download=true"), "model.safetensors");
        assert_eq!(file_name("http://host/.."), "weights");
        assert_eq!(file_name("http://host/%2e%2e%5cx"), "2e2e5cx");
    }

    #[test]
    fn a_part_is_gone_on_with_only_for_its_own_address() {
        let folder = tempfile::tempdir().unwrap();
        let mut part = Part::open(folder.path(), "http://a/x", "").unwrap();
        part.append(b"123").unwrap();
        let path = part.path().to_owned();
        drop(part);
        assert_eq!(Part::open_file(&path, "http://a/x").unwrap().length(), 3);
        assert_eq!(Part::open_file(&path, "http://b/x").unwrap().length(), 0);
    }

    #[test]
    fn a_part_without_its_state_begins_anew() {
        let folder = tempfile::tempdir().unwrap();
        let mut part = Part::open(folder.path(), "http://a/x", "").unwrap();
        part.append(b"123").unwrap();
        fs::write(part.state_path(), "{").unwrap();
        drop(part);
        assert_eq!(Part::open(folder.path(), "http://a/x", "").unwrap().length(), 0);
    }

    #[test]
    fn two_programs_do_not_write_the_same_part() {
        let folder = tempfile::tempdir().unwrap();
        let _held = Part::open(folder.path(), "http://a/x", "").unwrap();
        assert!(matches!(Part::open(folder.path(), "http://a/x", ""), Err(FetchError::Busy(_))));
    }
}
