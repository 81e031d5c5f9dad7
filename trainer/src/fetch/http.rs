//! One request, and what its failure means for the next. Proxies are those of the environment (`ALL_PROXY`,
//! `HTTPS_PROXY`, `HTTP_PROXY`, except for hosts in `NO_PROXY`), which ureq looks up.

use std::thread;
use std::time::Duration;

use ureq::http::{Response, StatusCode, header};
use ureq::{Agent, Body, Proxy};

use super::{FetchError, FetchEvent, Watch};

/// How long to wait for what.
#[derive(Clone, Copy)]
pub struct Patience {
    /// For a connection.
    pub connect: Duration,
    /// For the next bytes: a silent connection is a broken one, a slow one may take the time it takes.
    pub silence: Duration,
    /// Before the second try; doubled for each further one.
    pub pause: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            silence: Duration::from_secs(30),
            pause: Duration::from_secs(1),
        }
    }
}

/// Tries in a row that bring nothing before a source is given up.
const TRIES: u32 = 4;

/// Fetches over HTTP.
pub struct Http {
    agent: Agent,
    patience: Patience,
}

/// Why a try has ended before everything was there.
pub(super) enum Setback {
    /// Asking again would not help.
    Final(FetchError),
    /// No server was reached, or it hung up without a word. Before any other answer this is final too: an unreachable
    /// host must cost seconds only, since there is another source to try.
    NoAnswer(FetchError),
    /// The connection broke or the server has trouble.
    Passing { error: FetchError, progress: bool },
}

impl Setback {
    pub(super) fn passing(url: &str, reason: impl Into<String>) -> Self {
        Self::Passing { error: FetchError::server(url, reason), progress: false }
    }
}

impl From<FetchError> for Setback {
    fn from(error: FetchError) -> Self {
        Self::Final(error)
    }
}

/// Which bytes of a file.
#[derive(Clone, Copy)]
pub(super) enum Asked {
    All,
    From(u64),
    /// The end is exclusive.
    Between(u64, u64),
}

impl Http {
    /// With the proxy of the environment.
    pub fn new(patience: Patience) -> Self {
        Self { agent: builder(patience).build().new_agent(), patience }
    }

    /// Past any proxy.
    pub fn direct(patience: Patience) -> Self {
        Self { agent: builder(patience).proxy(None).build().new_agent(), patience }
    }

    /// The answer is 200, 206 or 416. With a `validator` (an ETag or a date) a range is only given of the file that it
    /// belongs to, else the whole file.
    pub(super) fn get(
        &self,
        url: &str,
        asked: Asked,
        validator: Option<&str>,
    ) -> Result<Response<Body>, Setback> {
        // Compressed in transit, the file could not be continued by counting its bytes.
        let mut request = self.agent.get(url).header(header::ACCEPT_ENCODING, "identity");
        let range = match asked {
            Asked::All => None,
            Asked::From(start) => Some(format!("bytes={start}-")),
            Asked::Between(start, end) => Some(format!("bytes={start}-{}", end - 1)),
        };
        if let Some(range) = range {
            request = request.header(header::RANGE, range);
            if let Some(validator) = validator {
                request = request.header(header::IF_RANGE, validator);
            }
        }
        let response = request.call().map_err(|error| {
            let reason = self.told(&error) + &self.proxy_of(url);
            Setback::NoAnswer(FetchError::server(url, reason))
        })?;
        match response.status() {
            StatusCode::OK | StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE => Ok(response),
            status @ (StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS) => {
                Err(Setback::passing(url, format!("the server answers {status}")))
            }
            status if status.is_server_error() => {
                Err(Setback::passing(url, format!("the server answers {status}")))
            }
            status => Err(FetchError::server(url, format!("the server answers {status}")).into()),
        }
    }

    /// Tries until it works or is hopeless.
    pub(super) fn persist<T>(
        &self,
        watch: &mut Watch<'_>,
        mut attempt: impl FnMut(&mut Watch<'_>) -> Result<T, Setback>,
    ) -> Result<T, FetchError> {
        let (mut reached, mut failures) = (false, 0);
        loop {
            let error = match attempt(watch) {
                Ok(done) => return Ok(done),
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
            if failures >= TRIES {
                return Err(match error {
                    FetchError::Server { url, reason } => FetchError::Server {
                        url,
                        reason: format!("given up after {failures} tries: {reason}"),
                    },
                    other => other,
                });
            }
            watch(FetchEvent::Retrying(&error));
            thread::sleep(self.patience.pause * (1 << (failures - 1)));
        }
    }

    /// A failure to reach a proxy reads like one to reach the server, unless it is said.
    fn proxy_of(&self, url: &str) -> String {
        let proxy = self.agent.config().proxy();
        let is_used = |proxy: &&Proxy| url.parse().is_ok_and(|url| !proxy.is_no_proxy(&url));
        proxy.filter(is_used).map_or(String::new(), |proxy| {
            format!(" (through the proxy {}:{} of the environment)", proxy.host(), proxy.port())
        })
    }

    /// An error in words; ureq calls a silent server a timeout and no more.
    pub(super) fn told(&self, error: &ureq::Error) -> String {
        match error {
            ureq::Error::Timeout(ureq::Timeout::Connect) => {
                format!("no connection within {} s", self.patience.connect.as_secs_f32())
            }
            ureq::Error::Timeout(_) => {
                format!("nothing came for {} s", self.patience.silence.as_secs_f32())
            }
            other => other.to_string(),
        }
    }
}

fn builder(patience: Patience) -> ureq::config::ConfigBuilder<ureq::typestate::AgentScope> {
    Agent::config_builder()
        .http_status_as_error(false)
        .timeout_resolve(Some(patience.connect))
        .timeout_connect(Some(patience.connect))
        .timeout_per_read(Some(patience.silence))
        .user_agent(concat!("atelier/", env!("CARGO_PKG_VERSION")))
}

/// What says that it is still the same file: a strong ETag, else the date of its last change.
pub(super) fn validator_of(response: &Response<Body>) -> Option<String> {
    let text = |name| response.headers().get(name)?.to_str().ok();
    text(header::ETAG)
        .filter(|etag| !etag.starts_with("W/"))
        .or_else(|| text(header::LAST_MODIFIED))
        .map(str::to_owned)
}

/// The first byte and the whole size in a `Content-Range`: `bytes 5-9/10`, or `bytes */10`.
pub(super) fn content_range(response: &Response<Body>) -> (Option<u64>, Option<u64>) {
    let read = || {
        let range = response.headers().get(header::CONTENT_RANGE)?.to_str().ok()?;
        let (span, total) = range.strip_prefix("bytes ")?.split_once('/')?;
        Some((span.split('-').next()?.parse().ok(), total.parse().ok()))
    };
    read().unwrap_or_default()
}
