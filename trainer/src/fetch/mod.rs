//! `trainer fetch`: the weights of a loss network, from somewhere in the world into the user's cache folder.
//!
//! **What is trusted.** Weights are taken when the file's sha256 is the one in the [manifest](MANIFEST), where only its
//! first digits are known (they are in the file's name) when it begins with them, or when it is the one that the user
//! gives. Of a safetensors file the convolutions alone are fetched where the server gives ranges; the sum of the whole
//! file says nothing about a part, so that this part counts as checked only by a sum of its own. What cannot be checked
//! is taken only if the user allows it. A file on the user's own disk is the user's.
//!
//! **What is kept.** Parts collect in `downloads` within the folder of loss networks, so that an interrupted download goes
//! on; the loss network appears under its name at once and whole, and the download is removed.
//!
//! `xtask` has a downloader of its own. It builds without libtorch, prints, and always has whole, pinned files; this one
//! is a library that reports, must tell a changed file from the same (ETag), and fetches parts.

mod download;
mod error;
mod http;
mod install;
mod manifest;
mod part;
mod pin;
mod placement;
mod ranges;
mod weights_file;

pub use error::FetchError;
pub use http::{Http, Patience};
pub use install::{Order, Origin};
pub use manifest::{Entry, MANIFEST, Source, TrainedIn, Weights, entry};
pub use pin::Pin;
pub use placement::{Checked, Installed, convolutions_sha256, installed};

/// What happens during a fetch.
#[derive(Debug)]
pub enum FetchEvent<'a> {
    /// A source is asked.
    Asking {
        /// Where.
        url: &'a str,
        /// How large the file is, where that is known.
        bytes: Option<u64>,
    },
    /// Bytes have come.
    Receiving {
        /// As many.
        have: u64,
        /// Of so many.
        total: Option<u64>,
    },
    /// The connection broke; it is tried again after a pause.
    Retrying(&'a FetchError),
    /// The server does not give ranges, so that the file is fetched whole.
    NoRanges,
    /// All bytes are here, and are being checked and converted.
    Converting,
    /// A source has not worked, and the next is asked.
    GivenUp(&'a FetchError),
}

/// Who is told of it.
pub type Watch<'a> = dyn FnMut(FetchEvent<'_>) + 'a;
