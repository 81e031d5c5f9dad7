//! The decode threads: jobs in, outcomes out in the order of the jobs.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Builder, JoinHandle};

use crossbeam_channel::{Receiver, RecvError, Sender, bounded};

use crate::load::skip_on_panic;
use crate::skip::SkipReason;

/// How a photo is loaded by a plan; another way in tests.
pub(crate) type Load<Plan, Loaded> = dyn Fn(&Path, &Plan) -> Result<Loaded, SkipReason> + Send + Sync;

/// One photo to load; tickets count up.
struct Job<Plan> {
    ticket: u64,
    path: PathBuf,
    plan: Plan,
}

/// What became of the job with this ticket.
type Done<Loaded> = (u64, Result<Loaded, SkipReason>);

/// Threads that end when this is dropped.
pub(crate) struct Workers<Plan, Loaded> {
    /// `None` only while dropping: a closed queue is what ends an idle thread.
    jobs: Option<Sender<Job<Plan>>>,
    done: Receiver<Done<Loaded>>,
    /// What has been done out of turn, by ticket.
    early: HashMap<u64, Result<Loaded, SkipReason>>,
    /// Tickets of the next job to come in and of the next one to go out.
    next_in: u64,
    next_out: u64,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl<Plan: Send + 'static, Loaded: Send + 'static> Workers<Plan, Loaded> {
    /// Both queues hold `capacity` entries; whoever keeps no more jobs than that under way never blocks.
    pub(crate) fn start(count: usize, capacity: usize, load: &Arc<Load<Plan, Loaded>>) -> io::Result<Self> {
        let (jobs, job_queue) = bounded::<Job<Plan>>(capacity);
        let (done_queue, done) = bounded(capacity);
        let mut workers = Self {
            jobs: Some(jobs),
            done,
            early: HashMap::new(),
            next_in: 0,
            next_out: 0,
            stop: Arc::new(AtomicBool::new(false)),
            threads: Vec::new(),
        };
        for number in 0..count {
            let (job_queue, done_queue) = (job_queue.clone(), done_queue.clone());
            let (stop, load) = (Arc::clone(&workers.stop), Arc::clone(load));
            let thread = Builder::new()
                .name(format!("decode-{number}"))
                .spawn(move || work(&job_queue, &done_queue, &stop, &*load))?;
            workers.threads.push(thread);
        }
        Ok(workers)
    }

    /// Hands a job to whichever thread is free next; blocks while the queue is full.
    pub(crate) fn submit(&mut self, path: PathBuf, plan: Plan) -> Result<(), ThreadsEnded> {
        let jobs = self.jobs.as_ref().ok_or(ThreadsEnded)?;
        jobs.send(Job { ticket: self.next_in, path, plan }).map_err(|_| ThreadsEnded)?;
        self.next_in += 1;
        Ok(())
    }

    /// What became of the oldest job not yet asked for, of which there must be one; blocks until it is done.
    pub(crate) fn next_in_order(&mut self) -> Result<Result<Loaded, SkipReason>, ThreadsEnded> {
        let ticket = self.next_out;
        self.next_out += 1;
        loop {
            if let Some(outcome) = self.early.remove(&ticket) {
                return Ok(outcome);
            }
            let (done, outcome) = self.done.recv().map_err(|RecvError| ThreadsEnded)?;
            self.early.insert(done, outcome);
        }
    }
}

/// All decode threads are gone.
#[derive(Debug)]
pub(crate) struct ThreadsEnded;

impl<Plan, Loaded> Drop for Workers<Plan, Loaded> {
    fn drop(&mut self) {
        // Queued jobs are of no use any more; only those being decoded are waited for.
        self.stop.store(true, Ordering::Relaxed);
        self.jobs = None;
        for thread in self.threads.drain(..) {
            // Panics are caught where they happen.
            let _ = thread.join();
        }
    }
}

fn work<Plan, Loaded>(
    jobs: &Receiver<Job<Plan>>,
    done: &Sender<Done<Loaded>>,
    stop: &AtomicBool,
    load: &Load<Plan, Loaded>,
) {
    for Job { ticket, path, plan } in jobs {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        let outcome = skip_on_panic(|| load(&path, &plan));
        if done.send((ticket, outcome)).is_err() {
            return;
        }
    }
}
