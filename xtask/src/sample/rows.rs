//! Work on the rows of an image, spread over the processor's cores. Each row is computed by itself, so the
//! result does not depend on how many cores there are.

use std::sync::Mutex;
use std::thread;

/// Calls `work(row, line)` for each line of `width` items.
pub(super) fn for_each<T: Send>(items: &mut [T], width: usize, work: impl Fn(usize, &mut [T]) + Sync) {
    let workers = thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let lines = Mutex::new(items.chunks_mut(width).enumerate());
    let next = || lines.lock().ok().and_then(|mut lines| lines.next());
    let drain = || {
        while let Some((row, line)) = next() {
            work(row, line);
        }
    };
    thread::scope(|scope| {
        for _ in 1..workers {
            // Without another thread this one does all the work.
            let _ = thread::Builder::new().name("rows".into()).spawn_scoped(scope, drain);
        }
        drain();
    });
}
