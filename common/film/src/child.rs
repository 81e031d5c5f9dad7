//! A child process that never outlives us, and whose last words are kept.

use std::collections::{BTreeSet, VecDeque};
use std::io::{BufRead as _, BufReader, Read};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::FilmError;

/// Lines of a child's that are kept.
const KEPT_LINES: usize = 40;

/// How ffmpeg says that its target does not take what it writes.
const WRITE_ERRORS: &[&str] =
    &["av_interleaved_write_frame()", "Error writing", "Error closing", "Error muxing"];

/// Those that run: a program that leaves without dropping anything takes them along by [`end_all`].
static RUNNING: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());

fn running() -> MutexGuard<'static, BTreeSet<u32>> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ends every ffmpeg at once. What they were writing is of no use.
pub fn end_all() {
    for &id in &*running() {
        end_group(id);
    }
}

/// Ends a child and what it may have started itself, if it has not ended.
fn end_group(id: u32) {
    if let Some(id) = i32::try_from(id).ok().and_then(Pid::from_raw) {
        let _ = kill_process_group(id, Signal::KILL);
    }
}

/// A running ffmpeg. Dropped, it is killed and reaped.
pub(crate) struct FfmpegChild {
    child: Child,
    doing: &'static str,
    /// Reads what it says to the end; `None` once it has.
    listener: Option<JoinHandle<LastWords>>,
    words: LastWords,
}

/// The end of what a child said, without what it says of each frame.
#[derive(Default)]
pub(crate) struct LastWords {
    lines: VecDeque<String>,
    /// Lines marked as errors, as many as were said.
    errors: u64,
    /// Not all that it made was written, in which ffmpeg 5.1 may well call itself successful.
    could_not_write: bool,
}

impl FfmpegChild {
    /// Starts a command whose stdin and stdout are as they should be. It is apart from the terminal's group, so that a Ctrl-C
    /// is ours to answer. `hear` gets each line first, and says whether it took it.
    pub(crate) fn start(
        mut command: Command,
        doing: &'static str,
        hear: impl FnMut(&str) -> bool + Send + 'static,
    ) -> Result<Self, FilmError> {
        let run = |cause| FilmError::Run { program: "ffmpeg", cause };
        let mut child = command.stderr(Stdio::piped()).process_group(0).spawn().map_err(run)?;
        running().insert(child.id());
        let stderr = child.stderr.take().expect("piped");
        let listener = thread::Builder::new().name("ffmpeg-words".into());
        let listener = listener.spawn(move || LastWords::listen(stderr, hear)).map_err(run)?;
        Ok(Self { child, doing, listener: Some(listener), words: LastWords::default() })
    }

    pub(crate) fn take_stdin(&mut self) -> ChildStdin {
        self.child.stdin.take().expect("piped, and taken once")
    }

    pub(crate) fn take_stdout(&mut self) -> ChildStdout {
        self.child.stdout.take().expect("piped, and taken once")
    }

    /// Waits for its end, which should be a good one. Its stdin has to be closed before. Returns how many errors it spoke of
    /// all the same.
    pub(crate) fn finish(&mut self) -> Result<u64, FilmError> {
        let status = self.child.wait().map_err(|cause| FilmError::Run { program: "ffmpeg", cause })?;
        running().remove(&self.child.id());
        if let Some(listener) = self.listener.take() {
            self.words = listener.join().unwrap_or_default();
        }
        if status.success() && !self.words.could_not_write {
            Ok(self.words.errors)
        } else {
            Err(self.ended(status))
        }
    }

    fn ended(&self, status: ExitStatus) -> FilmError {
        let ended = match (status.code(), status.signal()) {
            (Some(code), _) => format!("ended with status {code}"),
            (None, Some(signal)) => format!("was ended by signal {signal}"),
            (None, None) => "ended".to_owned(),
        };
        FilmError::Ended { doing: self.doing, ended, words: self.words.summary() }
    }
}

impl Drop for FfmpegChild {
    fn drop(&mut self) {
        let id = self.child.id();
        if running().contains(&id) {
            end_group(id);
            // Fails only if it has been waited for.
            let _ = self.child.wait();
            running().remove(&id);
        }
    }
}

impl LastWords {
    fn listen(stderr: impl Read, mut hear: impl FnMut(&str) -> bool) -> Self {
        let mut words = Self::default();
        let mut reader = BufReader::new(stderr);
        let mut line = Vec::new();
        // Bytes, since file names in messages need not be UTF-8.
        while let Ok(1..) = reader.read_until(b'\n', &mut line) {
            let text = String::from_utf8_lossy(&line);
            let text = text.trim_end();
            if !hear(text) && !text.trim().is_empty() {
                words.add(text);
            }
            line.clear();
        }
        words
    }

    fn add(&mut self, line: &str) {
        if error_text(line).is_some() {
            self.errors += 1;
            self.could_not_write |= WRITE_ERRORS.iter().any(|words| line.contains(words));
        }
        if self.lines.len() == KEPT_LINES {
            self.lines.pop_front();
        }
        self.lines.push_back(line.to_owned());
    }

    /// The last errors that it spoke of, or else its last line.
    pub(crate) fn summary(&self) -> String {
        let errors: Vec<&str> = self.lines.iter().filter_map(|line| error_text(line)).collect();
        let shown = &errors[errors.len().saturating_sub(3)..];
        let mut shown = shown.to_vec();
        shown.dedup();
        match (shown.as_slice(), self.lines.back()) {
            ([], Some(line)) => line.clone(),
            ([], None) => "it said nothing".to_owned(),
            (shown, _) => shown.join("; "),
        }
    }
}

/// The text of `[mov @ 0x55] [error] text`.
fn error_text(line: &str) -> Option<&str> {
    ["[error] ", "[fatal] "].iter().find_map(|mark| line.split_once(mark)).map(|(_, text)| text.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_errors_are_what_is_shown() {
        let said =
            "[info] hello\n[mov @ 0x5] [error] moov atom not found\n[info] bye\n[error] Invalid data\n";
        let words = LastWords::listen(said.as_bytes(), |_| false);
        assert_eq!((words.summary().as_str(), words.errors), ("moov atom not found; Invalid data", 2));
        assert_eq!(LastWords::listen(&b"\n Killed \n"[..], |_| false).summary(), " Killed");
        assert_eq!(LastWords::default().summary(), "it said nothing");
    }

    #[test]
    fn memory_for_words_is_bounded() {
        let said = "[error] the same\n".repeat(10_000);
        let words = LastWords::listen(said.as_bytes(), |_| false);
        assert_eq!((words.lines.len(), words.errors), (KEPT_LINES, 10_000));
    }

    #[test]
    fn dropped_children_are_gone() {
        let mut command = Command::new("sleep");
        command.arg("1000");
        let child = FfmpegChild::start(command, "was sleeping", |_| false).unwrap();
        let folder = format!("/proc/{}", child.child.id());
        assert!(std::path::Path::new(&folder).exists());
        drop(child);
        assert!(!std::path::Path::new(&folder).exists());
    }

    #[test]
    fn what_children_started_ends_with_them() {
        let folder = tempfile::tempdir().unwrap();
        let note = folder.path().join("pid");
        let mut command = Command::new("sh");
        command
            .args(["-c", "sleep 1000 & echo $! > \"$1\".new; mv \"$1\".new \"$1\"; wait", "sh"])
            .arg(&note);
        let child = FfmpegChild::start(command, "was sleeping", |_| false).unwrap();
        while !note.exists() {
            thread::sleep(std::time::Duration::from_millis(5));
        }
        let state = format!("/proc/{}/stat", std::fs::read_to_string(&note).unwrap().trim());
        drop(child);
        // Its own parent being gone, somebody else reaps it.
        let runs = || std::fs::read_to_string(&state).is_ok_and(|state| !state.contains(") Z"));
        for _ in 0..1000 {
            if !runs() {
                return;
            }
            thread::sleep(std::time::Duration::from_millis(5));
        }
        panic!("it goes on");
    }

    #[test]
    fn how_it_ended_is_told() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo '[error] no room' >&2; kill -9 $$"]);
        let mut child = FfmpegChild::start(command, "was encoding", |_| false).unwrap();
        let error = child.finish().unwrap_err().to_string();
        assert_eq!(error, "ffmpeg was encoding and was ended by signal 9: no room");
    }
}
