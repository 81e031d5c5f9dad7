//! How much may wait between two threads: so many pictures, and so many bytes of pixels.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Room for pictures that wait. A single picture always has room, however large it is.
pub(super) struct Budget {
    pictures: usize,
    bytes: u64,
    taken: Mutex<Taken>,
    freed: Condvar,
}

#[derive(Default)]
struct Taken {
    pictures: usize,
    bytes: u64,
    is_closed: bool,
}

/// Room taken for one picture, given back when dropped.
pub(super) struct Share<'budget> {
    budget: &'budget Budget,
    bytes: u64,
}

impl Budget {
    pub(super) fn new(pictures: usize, bytes: u64) -> Self {
        Self { pictures, bytes, taken: Mutex::default(), freed: Condvar::new() }
    }

    /// Waits until there is room for a picture of so many bytes. Whoever calls it must not hold up those that give room
    /// back. `None` once the budget is closed.
    pub(super) fn take(&self, bytes: u64) -> Option<Share<'_>> {
        let is_full = |taken: &mut Taken| {
            !taken.is_closed
                && taken.pictures > 0
                && (taken.pictures >= self.pictures || taken.bytes.saturating_add(bytes) > self.bytes)
        };
        let taken = self.freed.wait_while(self.lock(), is_full);
        let mut taken = taken.unwrap_or_else(PoisonError::into_inner);
        if taken.is_closed {
            return None;
        }
        taken.pictures += 1;
        taken.bytes = taken.bytes.saturating_add(bytes);
        Some(Share { budget: self, bytes })
    }

    /// Gives no more room, and nobody waits for any.
    pub(super) fn close(&self) {
        self.lock().is_closed = true;
        self.freed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        // Two numbers that are changed together cannot be left half done.
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        let mut taken = self.budget.lock();
        taken.pictures -= 1;
        taken.bytes = taken.bytes.saturating_sub(self.bytes);
        self.budget.freed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    #[test]
    fn a_single_picture_always_has_room() {
        let budget = Budget::new(2, 10);
        drop(budget.take(1000));
        let small = [budget.take(5), budget.take(5)];
        drop(small);
        drop(budget.take(u64::MAX));
        budget.close();
        assert!(budget.take(1).is_none());
    }

    #[test]
    fn many_threads_never_hold_more_than_there_is_room_for() {
        const ROOM: u64 = 100;
        let budget = Budget::new(3, ROOM);
        let (held, pictures) = (AtomicU64::new(0), AtomicU64::new(0));
        std::thread::scope(|scope| {
            for seed in 0..4 {
                let (budget, held, pictures) = (&budget, &held, &pictures);
                let work = move || {
                    for round in 0..200 {
                        let bytes = (seed * 37 + round * 13) % 60;
                        let share = budget.take(bytes);
                        let (bytes_held, pictures_held) = (
                            held.fetch_add(bytes, Ordering::SeqCst) + bytes,
                            pictures.fetch_add(1, Ordering::SeqCst) + 1,
                        );
                        assert!(bytes_held <= ROOM && pictures_held <= 3, "{bytes_held} in {pictures_held}");
                        std::thread::yield_now();
                        held.fetch_sub(bytes, Ordering::SeqCst);
                        pictures.fetch_sub(1, Ordering::SeqCst);
                        drop(share);
                    }
                };
                std::thread::Builder::new().spawn_scoped(scope, work).unwrap();
            }
        });
        assert_eq!(budget.lock().pictures, 0);
    }
}
