//! Running out of memory is reported as an error, for which the panic that brings the news is only noise.

/// From now on, panics about memory say nothing by themselves.
pub(super) fn keep_memory_panics_quiet() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !panic.payload_as_str().is_some_and(common::memory::is_about_memory) {
            usual(panic);
        }
    }));
}
