//! Dividing work among threads by what it writes.
#![allow(unsafe_code)] // `DisjointSlice`: threads write parts of one slice that interleave

use std::marker::PhantomData;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Calls `work` once for each of `items` indices, on up to `threads` threads, of which the caller is one. Whoever is
/// free takes the next, so that a thread that the system holds up does not hold up the others.
pub(crate) fn for_each(threads: usize, items: usize, work: impl Fn(usize) + Sync) {
    for_each_with(threads, items, || (), |(), item| work(item));
}

/// [`for_each`], with a `state` of its own for each thread.
pub(crate) fn for_each_with<State>(
    threads: usize,
    items: usize,
    state: impl Fn() -> State + Sync,
    work: impl Fn(&mut State, usize) + Sync,
) {
    let next = AtomicUsize::new(0);
    #[cfg(test)]
    let forced = crate::simd::InstructionSet::forced();
    let take_items = || {
        #[cfg(test)]
        crate::simd::InstructionSet::force(forced);
        let mut state = state();
        loop {
            let item = next.fetch_add(1, Ordering::Relaxed);
            if item >= items {
                break;
            }
            work(&mut state, item);
        }
    };
    thread::scope(|scope| {
        for helper in 1..threads.min(items) {
            let spawned =
                thread::Builder::new().name(format!("kernel-{helper}")).spawn_scoped(scope, take_items);
            // Without a helper the work takes longer, and is done all the same.
            drop(spawned);
        }
        take_items();
    });
}

/// Calls `work(index, row)` for each of the rows of `row_values` that `values` consists of, on up to `threads` threads.
///
/// # Panics
/// If `values` are no whole rows.
pub fn for_each_row(
    values: &mut [f32],
    row_values: usize,
    threads: usize,
    work: impl Fn(usize, &mut [f32]) + Sync,
) {
    const ROWS: usize = 8;
    assert!(values.len().is_multiple_of(row_values), "rows of {row_values} values");
    for_each_part(values, ROWS * row_values, threads, |first, rows| {
        for (index, row) in rows.chunks_exact_mut(row_values).enumerate() {
            work(first / row_values + index, row);
        }
    });
}

/// Calls `work(first, part)` for each part of `part_values` values, or as many as are left at the end, of which `first` is
/// the place of the first, on up to `threads` threads.
pub(crate) fn for_each_part(
    values: &mut [f32],
    part_values: usize,
    threads: usize,
    work: impl Fn(usize, &mut [f32]) + Sync,
) {
    let length = values.len();
    let values = DisjointSlice::new(values);
    for_each(threads, length.div_ceil(part_values), |item| {
        let first = item * part_values;
        // SAFETY: each range is one item.
        let part = unsafe { values.part(first..length.min(first + part_values)) };
        work(first, part);
    });
}

/// A slice that several threads write to, each its own parts.
pub(crate) struct DisjointSlice<'a, T = f32> {
    start: *mut T,
    len: usize,
    borrowed: PhantomData<&'a mut [T]>,
}

// SAFETY: it is a `&mut [T]`, which may be sent, whose parts are given out under the contract of `part`.
unsafe impl<T: Send> Send for DisjointSlice<'_, T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for DisjointSlice<'_, T> {}

impl<'a, T> DisjointSlice<'a, T> {
    pub(crate) fn new(slice: &'a mut [T]) -> Self {
        Self { start: slice.as_mut_ptr(), len: slice.len(), borrowed: PhantomData }
    }

    /// The values of `range`, to be written.
    ///
    /// # Safety
    /// While the result lives, no other part that overlaps it may be asked for, on any thread.
    #[allow(clippy::mut_from_ref)] // the contract above stands in for the borrow checker
    #[inline(always)]
    pub(crate) unsafe fn part(&self, range: Range<usize>) -> &mut [T] {
        assert!(range.start <= range.end && range.end <= self.len, "{range:?} of {}", self.len);
        // SAFETY: within the slice, whose exclusive borrow lasts for 'a; not aliased, as the caller promises.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(range.start), range.len()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_item_is_done_once() {
        for (threads, items) in [(1, 5), (3, 100), (8, 2), (4, 0)] {
            let done: Vec<AtomicUsize> = (0..items).map(|_| AtomicUsize::new(0)).collect();
            for_each(threads, items, |item| _ = done[item].fetch_add(1, Ordering::Relaxed));
            assert!(done.iter().all(|count| count.load(Ordering::Relaxed) == 1));
        }
    }
}
