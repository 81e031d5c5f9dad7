//! Ctrl-C, and a request to terminate: the first one asks, the second one insists.

use std::sync::atomic::{AtomicBool, Ordering};

static REQUESTED: AtomicBool = AtomicBool::new(false);

/// How often the user has asked for the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// For the first time: what is under way may be finished.
    First,
    /// Once more: nothing may be waited for.
    Again,
}

/// Nobody can listen for Ctrl-C.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen for Ctrl-C: {0}")]
pub struct ListenError(ctrlc::Error);

/// From now on Ctrl-C does not end the program: it makes [`is_requested`] true and calls `heard`, on a thread of its own.
/// Saying something and ending the program are `heard`'s business.
///
/// # Errors
/// The system refuses, or someone listens already.
pub fn listen(mut heard: impl FnMut(Request) + Send + 'static) -> Result<(), ListenError> {
    ctrlc::set_handler(move || {
        let is_repeated = REQUESTED.swap(true, Ordering::SeqCst);
        heard(if is_repeated { Request::Again } else { Request::First });
    })
    .map_err(ListenError)
}

/// Whether the user wants the program to end.
pub fn is_requested() -> bool {
    REQUESTED.load(Ordering::SeqCst)
}
