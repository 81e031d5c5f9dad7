//! Photos on their way in: read and decoded ahead of the painting, by several threads, delivered in order.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use anyhow::Context as _;
use crossbeam_channel::{Receiver, Sender};
use pixel::{DecodeError, Header};

use super::budget::{Budget, Share};
use crate::crash::caught;
use crate::photo_file::{self, Photo};
use crate::plan::Job;

/// Bytes that a decoded pixel takes, its alpha included.
const BYTES_A_PIXEL: u64 = 4;

/// The photos that are still to be decoded.
pub(super) struct Feed<'a> {
    jobs: &'a [Job],
    budget: &'a Budget,
    /// The next job. Whoever holds it reads the next file and waits for its room, so that room is given in order:
    /// the photo that is painted next never waits for one behind it.
    next: Mutex<usize>,
}

/// A photo that is ready, or why it is not.
pub(super) struct Decoded<'a> {
    pub(super) job: usize,
    pub(super) photo: anyhow::Result<Photo>,
    pub(super) seconds: f64,
    pub(super) share: Share<'a>,
}

/// A file that was read and may be decoded.
struct Taken<'a> {
    job: usize,
    bytes: Result<Vec<u8>, DecodeError>,
    reading_seconds: f64,
    share: Share<'a>,
}

impl<'a> Feed<'a> {
    pub(super) fn new(jobs: &'a [Job], budget: &'a Budget) -> Self {
        Self { jobs, budget, next: Mutex::new(0) }
    }

    /// Decodes one photo after the other until there are no more or nobody wants them.
    pub(super) fn decode_into(&self, photos: &Sender<Decoded<'a>>) {
        while let Some(Taken { job, bytes, reading_seconds, share }) = self.take() {
            let start = Instant::now();
            let photo = caught(|| Ok(photo_file::decode(&bytes?)?));
            let photo = photo.with_context(|| self.jobs[job].source.name().into_owned());
            let seconds = reading_seconds + start.elapsed().as_secs_f64();
            if photos.send(Decoded { job, photo, seconds, share }).is_err() {
                return;
            }
        }
    }

    fn take(&self) -> Option<Taken<'a>> {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let job = *next;
        if job == self.jobs.len() {
            return None;
        }
        let start = Instant::now();
        let bytes = photo_file::read(&self.jobs[job].source);
        let header = bytes.as_deref().ok().and_then(|bytes| caught(|| Ok(Header::of(bytes))).ok()?);
        let reading_seconds = start.elapsed().as_secs_f64();
        // What has no header fails when it is decoded, and takes no room.
        let pixels = header.map_or(0, |header| u64::from(header.width) * u64::from(header.height));
        let share = self.budget.take(pixels * BYTES_A_PIXEL)?;
        *next += 1;
        Some(Taken { job, bytes, reading_seconds, share })
    }
}

/// Photos in the order of their jobs; those that come early are kept until it is their turn. When it is dropped, the
/// threads that decode end.
pub(super) struct InOrder<'a> {
    budget: &'a Budget,
    photos: Receiver<Decoded<'a>>,
    early: BTreeMap<usize, Decoded<'a>>,
    next: usize,
}

impl<'a> InOrder<'a> {
    pub(super) fn new(feed: &Feed<'a>, photos: Receiver<Decoded<'a>>) -> Self {
        Self { budget: feed.budget, photos, early: BTreeMap::new(), next: 0 }
    }
}

impl Drop for InOrder<'_> {
    fn drop(&mut self) {
        // What lies in the channel keeps its room as long as there are senders, one of which may wait for that room.
        self.budget.close();
    }
}

impl<'a> Iterator for InOrder<'a> {
    type Item = Decoded<'a>;

    fn next(&mut self) -> Option<Decoded<'a>> {
        let photo = loop {
            if let Some(photo) = self.early.remove(&self.next) {
                break photo;
            }
            let photo = self.photos.recv().ok()?;
            self.early.insert(photo.job, photo);
        };
        self.next += 1;
        Some(photo)
    }
}

#[cfg(test)]
mod tests {
    use pixel::{Format, Picture};

    use super::*;
    use crate::plan::Source;

    /// Photos of very different sizes; every seventh is broken.
    fn jobs(folder: &tempfile::TempDir) -> Vec<Job> {
        let job = |number: u32| {
            let path = folder.path().join(format!("{number}.png"));
            if number % 7 == 3 {
                std::fs::write(&path, "no picture").unwrap();
            } else {
                let side = width_of(number as usize);
                let picture = Picture::from_rgb(side, side, vec![7; (side * side * 3) as usize]).unwrap();
                pixel::write_file(&picture, &path, Format::Png).unwrap();
            }
            Job { source: Source::File(path), outputs: Vec::new() }
        };
        (0..40).map(job).collect()
    }

    /// Later photos are smaller, so that they are ready early.
    fn width_of(job: usize) -> u32 {
        300 - 7 * job as u32
    }

    /// What `receive` makes of the photos that four threads decode.
    fn with_threads<'a, Found>(feed: &Feed<'a>, receive: impl FnOnce(InOrder<'a>) -> Found) -> Found {
        std::thread::scope(|scope| {
            let (decoded, photos) = crossbeam_channel::bounded(2);
            for _ in 0..4 {
                let decoded = decoded.clone();
                std::thread::Builder::new().spawn_scoped(scope, move || feed.decode_into(&decoded)).unwrap();
            }
            drop(decoded);
            receive(InOrder::new(feed, photos))
        })
    }

    #[test]
    fn photos_come_in_order_however_many_threads_decode_and_however_little_room_there_is() {
        let folder = tempfile::tempdir().unwrap();
        let jobs = jobs(&folder);
        for (pictures, bytes) in [(6, u64::MAX), (6, 200_000), (1, 0)] {
            let budget = Budget::new(pictures, bytes);
            let feed = Feed::new(&jobs, &budget);
            let found: Vec<(usize, Option<u32>)> = with_threads(&feed, |photos| {
                photos.map(|it| (it.job, it.photo.ok().map(|photo| photo.picture.width()))).collect()
            });
            let expected: Vec<_> =
                (0..jobs.len()).map(|job| (job, (job % 7 != 3).then(|| width_of(job)))).collect();
            assert_eq!(found, expected, "room for {pictures} pictures and {bytes} bytes");
        }
    }

    #[test]
    fn threads_end_when_nobody_wants_more() {
        let folder = tempfile::tempdir().unwrap();
        let jobs = jobs(&folder);
        for _ in 0..20 {
            let budget = Budget::new(3, 100_000);
            let feed = Feed::new(&jobs, &budget);
            let found = with_threads(&feed, |photos| photos.take(2).count());
            assert_eq!(found, 2, "and the threads were joined");
        }
    }
}
