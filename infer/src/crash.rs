//! Panics of the libraries below: one picture fails by them, the others go on.

use std::panic::{AssertUnwindSafe, catch_unwind};

use anyhow::anyhow;
use common::memory;

/// Does `work` on one picture; a panic becomes its error.
pub(crate) fn caught<Done>(work: impl FnOnce() -> anyhow::Result<Done>) -> anyhow::Result<Done> {
    // Nothing is shared between two pictures that a panic could leave half done.
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let message = memory::panic_message(&*panic).unwrap_or("no message");
        Err(if memory::is_about_memory(message) {
            anyhow!("there is too little memory for a picture of this size")
        } else {
            anyhow!("the program has a bug: {}", message.lines().next().unwrap_or_default())
        })
    })
}

/// A lack of memory is reported as an error, for which the panic that brings the news is only noise.
pub(crate) fn keep_memory_panics_quiet() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !panic.payload_as_str().is_some_and(memory::is_about_memory) {
            usual(panic);
        }
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_one_pictures_error() {
        let message = caught::<()>(|| panic!("index out of bounds\nbacktrace")).unwrap_err().to_string();
        assert_eq!(message, "the program has a bug: index out of bounds");
        let message = caught::<()>(|| panic!("{}", "CUDA out of memory")).unwrap_err().to_string();
        assert!(message.contains("too little memory"), "{message}");
        assert_eq!(caught(|| Ok(7)).unwrap(), 7);
    }
}
