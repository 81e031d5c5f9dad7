//! From an address into a [`Part`], in as many tries as it takes, each of which goes on where the last one stopped.

use std::io::Read as _;
use std::ops::Range;

use ureq::Body;
use ureq::http::{Response, StatusCode};

use super::http::{Asked, Http, Setback, content_range, validator_of};
use super::part::{Part, State};
use super::{FetchError, FetchEvent, Watch};

/// No weights of a VGG network are larger; who sends more sends something else.
const LARGEST_FILE: u64 = 2_000_000_000;

/// Fetches the whole file. `is_pinned`: its sum will be checked, so that bytes of which nothing says that they are of the
/// same file may be put together.
pub(super) fn whole(
    http: &Http,
    url: &str,
    part: &mut Part,
    is_pinned: bool,
    watch: &mut Watch<'_>,
) -> Result<(), FetchError> {
    http.persist(watch, |watch| {
        let blank = State { url: url.to_owned(), ..State::default() };
        if part.length() > 0 && part.state().validator.is_none() && !is_pinned {
            part.restart(blank.clone())?;
        }
        let have = part.length();
        let asked = if have > 0 { Asked::From(have) } else { Asked::All };
        let response = http.get(url, asked, part.state().validator.as_deref())?;
        let (start, total) = content_range(&response);
        let fits = part.state().total.is_none_or(|known| total == Some(known));
        match response.status() {
            StatusCode::OK => {
                let total = response.body().content_length();
                part.restart(State { validator: validator_of(&response), total, ..blank })?;
                receive(http, url, response, part, total, /*continued:*/ have == 0, watch)
            }
            StatusCode::PARTIAL_CONTENT if have > 0 && start == Some(have) && fits => {
                receive(http, url, response, part, total, /*continued:*/ true, watch)
            }
            StatusCode::RANGE_NOT_SATISFIABLE if have > 0 && total == Some(have) => Ok(()),
            _ => {
                // What lies here is not the beginning of that file.
                part.restart(blank)?;
                Err(Setback::passing(url, "the server cannot continue the file"))
            }
        }
    })
}

/// Fetches these bytes of the file, of which the part is to hold nothing else. Its state says which file.
pub(super) fn spans(
    http: &Http,
    url: &str,
    part: &mut Part,
    state: &State,
    watch: &mut Watch<'_>,
) -> Result<(), FetchError> {
    if part.state() != state || state.validator.is_none() {
        part.restart(state.clone())?;
    }
    let spans = state.spans.as_deref().unwrap_or_default();
    let wanted: u64 = spans.iter().map(|span| span.end - span.start).sum();
    http.persist(watch, |watch| {
        while let Some(rest) = next_span(spans, part.length()) {
            let asked = Asked::Between(rest.start, rest.end);
            let response = http.get(url, asked, state.validator.as_deref())?;
            let (start, total) = content_range(&response);
            let is_asked = start == Some(rest.start) && total == state.total;
            if response.status() != StatusCode::PARTIAL_CONTENT || !is_asked {
                part.restart(state.clone())?;
                return Err(FetchError::server(url, "the file has changed while it was being fetched").into());
            }
            let until = part.length() + (rest.end - rest.start);
            let mut shown = |event: FetchEvent<'_>| match event {
                FetchEvent::Receiving { have, .. } => {
                    watch(FetchEvent::Receiving { have, total: Some(wanted) });
                }
                other => watch(other),
            };
            receive(http, url, response, part, Some(until), /*continued:*/ true, &mut shown)?;
        }
        Ok(())
    })
}

/// What of the server's file comes next where `have` bytes of the spans are here.
fn next_span(spans: &[Range<u64>], mut have: u64) -> Option<Range<u64>> {
    for span in spans {
        let length = span.end - span.start;
        if have < length {
            return Some(span.start + have..span.end);
        }
        have -= length;
    }
    None
}

/// Appends the body, after which the part should hold `until` bytes. `continued` is false where bytes that were there
/// come once more: a server that always begins anew must not count as making progress, or there would be no end.
fn receive(
    http: &Http,
    url: &str,
    response: Response<Body>,
    part: &mut Part,
    until: Option<u64>,
    continued: bool,
    watch: &mut Watch<'_>,
) -> Result<(), Setback> {
    let too_large = || FetchError::server(url, "far larger than the weights of a VGG network");
    if until.is_some_and(|until| until > LARGEST_FILE) {
        return Err(too_large().into());
    }
    let before = part.length();
    let mut body = response.into_body().into_reader();
    let mut buffer = vec![0; 1 << 16];
    let broken = loop {
        watch(FetchEvent::Receiving { have: part.length(), total: until });
        match body.read(&mut buffer) {
            Ok(0) => break None,
            Ok(read) if part.length() + read as u64 > until.unwrap_or(LARGEST_FILE) => {
                return Err(too_large().into());
            }
            Ok(read) => part.append(&buffer[..read])?,
            Err(error) => break Some(http.told(&ureq::Error::from(error))),
        }
    };
    let have = part.length();
    let missing = until.is_some_and(|until| until > have);
    match broken {
        None if !missing => Ok(()),
        reason => {
            let reason = reason.unwrap_or_else(|| "the server hung up".to_owned());
            let error = FetchError::server(url, format!("the connection broke at {have} bytes: {reason}"));
            Err(Setback::Passing { error, progress: continued && have > before })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_gone_through_in_order() {
        let spans = [10..14, 20..21, 30..40];
        let next = |have| next_span(&spans, have);
        assert_eq!(next(0), Some(10..14));
        assert_eq!(next(3), Some(13..14));
        assert_eq!(next(4), Some(20..21));
        assert_eq!(next(5), Some(30..40));
        assert_eq!(next(14), Some(39..40));
        assert_eq!(next(15), None);
    }
}
