//! From a name to its file: sources in order, checked, converted, put in place.

use std::fs;
use std::path::Path;

use common::lossnet::LossNetShelf;

use super::http::Http;
use super::manifest::{Entry, Source, Weights, recognise};
use super::part::Part;
use super::pin::{Pin, sha256_of_file};
use super::placement::{Checked, Delivery, Installed};
use super::ranges::{self, Fetched};
use super::weights_file::{self, Found};
use super::{FetchError, FetchEvent, Watch, download};

/// What is to be fetched.
pub struct Order<'a> {
    /// The name.
    pub entry: &'a Entry,
    /// From where.
    pub origin: Origin<'a>,
    /// Take what cannot be checked, too.
    pub allow_unpinned: bool,
}

/// Where the weights come from.
pub enum Origin<'a> {
    /// The manifest's sources.
    Manifest,
    /// A file somewhere else.
    Url {
        /// Where.
        url: &'a str,
        /// Its sum, in lower case, if the user knows it.
        sha256: Option<&'a str>,
    },
    /// A file that is already here.
    File {
        /// Which.
        path: &'a Path,
        /// Its sum, in lower case, if the user knows it.
        sha256: Option<&'a str>,
    },
}

impl Order<'_> {
    /// Fetches and converts; a file of that name is replaced when the new one is whole.
    ///
    /// # Errors
    /// No source has worked, or the folder cannot be written. Nothing is left under the final name then; what was there
    /// before is untouched.
    pub fn run(
        &self,
        loss_nets: &LossNetShelf,
        http: &Http,
        watch: &mut Watch<'_>,
    ) -> Result<Installed, FetchError> {
        let folder = loss_nets.folder()?;
        fs::create_dir_all(folder).map_err(|cause| FetchError::local(folder, cause))?;
        match self.origin {
            Origin::File { path, sha256 } => self.take_file(path, sha256, folder, watch),
            Origin::Url { url, sha256 } => {
                let pin = sha256.map_or(Pin::Unpinned, Pin::Sha256);
                let source = Source { url, pin, bytes: None, weights: &self.weights_of_unknown_origin() };
                self.take_source(&source, /*named_by_user:*/ true, folder, http, watch)
            }
            Origin::Manifest => self.try_sources(folder, http, watch),
        }
    }

    fn try_sources(
        &self,
        folder: &Path,
        http: &Http,
        watch: &mut Watch<'_>,
    ) -> Result<Installed, FetchError> {
        let count = self.entry.sources.len();
        let mut last: Option<FetchError> = None;
        for (index, source) in self.entry.sources.iter().enumerate() {
            let error = match self.take_source(source, /*named_by_user:*/ false, folder, http, watch) {
                Err(error) if error.is_at_home() => return Err(error),
                Err(error) => error,
                installed => return installed,
            };
            if index + 1 < count {
                watch(FetchEvent::GivenUp(&error));
            }
            if last.is_none() || !matches!(error, FetchError::Unpinned(_)) {
                last = Some(error);
            }
        }
        let last = last.expect("an entry has at least one source");
        Err(if count == 1 { last } else { FetchError::NoSource { count, last: Box::new(last) } })
    }

    fn take_source(
        &self,
        source: &Source<'_>,
        named_by_user: bool,
        folder: &Path,
        http: &Http,
        watch: &mut Watch<'_>,
    ) -> Result<Installed, FetchError> {
        let &Source { url, pin, weights, .. } = source;
        let downloads = folder.join("downloads");
        let part_can_be_checked = weights.convolutions_sha256.is_some();
        // What the user gave the sum of is to be checked by it, and so fetched whole.
        let user_wants_whole = named_by_user && pin != Pin::Unpinned;
        if is_safetensors(url) && (part_can_be_checked || self.allow_unpinned) && !user_wants_whole {
            watch(FetchEvent::Asking { url, bytes: None });
            match ranges::convolutions(http, url, weights.arch, &downloads, watch)? {
                Some(Fetched { tensors, part }) => {
                    watch(FetchEvent::Converting);
                    let found = Found { tensors, input_space: None };
                    let checked = Checked::Not;
                    let delivery =
                        Delivery { found, weights, source_name: url, source_sha256: None, checked };
                    let installed = delivery.put(self.entry.name, folder);
                    // With a wrong sum, going on with these bytes would be of no use.
                    part.remove();
                    return installed;
                }
                None => watch(FetchEvent::NoRanges),
            }
        }
        if pin == Pin::Unpinned && !self.allow_unpinned && !named_by_user {
            return Err(FetchError::Unpinned(url.to_owned()));
        }

        let mut part = Part::open(&downloads, url, "")?;
        watch(FetchEvent::Asking { url, bytes: source.bytes });
        if let Err(error) = download::whole(http, url, &mut part, pin != Pin::Unpinned, watch) {
            if part.length() == 0 {
                part.remove();
            }
            return Err(error);
        }
        watch(FetchEvent::Converting);
        let installed = self.take_whole(part.path(), url, pin, weights, folder);
        match installed {
            // The user may know more about the file, and should not have to fetch it again. Neither should who makes
            // room on the disk.
            Err(FetchError::Unknown { .. } | FetchError::Local { .. }) => {}
            // What is wrong once stays wrong, and must not stand in the way of the next try.
            _ => part.remove(),
        }
        installed
    }

    fn take_file(
        &self,
        path: &Path,
        sha256: Option<&str>,
        folder: &Path,
        watch: &mut Watch<'_>,
    ) -> Result<Installed, FetchError> {
        watch(FetchEvent::Converting);
        let pin = sha256.map_or(Pin::Unpinned, Pin::Sha256);
        let shown = path.display().to_string();
        self.take_whole(path, &shown, pin, &self.weights_of_unknown_origin(), folder)
    }

    /// Checks and converts a file that is here.
    fn take_whole(
        &self,
        path: &Path,
        source_name: &str,
        pin: Pin<'_>,
        weights: &Weights,
        folder: &Path,
    ) -> Result<Installed, FetchError> {
        let sha256 = sha256_of_file(path).map_err(|cause| FetchError::local(path, cause))?;
        let (weights, checked) = self.judge(&sha256, pin, weights, source_name)?;
        let found = weights_file::read(path, weights.arch).map_err(|reason| FetchError::Content {
            name: self.entry.name,
            reason,
            source_name: source_name.to_owned(),
        })?;
        let source_sha256 = Some(sha256.as_str());
        Delivery { found, weights, source_name, source_sha256, checked }.put(self.entry.name, folder)
    }

    /// What the file is, and how that is known.
    fn judge<'w>(
        &self,
        sha256: &str,
        pin: Pin<'_>,
        weights: &'w Weights,
        source_name: &str,
    ) -> Result<(&'w Weights, Checked), FetchError> {
        if pin.fits(sha256) == Some(false) {
            return Err(FetchError::WrongSum {
                found: sha256.to_owned(),
                expected: pin.to_string(),
                source_name: source_name.to_owned(),
            });
        }
        // A file that is known is what it is, whatever it was asked for as.
        let known = recognise(weights.arch, sha256);
        let weights = known.map_or(weights, |known| known.weights);
        let is_the_users = matches!(self.origin, Origin::File { .. });
        match (pin, known.map(|known| known.pin)) {
            (Pin::Sha256(_), _) | (_, Some(Pin::Sha256(_))) => Ok((weights, Checked::BySum)),
            (Pin::Sha256Prefix(_), _) | (_, Some(Pin::Sha256Prefix(_))) => {
                Ok((weights, Checked::ByFirstDigits))
            }
            _ if self.allow_unpinned || is_the_users => Ok((weights, Checked::Not)),
            _ => Err(FetchError::Unknown { found: sha256.to_owned(), url: source_name.to_owned() }),
        }
    }

    /// What is assumed of a file of which only the user knows what it is: that it wants to see what the name's own
    /// weights do, unless it says otherwise.
    fn weights_of_unknown_origin(&self) -> Weights {
        let Weights { arch, trained_in, .. } = *self.entry.sources[0].weights;
        Weights {
            title: "your own",
            arch,
            trained_in,
            licence: "not known",
            credit: "not known",
            convolutions_sha256: None,
        }
    }
}

fn is_safetensors(url: &str) -> bool {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    Path::new(path).extension().is_some_and(|suffix| suffix == "safetensors")
}
