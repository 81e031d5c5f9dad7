//! For tests: films that ffmpeg draws, and looks into films. All functions panic where ffmpeg fails.
#![forbid(unsafe_code)]

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

/// Whether the programs are there; says so on stderr where they are not, for tests that then pass over.
#[expect(clippy::print_stderr, reason = "whoever runs the tests should know")]
pub fn are_possible() -> bool {
    let there = |program| Command::new(program).arg("-version").output().is_ok();
    let both = there("ffmpeg") && there("ffprobe");
    if !both {
        eprintln!("passed over: ffmpeg is not installed");
    }
    both
}

/// Runs ffmpeg with these arguments, separated by blanks, and then the target.
#[track_caller]
pub fn draw(arguments: &str, target: &Path) {
    let mut command = Command::new("ffmpeg");
    command.args(["-hide_banner", "-nostdin", "-loglevel", "error", "-y"]);
    ran(command.args(arguments.split_whitespace()).arg(target));
}

/// A film of a moving pattern: so many frames of this size at 25 a second, H.264 in what the target's suffix says.
#[track_caller]
pub fn silent(target: &Path, (width, height): (u32, u32), frames: u32) {
    let pattern = format!("testsrc=size={width}x{height}:rate=25");
    draw(&format!("-f lavfi -i {pattern} -frames:v {frames} -c:v libx264 -pix_fmt yuv444p -crf 12"), target);
}

/// The same with stereo sound (AAC) that lasts as long.
#[track_caller]
pub fn with_sound(target: &Path, (width, height): (u32, u32), frames: u32) {
    let pattern = format!("testsrc=size={width}x{height}:rate=25");
    let seconds = f64::from(frames) / 25.0;
    draw(
        &format!(
            "-f lavfi -i {pattern} -f lavfi -i sine=frequency=440:sample_rate=44100 -t {seconds} \
             -c:v libx264 -pix_fmt yuv420p -crf 12 -c:a aac -ac 2"
        ),
        target,
    );
}

/// The film, with a note that it is to be turned by 90 degrees when it is shown.
pub fn turned(film: &Path, target: &Path) {
    let mut command = Command::new("ffmpeg");
    command.args(["-loglevel", "error", "-y", "-display_rotation", "90", "-i"]).arg(film);
    let output = command.args(["-c", "copy"]).arg(target).output().expect("ffmpeg is installed");
    if !output.status.success() {
        // Before version 6 there was a tag for it.
        draw(&format!("-i {} -c copy -metadata:s:v rotate=90", film.display()), target);
    }
}

/// When each frame of the first video stream is shown, in units of its time base, and the time base.
#[track_caller]
pub fn times(film: &Path) -> (Vec<i64>, String) {
    let told = probed(film, &["-select_streams", "v:0", "-show_entries", "packet=pts:stream=time_base"]);
    let mut times: Vec<i64> = told["packets"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|packet| packet["pts"].as_i64().expect("a time"))
        .collect();
    times.sort_unstable();
    (times, told["streams"][0]["time_base"].as_str().unwrap_or_default().to_owned())
}

/// When each frame is shown, in seconds.
#[track_caller]
pub fn seconds(film: &Path) -> Vec<f64> {
    let (times, base) = times(film);
    let (above, below) = base.split_once('/').expect("a fraction");
    let unit = above.parse::<f64>().expect("a number") / below.parse::<f64>().expect("a number");
    times.into_iter().map(|ticks| ticks as f64 * unit).collect()
}

/// A hash of the packets of a stream such as `a:0`, as they lie in the file.
#[track_caller]
pub fn stream_hash(film: &Path, stream: &str) -> String {
    let mut command = Command::new("ffmpeg");
    command.args(["-hide_banner", "-loglevel", "error", "-i"]).arg(film);
    command.args(["-map", &format!("0:{stream}"), "-c", "copy", "-f", "streamhash", "-hash", "sha256", "-"]);
    String::from_utf8_lossy(&ran(&mut command).stdout).into_owned()
}

/// What ffprobe says of the first stream of a kind, such as `v`.
#[track_caller]
pub fn stream(film: &Path, kind: &str) -> Value {
    let mut told = probed(film, &["-select_streams", &format!("{kind}:0"), "-show_streams"]);
    told["streams"][0].take()
}

/// ffprobe's answer to a question.
#[track_caller]
pub fn probed(film: &Path, question: &[&str]) -> Value {
    let mut command = Command::new("ffprobe");
    command.args(["-v", "error", "-print_format", "json"]).args(question).arg(film);
    serde_json::from_slice(&ran(&mut command).stdout).expect("JSON")
}

/// The pictures of a film as ffmpeg decodes them, `rgb24`, one after the other.
#[track_caller]
pub fn pixels(film: &Path) -> Vec<u8> {
    let mut command = Command::new("ffmpeg");
    command.args(["-hide_banner", "-loglevel", "error", "-i"]).arg(film);
    command.args(["-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]);
    ran(&mut command).stdout
}

#[track_caller]
fn ran(command: &mut Command) -> Output {
    let output = command.output().expect("ffmpeg and ffprobe are installed");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    output
}
