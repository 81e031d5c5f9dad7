//! The film in a browser, from its beginning to its end. Passed over where there is no Chromium.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, SyncSender};
use std::thread;
use std::time::Duration;

use super::{CuttingRoom, SMALL};

const PAGE: &str = "<!doctype html><title>Film</title><video id=film autoplay></video><script>
const tell = (what) => fetch('/' + what);
film.onended = () => tell('ended?at=' + film.currentTime
    + '&frames=' + film.getVideoPlaybackQuality().totalVideoFrames + '&sound=' + film.webkitAudioDecodedByteCount);
film.onerror = () => tell('failed?' + encodeURIComponent(film.error.message));
film.src = '/film.mp4';
film.play().catch((error) => tell('failed?' + encodeURIComponent(error)));
</script>";

/// A browser with a profile of its own. Dropped, it is ended with all its helpers.
struct Browser(Child);

impl Browser {
    /// `None`, after a line on stderr, where none is installed.
    fn open(url: &str, home: &Path) -> Option<Self> {
        let names = ["chromium", "chromium-browser", "google-chrome"];
        let name = names.into_iter().find(|name| {
            Command::new(name).arg("--version").env("HOME", home).output().is_ok_and(|it| it.status.success())
        });
        let Some(name) = name else {
            // Not eprintln, whose words the test harness keeps to itself when the test passes.
            let _ = writeln!(io::stderr(), "PASSED OVER a_browser_plays_the_film_to_its_end: no Chromium");
            return None;
        };
        let mut command = Command::new(name);
        command.args([
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
        ]);
        command.args([
            "--autoplay-policy=no-user-gesture-required",
            "--no-proxy-server",
            "--disable-extensions",
        ]);
        command.arg(format!("--user-data-dir={}", home.join("profile").display())).arg(url).env("HOME", home);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Some(Self(command.process_group(0).spawn().unwrap()))
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // What has ended already needs no end.
        let group = format!("-{}", self.0.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).stderr(Stdio::null()).status();
        let _ = self.0.wait();
    }
}

/// Serves the page and the film, and passes on what the page tells.
fn serve(listener: &TcpListener, film: &[u8], told: &SyncSender<String>) {
    thread::scope(|scope| {
        for stream in listener.incoming().flatten() {
            let told = told.clone();
            // A browser hangs up as it likes.
            scope.spawn(move || drop(answer(stream, film, &told)));
        }
    });
}

fn answer(mut stream: TcpStream, film: &[u8], told: &SyncSender<String>) -> io::Result<()> {
    let (mut target, mut first) = (String::new(), None);
    for line in BufReader::new(&stream).lines() {
        let line = line?.to_ascii_lowercase();
        if target.is_empty() {
            line.split(' ').nth(1).unwrap_or_default().clone_into(&mut target);
        }
        if let Some(range) = line.strip_prefix("range: bytes=") {
            first = range.split('-').next().and_then(|first| first.parse::<usize>().ok());
        }
        if line.is_empty() {
            break;
        }
    }
    let (kind, body) = match target.as_str() {
        "/" => ("text/html", PAGE.as_bytes()),
        "/film.mp4" => ("video/mp4", film),
        other => {
            // Fails only when the test is over.
            let _ = told.send(other.to_owned());
            ("text/plain", &b""[..])
        }
    };
    let total = body.len();
    let head = match first.filter(|&first| first < total) {
        Some(first) => format!("206 Partial\r\nContent-Range: bytes {first}-{}/{total}", total - 1),
        None => "200 OK".to_owned(),
    };
    let body = &body[first.unwrap_or(0).min(total)..];
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {head}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nAccept-Ranges: bytes\r\nConnection: close\r\n\r\n"
    )?;
    stream.write_all(body)
}

#[test]
fn a_browser_plays_the_film_to_its_end() {
    let Some(room) = CuttingRoom::new() else { return };
    clips::with_sound(&room.path("a.mp4"), SMALL, 50);
    room.video(&["a.mp4", "-o", "b.mp4"]).expect_success();
    let film = std::fs::read(room.path("b.mp4")).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let (tell, told) = mpsc::sync_channel(100);
    let server = thread::Builder::new().name("film server".to_owned());
    server.spawn(move || serve(&listener, &film, &tell)).unwrap();
    let home = tempfile::tempdir().unwrap();
    let Some(_browser) = Browser::open(&url, home.path()) else { return };
    let end = loop {
        let said =
            told.recv_timeout(Duration::from_mins(2)).expect("the page tells something in two minutes");
        if said.starts_with("/ended") || said.starts_with("/failed") {
            break said;
        }
    };
    let number = |name: &str| {
        let rest = end.split_once(&format!("{name}=")).unwrap_or_else(|| panic!("{end}")).1;
        rest.split('&').next().unwrap().parse::<f64>().unwrap()
    };
    assert!(end.starts_with("/ended"), "{end}");
    assert!((number("at") - 2.0).abs() < 0.1 && number("frames") > 1.0 && number("sound") > 0.0, "{end}");
}
