//! Ctrl-C, and a request to terminate: the first asks the training to stop and save, the second ends the program.

use common::exit_status::ExitStatus;
use common::interrupt::{self, Request};

pub(crate) use common::interrupt::is_requested;

/// From now on, the first Ctrl-C only makes [`is_requested`] true, and the second ends the program at once.
pub(crate) fn listen() -> anyhow::Result<()> {
    listen_saying("stopping after this step and saving; press Ctrl-C again to leave at once")
}

/// The same with other words for the first one.
pub(crate) fn listen_saying(words: &'static str) -> anyhow::Result<()> {
    interrupt::listen(move |request| match request {
        Request::First => eprintln!("\n{words}"),
        Request::Again => std::process::exit(i32::from(ExitStatus::Interrupted.code())),
    })?;
    Ok(())
}
