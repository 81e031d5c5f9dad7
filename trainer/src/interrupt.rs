//! Ctrl-C, and a request to terminate: the first asks the training to stop and save, the second ends the program.

use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context as _;
use common::exit_status::ExitStatus;

static REQUESTED: AtomicBool = AtomicBool::new(false);

/// From now on, the first Ctrl-C only makes [`is_requested`] true, and the second ends the program at once.
pub(crate) fn listen() -> anyhow::Result<()> {
    ctrlc::set_handler(|| {
        if REQUESTED.swap(true, Ordering::SeqCst) {
            std::process::exit(i32::from(ExitStatus::Interrupted.code()));
        }
        eprintln!("\nstopping after this step and saving; press Ctrl-C again to leave at once");
    })
    .context("cannot listen for Ctrl-C")
}

/// Whether the user wants the training to stop.
pub(crate) fn is_requested() -> bool {
    REQUESTED.load(Ordering::SeqCst)
}
