//! Ctrl-C, and a request to terminate: a picture under way is finished, nothing new is begun.

use std::sync::atomic::{AtomicUsize, Ordering};

use common::exit_status::ExitStatus;
use common::interrupt::{self, Request};

pub(crate) use common::interrupt::is_requested;

/// What is still done for pictures.
pub(crate) const PICTURE_UNDER_WAY: &str = "finishing the picture under way";

/// Pictures that are being painted or written.
static UNDER_WAY: AtomicUsize = AtomicUsize::new(0);

/// From now on, the first Ctrl-C only makes [`is_requested`] true while a picture is under way, and ends the program at
/// once otherwise; the second ends it at once. `answer` says what is still done.
pub(crate) fn listen(answer: &'static str) -> anyhow::Result<()> {
    interrupt::listen(move |request| {
        if request == Request::Again || UNDER_WAY.load(Ordering::SeqCst) == 0 {
            film::end_all();
            ExitStatus::Interrupted.leave();
        }
        eprintln!("\n{answer}; press Ctrl-C again to leave at once");
    })?;
    Ok(())
}

/// As long as it lives, a picture is being painted or written.
pub(crate) struct UnderWay(());

impl UnderWay {
    pub(crate) fn begin() -> Self {
        UNDER_WAY.fetch_add(1, Ordering::SeqCst);
        Self(())
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        UNDER_WAY.fetch_sub(1, Ordering::SeqCst);
    }
}
