//! Times what is compared in turns, so that a busy machine is unjust to nobody.
//!
//! Arguments: how many rounds, of which the best counts; how many threads; and `keep`, to keep freed memory
//! (`common::fast::keep_freed_memory`).

use std::time::Instant;

pub(crate) struct Options {
    pub(crate) rounds: usize,
    pub(crate) threads: usize,
}

impl Options {
    /// From the command line, and set.
    pub(crate) fn from_arguments() -> Self {
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        let number = |place: usize| arguments.get(place).and_then(|argument| argument.parse().ok());
        if let Some(threads) = number(1) {
            tch::set_num_threads(threads);
        }
        if arguments.iter().any(|argument| argument == "keep") {
            common::fast::keep_freed_memory();
        }
        Self { rounds: number(0).unwrap_or(5) as usize, threads: tch::get_num_threads() as usize }
    }
}

/// The best time of each in so many rounds.
pub(crate) fn in_turns<const N: usize>(rounds: usize, threads: usize, works: [&dyn Fn(); N]) -> [f64; N] {
    let mut best_ms = [f64::INFINITY; N];
    for _ in 0..rounds {
        for (best_ms, work) in best_ms.iter_mut().zip(works) {
            *best_ms = best_ms.min(time_ms(threads, work));
        }
    }
    best_ms
}

/// By the clock; of one thread, what the processor spent on it, where the system says so: then it matters little what
/// else the machine does.
pub(crate) fn time_ms(threads: usize, work: impl FnOnce()) -> f64 {
    let processor_ns = || -> Option<f64> {
        std::thread::yield_now(); // brings the count up to date
        let counts = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
        counts.split(' ').next()?.parse().ok()
    };
    let (clock, before) = (Instant::now(), processor_ns());
    work();
    match (threads, before, processor_ns()) {
        (1, Some(before), Some(after)) => (after - before) * 1e-6,
        _ => clock.elapsed().as_secs_f64() * 1e3,
    }
}
