//! The decode threads: jobs in, outcomes out, in any order.

use std::any::Any;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Builder, JoinHandle};

use crossbeam_channel::{Receiver, RecvError, Sender, bounded};

use crate::crop::CropPlan;
use crate::load::SkipReason;

/// One photo to decode and cut.
pub(crate) struct Job {
    pub(crate) ticket: u64,
    pub(crate) path: PathBuf,
    pub(crate) plan: CropPlan,
}

/// What became of a job.
pub(crate) enum Outcome {
    /// `[side, side, 3]` bytes.
    Crop(Vec<u8>),
    Skipped(SkipReason),
    /// A bug in a decoder, with what it said.
    Panicked(String),
}

/// How a job is done; another one in tests.
pub(crate) type Load = dyn Fn(&Path, &CropPlan) -> Result<Vec<u8>, SkipReason> + Send + Sync;

/// Threads that end when this is dropped.
pub(crate) struct Workers {
    /// `None` only while dropping: a closed queue is what ends an idle thread.
    jobs: Option<Sender<Job>>,
    outcomes: Receiver<(u64, Outcome)>,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Workers {
    /// Both queues hold `capacity` entries; whoever keeps no more jobs than that under way never blocks.
    pub(crate) fn start(count: usize, capacity: usize, load: &Arc<Load>) -> io::Result<Self> {
        let (jobs, job_queue) = bounded::<Job>(capacity);
        let (outcome_queue, outcomes) = bounded(capacity);
        let mut workers =
            Self { jobs: Some(jobs), outcomes, stop: Arc::new(AtomicBool::new(false)), threads: Vec::new() };
        for number in 0..count {
            let (job_queue, outcome_queue) = (job_queue.clone(), outcome_queue.clone());
            let (stop, load) = (Arc::clone(&workers.stop), Arc::clone(load));
            let thread = Builder::new()
                .name(format!("decode-{number}"))
                .spawn(move || work(&job_queue, &outcome_queue, &stop, &*load))?;
            workers.threads.push(thread);
        }
        Ok(workers)
    }

    /// Hands a job to whichever thread is free next; blocks while the queue is full.
    pub(crate) fn submit(&self, job: Job) -> Result<(), ThreadsEnded> {
        let jobs = self.jobs.as_ref().ok_or(ThreadsEnded)?;
        jobs.send(job).map_err(|_| ThreadsEnded)
    }

    /// The ticket and outcome of the next job that is done.
    pub(crate) fn next_outcome(&self) -> Result<(u64, Outcome), ThreadsEnded> {
        self.outcomes.recv().map_err(|RecvError| ThreadsEnded)
    }
}

/// All decode threads are gone.
#[derive(Debug)]
pub(crate) struct ThreadsEnded;

impl Drop for Workers {
    fn drop(&mut self) {
        // Queued jobs are of no use any more; only those being decoded are waited for.
        self.stop.store(true, Ordering::Relaxed);
        self.jobs = None;
        for thread in self.threads.drain(..) {
            // A panic has been reported as an outcome already.
            let _ = thread.join();
        }
    }
}

fn work(jobs: &Receiver<Job>, outcomes: &Sender<(u64, Outcome)>, stop: &AtomicBool, load: &Load) {
    for job in jobs {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        // Nothing is shared between two jobs that a panic could leave half done.
        let outcome = match catch_unwind(AssertUnwindSafe(|| load(&job.path, &job.plan))) {
            Ok(Ok(crop)) => Outcome::Crop(crop),
            Ok(Err(reason)) => Outcome::Skipped(reason),
            Err(panic) => Outcome::Panicked(panic_message(&*panic)),
        };
        if outcomes.send((job.ticket, outcome)).is_err() {
            return;
        }
    }
}

fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message").to_owned()
}
