//! Memory of threads, kept for the next picture: fresh pages would cost more than small convolutions take.

use std::sync::{Mutex, PoisonError};

use crate::simd::Line;

/// A thread's memory.
#[derive(Default)]
pub(super) struct Scratch {
    /// What is read, made ready.
    pub(super) inputs: Vec<Line>,
    /// Sums of products.
    pub(super) sums: Vec<Line>,
}

static POOL: Mutex<Vec<Scratch>> = Mutex::new(Vec::new());

/// Some of the pool's memory, given back at the end.
pub(super) struct Pooled(pub(super) Scratch);

impl Pooled {
    pub(super) fn take() -> Self {
        Self(POOL.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default())
    }
}

impl Drop for Pooled {
    fn drop(&mut self) {
        let scratch = std::mem::take(&mut self.0);
        POOL.lock().unwrap_or_else(PoisonError::into_inner).push(scratch);
    }
}

/// At least `lines` of memory; what was in it stays.
pub(super) fn at_least(memory: &mut Vec<Line>, lines: usize) -> &mut [Line] {
    if memory.len() < lines {
        memory.resize(lines, Line::ZERO);
    }
    &mut memory[..lines]
}
