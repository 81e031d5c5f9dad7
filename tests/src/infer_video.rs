//! `infer video` from outside, with the real ffmpeg. Passed over where there is none.

mod browser;
mod damage;
mod films;
mod frames;
mod interruption;
mod memory;
mod programs;
mod refusals;
mod streams;
mod styles;

use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use pixel::{DecodeLimits, Picture};
use tempfile::TempDir;

use crate::support::programs::{Finished, infer_command};
use crate::support::untrained;

/// The size of most films here: painting them takes no time.
const SMALL: (u32, u32) = (64, 48);

/// A folder with a small untrained style, where films are painted.
struct CuttingRoom {
    folder: TempDir,
}

impl CuttingRoom {
    /// `None` where there is no ffmpeg.
    fn new() -> Option<Self> {
        let room = clips::are_possible().then(|| Self { folder: tempfile::tempdir().unwrap() })?;
        room.add_style("blue", 1);
        Some(room)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn exists(&self, name: &str) -> bool {
        self.path(name).exists()
    }

    fn add_style(&self, name: &str, seed: u64) {
        untrained::save_style(&self.path(&format!("{name}.safetensors")), seed);
    }

    /// `infer video` with these arguments, and the style `blue` unless they name another.
    fn command(&self, args: &[&str]) -> Command {
        let style: &[&str] = if args.contains(&"-s") { &[] } else { &["-s", "blue.safetensors"] };
        let mut command = infer_command(self.folder.path());
        command.arg("video").args(args).args(style).args(["--device", "cpu", "--threads", "1"]);
        command.env_remove("ATELIER_FFMPEG").env_remove("ATELIER_FFPROBE").stdin(Stdio::null());
        command
    }

    /// Runs it to its end, which no ffmpeg outlives.
    #[track_caller]
    fn video(&self, args: &[&str]) -> Finished {
        let finished = Finished(self.command(args).output().expect("the program starts"));
        assert_eq!(self.running(), Vec::<Running>::new(), "{args:?}");
        finished
    }

    /// Starts it and leaves it running.
    fn start(&self, args: &[&str]) -> Child {
        let mut command = self.command(args);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts")
    }

    fn picture(&self, name: &str) -> Picture {
        pixel::decode_file(self.path(name), &DecodeLimits::default()).unwrap()
    }

    /// All names in a folder, sorted.
    fn names(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path(folder)).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// The programs that were started from this room and still run.
    fn running(&self) -> Vec<Running> {
        let home = [b"HOME=", self.folder.path().as_os_str().as_bytes()].concat();
        let ids = fs::read_dir("/proc").into_iter().flatten().flatten();
        let ids = ids.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
        let ours = ids.filter_map(|id| {
            let variables = fs::read(format!("/proc/{id}/environ")).ok()?;
            let is_ours = variables.split(|&byte| byte == 0).any(|variable| variable == home);
            let line = fs::read(format!("/proc/{id}/cmdline")).ok().filter(|line| !line.is_empty())?;
            is_ours.then(|| Running { id, line: String::from_utf8_lossy(&line).replace('\0', " ") })
        });
        ours.collect()
    }

    /// Waits until such a program runs.
    fn await_running(&self, words: &str) -> Running {
        awaited(words, || self.running().into_iter().find(|running| running.line.contains(words)))
    }

    /// A film in colours that no codec touches: what is read from it is what was drawn.
    fn draw_exact(&self, name: &str, frames: u32) {
        let (width, height) = SMALL;
        let pattern = format!("testsrc=size={width}x{height}:rate=25");
        clips::draw(
            &format!("-f lavfi -i {pattern} -frames:v {frames} -pix_fmt gbrp -c:v ffv1"),
            &self.path(name),
        );
    }

    /// The film's frames as PNG files in a folder, by ffmpeg alone.
    fn take_apart(&self, film: &str, folder: &str) {
        fs::create_dir(self.path(folder)).unwrap();
        let film = self.path(film);
        clips::draw(&format!("-i {} -pix_fmt rgb24", film.display()), &self.path(folder).join("%05d.png"));
    }
}

/// A program that runs.
#[derive(Clone, Debug, PartialEq)]
struct Running {
    id: u32,
    line: String,
}

impl Running {
    fn kill(&self, signal: &str) {
        kill(self.id, signal);
    }
}

fn kill(id: u32, signal: &str) {
    assert!(Command::new("kill").args([signal, &id.to_string()]).status().unwrap().success());
}

/// Looks again and again until there is something.
#[track_caller]
fn awaited<Found>(what: &str, mut look: impl FnMut() -> Option<Found>) -> Found {
    let start = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(start.elapsed() < Duration::from_mins(4), "waited too long: {what}");
        std::thread::sleep(Duration::from_millis(3));
    }
}

/// Frames of a film by ffprobe.
#[track_caller]
fn frames(film: &Path) -> usize {
    clips::times(film).0.len()
}

/// Seconds that the first stream of a kind lasts.
#[track_caller]
fn lasts(film: &Path, kind: &str) -> f64 {
    clips::stream(film, kind)["duration"].as_str().expect("a duration").parse().unwrap()
}

/// Mean difference of two pictures' samples.
#[track_caller]
fn difference(one: &Picture, two: &Picture) -> f64 {
    assert_eq!((one.width(), one.height()), (two.width(), two.height()));
    let pairs = one.rgb().iter().zip(two.rgb());
    let sum: u64 = pairs.map(|(one, two)| u64::from(one.abs_diff(*two))).sum();
    sum as f64 / one.rgb().len() as f64
}
