//! A file over HTTP that may take several tries: each continues where the last one stopped.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Error, Result, anyhow, ensure};
use ureq::http::{Response, StatusCode, header};
use ureq::{Agent, Body};

use super::{digest, progress};

pub(super) struct Downloader {
    agent: Agent,
    /// Tries in a row that bring nothing before it is given up.
    patience: u32,
    /// Before the second try; doubled for each further one.
    pause: Duration,
}

impl Default for Downloader {
    fn default() -> Self {
        Self::new(Duration::from_secs(1))
    }
}

/// Why a try has ended before the file was whole.
enum Setback {
    /// Asking again would not help.
    Final(Error),
    /// No server was reached, or it hung up without a word. Before any other answer this is final too: an
    /// unreachable host must cost seconds only, since there is another source to try.
    NoAnswer(Error),
    /// The connection broke or the server has trouble.
    Passing { error: Error, progress: bool },
}

impl Downloader {
    fn new(pause: Duration) -> Self {
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            // Short, for the same reason that makes `Setback::NoAnswer` final.
            .timeout_resolve(Some(Duration::from_secs(5)))
            .timeout_connect(Some(Duration::from_secs(5)))
            // A silent connection is a broken one; a slow one may take the time it takes.
            .timeout_per_read(Some(Duration::from_secs(30)))
            .build()
            .new_agent();
        Self { agent, patience: 4, pause }
    }

    /// Returns the sha256 of the file, which is the expected one where one is given. Until it is whole the file is
    /// called `<path>.part`; a file that already bears its final name is only checked.
    pub(super) fn fetch(&self, url: &str, path: &Path, expected: Option<&str>) -> Result<String> {
        if path.exists() {
            match checked(path, expected) {
                Ok(sha256) => return Ok(sha256),
                Err(why) => eprintln!("libtorch: fetching it again: {why:#}"),
            }
        }
        let part = with_suffix(path, ".part");
        self.complete(url, &part).with_context(|| format!("fetching {url}"))?;
        let sha256 = checked(&part, expected)?;
        fs::rename(&part, path).with_context(|| format!("renaming {}", part.display()))?;
        Ok(sha256)
    }

    /// Tries until the file is whole.
    fn complete(&self, url: &str, part: &Path) -> Result<()> {
        let (mut reached, mut failures) = (false, 0);
        loop {
            let error = match self.attempt(url, part) {
                Ok(()) => return Ok(()),
                Err(Setback::Final(error)) => return Err(error),
                Err(Setback::NoAnswer(error)) if !reached => return Err(error),
                Err(Setback::NoAnswer(error)) => {
                    failures += 1;
                    error
                }
                Err(Setback::Passing { error, progress }) => {
                    reached = true;
                    failures = if progress { 1 } else { failures + 1 };
                    error
                }
            };
            if failures >= self.patience {
                return Err(error.context(format!("given up after {failures} tries")));
            }
            thread::sleep(self.pause * (1 << (failures - 1)));
        }
    }

    fn attempt(&self, url: &str, part: &Path) -> Result<(), Setback> {
        let have = fs::metadata(part).map_or(0, |metadata| metadata.len());
        // Compressed in transit, the file could not be continued by counting its bytes.
        let mut request = self.agent.get(url).header(header::ACCEPT_ENCODING, "identity");
        if have > 0 {
            request = request.header(header::RANGE, format!("bytes={have}-"));
        }
        let response = request.call().map_err(|error| Setback::NoAnswer(error.into()))?;

        match response.status() {
            StatusCode::OK => receive(response, part, 0, /*continued:*/ have == 0),
            StatusCode::PARTIAL_CONTENT if content_range(&response).0 == Some(have) => {
                receive(response, part, have, /*continued:*/ true)
            }
            StatusCode::RANGE_NOT_SATISFIABLE if content_range(&response).1 == Some(have) => Ok(()),
            StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE => {
                // What lies here is not the beginning of that file.
                fs::remove_file(part).map_err(|error| Setback::Final(error.into()))?;
                let error = anyhow!("the server cannot continue the file");
                Err(Setback::Passing { error, progress: false })
            }
            status @ (StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS) => {
                Err(Setback::Passing { error: anyhow!("the server answers {status}"), progress: false })
            }
            status if status.is_server_error() => {
                Err(Setback::Passing { error: anyhow!("the server answers {status}"), progress: false })
            }
            status => Err(Setback::Final(anyhow!("the server answers {status}"))),
        }
    }
}

/// Writes the body from the given offset on. `continued` is false where bytes that were there come once more: a
/// server that always begins anew must not count as making progress, or there would be no end.
fn receive(response: Response<Body>, part: &Path, offset: u64, continued: bool) -> Result<(), Setback> {
    let open = || -> io::Result<File> {
        let file = File::options().create(true).append(true).open(part)?;
        file.set_len(offset)?;
        Ok(file)
    };
    let mut file = open().with_context(|| format!("opening {}", part.display())).map_err(Setback::Final)?;
    let body = response.into_body();
    let total = body.content_length().map(|length| offset + length);
    let bar = progress::of_bytes("fetching", total);
    bar.set_position(offset);
    let copied = io::copy(&mut body.into_reader(), &mut bar.wrap_write(&mut file));
    bar.finish_and_clear();

    let have = fs::metadata(part).map_or(0, |metadata| metadata.len());
    let whole = copied.context("the connection broke").and_then(|_| {
        ensure!(total.is_none_or(|total| total == have), "the connection ended at {have} bytes");
        file.sync_all().context("writing to disk")
    });
    whole.map_err(|error| Setback::Passing { error, progress: continued && have > offset })
}

/// The first byte and the whole size in a `Content-Range`: `bytes 5-9/10`, or `bytes */10`.
fn content_range(response: &Response<Body>) -> (Option<u64>, Option<u64>) {
    let read = || {
        let range = response.headers().get(header::CONTENT_RANGE)?.to_str().ok()?;
        let (span, total) = range.strip_prefix("bytes ")?.split_once('/')?;
        Some((span.split('-').next()?.parse().ok(), total.parse().ok()))
    };
    read().unwrap_or_default()
}

fn checked(path: &Path, expected: Option<&str>) -> Result<String> {
    match expected {
        Some(expected) => digest::verify(path, expected).map(|()| expected.to_owned()),
        None => digest::sha256(path),
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

#[cfg(test)]
pub(super) mod tests;
