use std::io;
use std::path::{Path, PathBuf};

use common::lossnet::LossNetShelfError;

/// Why weights could not be fetched.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The server, or what lies between, did not give the file.
    #[error("{reason}: {url}")]
    Server {
        /// What was asked for.
        url: String,
        /// What went wrong.
        reason: String,
    },
    /// The file is another one than expected.
    #[error("the sha256 is {found}, expected {expected}: {source_name}")]
    WrongSum {
        /// The file's.
        found: String,
        /// The one that is pinned or was given.
        expected: String,
        /// The address or path.
        source_name: String,
    },
    /// Nothing is known to recognise the file by.
    #[error("no sha256 is known for it (--allow-unpinned takes it on the server's word): {0}")]
    Unpinned(String),
    /// As before, but the file is here.
    #[error(
        "its sha256, {found}, is not one that is known; who trusts it says --sha256 with it, or --allow-unpinned: {url}"
    )]
    Unknown {
        /// The file's.
        found: String,
        /// Where it came from.
        url: String,
    },
    /// The file does not hold the weights that it should.
    #[error("no weights of {name} that can be used: {reason}: {source_name}")]
    Content {
        /// The name that was asked for.
        name: &'static str,
        /// What is wrong with them.
        reason: String,
        /// The address or path.
        source_name: String,
    },
    /// The folder of loss networks cannot be written, or something in it not be read.
    #[error("{cause}: {}", path.display())]
    Local {
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        cause: io::Error,
    },
    /// Another program is at it.
    #[error("another program is fetching this file: {}", .0.display())]
    Busy(PathBuf),
    /// There is no folder to put it.
    #[error(transparent)]
    Shelf(#[from] LossNetShelfError),
    /// None of several sources worked.
    #[error(
        "none of the {count} sources has worked (a file that you have from elsewhere goes in by --source); \
         the last that was asked: {last}"
    )]
    NoSource {
        /// How many.
        count: usize,
        /// Why the last one has not, of those that were asked at all.
        last: Box<FetchError>,
    },
}

impl FetchError {
    pub(super) fn server(url: &str, reason: impl Into<String>) -> Self {
        Self::Server { url: url.to_owned(), reason: reason.into() }
    }

    pub(super) fn local(path: &Path, cause: io::Error) -> Self {
        Self::Local { path: path.to_owned(), cause }
    }

    /// Another source would not help.
    pub(super) fn is_at_home(&self) -> bool {
        matches!(self, Self::Local { .. } | Self::Busy(_) | Self::Shelf(_))
    }
}
