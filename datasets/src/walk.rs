//! [`Walk`]: the usable photos of a folder in the order of the schedule, decoded ahead.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use crate::crop::CropPlan;
use crate::folder::PhotoFolder;
use crate::order::StreamPosition;
use crate::schedule::{PlannedCrop, Schedule};
use crate::skip::{KnownSkip, SkipList, SkippedPhoto};
use crate::stream::{StreamConfig, StreamError};
use crate::workers::{Load, Workers};

/// An endless walk from position to position, past the photos that cannot be used. The threads that decode for it
/// end when it is dropped.
pub(crate) struct Walk<Loaded> {
    folder: Arc<PhotoFolder>,
    schedule: Schedule,
    workers: Workers<CropPlan, Loaded>,
    /// Photos between here and the one being decoded: ready, under way or queued, in order.
    ahead: VecDeque<Ahead>,
    /// How long `ahead` may become.
    window: usize,
    /// The place of the photo to be queued next.
    queue_at: StreamPosition,
    /// The place behind the last photo that came.
    position: StreamPosition,
    skipped: SkipList,
    /// Photos that are not decoded any more.
    kept: BTreeSet<usize>,
}

/// A photo on its way.
struct Ahead {
    position: StreamPosition,
    planned: PlannedCrop,
    state: State,
}

enum State {
    Decoding,
    /// Whoever walks has it already.
    Kept,
    /// Known not to be usable.
    Skipped,
}

impl<Loaded: Send + 'static> Walk<Loaded> {
    /// Starts decoding at `config.start`, without the photos that are known to be unusable.
    pub(crate) fn start(
        folder: Arc<PhotoFolder>,
        config: &StreamConfig,
        known: &[KnownSkip],
        load: &Arc<Load<CropPlan, Loaded>>,
    ) -> Result<Self, StreamError> {
        let StreamConfig { crop, batch, decode_threads, start, .. } = *config;
        StreamError::if_zero(&[
            ("crop", crop as usize),
            ("batch", batch),
            ("decode_threads", decode_threads),
        ])?;
        if start.index >= folder.len() as u64 {
            return Err(StreamError::StartBeyondEnd {
                index: start.index,
                len: folder.len(),
                root: folder.root().to_owned(),
            });
        }
        // One batch being used up while the next is being decoded, and no thread idle in between.
        let window = 2 * batch + decode_threads;
        let mut walk = Self {
            schedule: Schedule::new(config, folder.len()),
            workers: Workers::start(decode_threads, window, load)?,
            skipped: SkipList::new(Arc::clone(&folder), known),
            folder,
            ahead: VecDeque::with_capacity(window),
            window,
            queue_at: start,
            position: start,
            kept: BTreeSet::new(),
        };
        walk.queue_ahead()?;
        Ok(walk)
    }

    /// The next usable photo, loaded unless it is [kept](Self::keep); blocks until it is decoded.
    pub(crate) fn next(&mut self) -> Result<(PlannedCrop, Option<Loaded>), StreamError> {
        loop {
            self.skipped.check_some_left()?;
            self.queue_ahead()?;
            let Some(next) = self.ahead.pop_front() else { return Err(StreamError::ThreadsEnded) };
            let loaded = match next.state {
                State::Skipped => continue,
                State::Kept => None,
                State::Decoding => match self.workers.next_in_order()? {
                    Ok(loaded) => Some(loaded),
                    Err(reason) => {
                        self.skipped.add(next.planned.photo as u32, reason);
                        continue;
                    }
                },
            };
            self.position = self.schedule.after(next.position);
            return Ok((next.planned, loaded));
        }
    }

    /// From now on this photo comes without being loaded, but for where it is being decoded already.
    pub(crate) fn keep(&mut self, photo: usize) {
        self.kept.insert(photo);
    }

    pub(crate) fn folder(&self) -> &Arc<PhotoFolder> {
        &self.folder
    }

    pub(crate) const fn position(&self) -> StreamPosition {
        self.position
    }

    pub(crate) fn skipped_count(&self) -> usize {
        self.skipped.len()
    }

    pub(crate) fn skipped(&self) -> Vec<SkippedPhoto> {
        self.skipped.photos().collect()
    }

    pub(crate) fn known_skips(&self) -> Vec<KnownSkip> {
        self.skipped.known()
    }

    /// Keeps the window full. Never blocks: the queues hold as much as the window.
    fn queue_ahead(&mut self) -> Result<(), StreamError> {
        while self.ahead.len() < self.window {
            let position = self.queue_at;
            let planned = self.schedule.at(position);
            let state = if self.skipped.contains(planned.photo as u32) {
                State::Skipped
            } else if self.kept.contains(&planned.photo) {
                State::Kept
            } else {
                self.workers.submit(self.folder.path(planned.photo), planned.plan)?;
                State::Decoding
            };
            self.ahead.push_back(Ahead { position, planned, state });
            self.queue_at = self.schedule.after(position);
        }
        Ok(())
    }
}
