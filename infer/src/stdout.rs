//! What goes to stdout, which may be a pipe that nobody reads to the end.

use std::io::{ErrorKind, Write as _};

use anyhow::Context as _;

/// Writes `bytes`. A reader that has gone away (`| head`) is no error; a disk that is full is one.
pub(crate) fn write(bytes: &[u8]) -> anyhow::Result<()> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written.context("cannot write to stdout"),
    }
}
