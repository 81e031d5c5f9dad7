//! Against a server on the loopback that misbehaves in known ways.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use super::*;

/// How the server answers one connection.
#[derive(Clone, Copy)]
pub(in super::super) enum Reply {
    /// As asked, ranges included.
    Whole,
    /// As asked, but the connection breaks after so many bytes of the body.
    CutAfter(usize),
    /// All from the beginning, whatever range was asked for; may break too.
    WithoutRange { cut_after: usize },
    /// Nothing but this status.
    Status(u16),
}

/// One file, and a list of replies of which the last is repeated. Lives in a thread until the test program ends.
pub(in super::super) struct Server {
    port: u16,
    /// The `Range` header of each request, empty where there was none.
    ranges: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub(in super::super) fn start(content: &[u8], replies: Vec<Reply>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let ranges = Arc::new(Mutex::new(Vec::new()));
        let (seen, content) = (Arc::clone(&ranges), content.to_owned());
        let serve = move || {
            for (index, stream) in listener.incoming().enumerate() {
                let reply = replies.get(index).or(replies.last()).copied().unwrap();
                let range = answer(stream.unwrap(), &content, reply);
                seen.lock().unwrap().push(range);
            }
        };
        thread::Builder::new().name("test server".to_owned()).spawn(serve).unwrap();
        Self { port, ranges }
    }

    pub(in super::super) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    fn ranges(&self) -> Vec<String> {
        self.ranges.lock().unwrap().clone()
    }
}

fn answer(mut stream: TcpStream, content: &[u8], reply: Reply) -> String {
    let mut range = String::new();
    for line in BufReader::new(stream.try_clone().unwrap()).lines() {
        let line = line.unwrap().to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("range: ") {
            value.clone_into(&mut range);
        }
        if line.is_empty() {
            break;
        }
    }
    let asked: usize = range.trim_start_matches("bytes=").trim_end_matches('-').parse().unwrap_or(0);
    let total = content.len();
    let (head, body) = match reply {
        Reply::Status(status) => (format!("HTTP/1.1 {status} Status\r\nContent-Length: 0"), &content[..0]),
        Reply::Whole | Reply::CutAfter(_) if asked >= total => (
            format!("HTTP/1.1 416 Range\r\nContent-Range: bytes */{total}\r\nContent-Length: 0"),
            &content[..0],
        ),
        Reply::Whole | Reply::CutAfter(_) if !range.is_empty() => {
            let (last, length) = (total - 1, total - asked);
            let range = format!("Content-Range: bytes {asked}-{last}/{total}\r\nContent-Length: {length}");
            (format!("HTTP/1.1 206 Partial\r\n{range}"), &content[asked..])
        }
        _ => (format!("HTTP/1.1 200 OK\r\nContent-Length: {total}"), content),
    };
    let until = match reply {
        Reply::CutAfter(bytes) | Reply::WithoutRange { cut_after: bytes } => bytes.min(body.len()),
        Reply::Whole | Reply::Status(_) => body.len(),
    };
    // The client may hang up first; that is its business.
    let _ =
        write!(stream, "{head}\r\nConnection: close\r\n\r\n").and_then(|()| stream.write_all(&body[..until]));
    range
}

impl Downloader {
    /// The ordinary one, but without the pauses.
    pub(in super::super) fn impatient() -> Self {
        Self::new(Duration::from_millis(1))
    }
}

const CONTENT: &[u8] = b"0123456789";
const SHA256: &str = "84d89877f0d4041efb6bf91a16f0248f2fd573e6af05c19f96bedb9f882f7882";

/// A file name in a folder of its own.
fn place() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    (folder, path)
}

#[test]
fn cut_connection_is_continued_where_it_broke() {
    let (_folder, path) = place();
    let server = Server::start(CONTENT, vec![Reply::CutAfter(4), Reply::CutAfter(3), Reply::Whole]);
    let sha256 = Downloader::impatient().fetch(&server.url("/"), &path, Some(SHA256)).unwrap();
    assert_eq!(sha256, SHA256);
    assert_eq!(fs::read(&path).unwrap(), CONTENT);
    assert_eq!(server.ranges(), ["", "bytes=4-", "bytes=7-"]);
}

#[test]
fn next_run_continues_what_an_earlier_one_left() {
    let (_folder, path) = place();
    fs::write(with_suffix(&path, ".part"), &CONTENT[..6]).unwrap();
    let server = Server::start(CONTENT, vec![Reply::Whole]);
    Downloader::impatient().fetch(&server.url("/"), &path, Some(SHA256)).unwrap();
    assert_eq!(server.ranges(), ["bytes=6-"]);
    assert!(!with_suffix(&path, ".part").exists());
}

#[test]
fn part_that_is_already_whole_is_taken() {
    let (_folder, path) = place();
    fs::write(with_suffix(&path, ".part"), CONTENT).unwrap();
    let server = Server::start(CONTENT, vec![Reply::Whole]);
    Downloader::impatient().fetch(&server.url("/"), &path, Some(SHA256)).unwrap();
    assert_eq!(fs::read(&path).unwrap(), CONTENT);
}

#[test]
fn part_longer_than_the_file_is_dropped() {
    let (_folder, path) = place();
    fs::write(with_suffix(&path, ".part"), "something else and longer").unwrap();
    let server = Server::start(CONTENT, vec![Reply::Whole]);
    Downloader::impatient().fetch(&server.url("/"), &path, Some(SHA256)).unwrap();
    assert_eq!(fs::read(&path).unwrap(), CONTENT);
}

#[test]
fn server_without_ranges_begins_anew() {
    let (_folder, path) = place();
    let replies = vec![Reply::CutAfter(4), Reply::WithoutRange { cut_after: CONTENT.len() }];
    let server = Server::start(CONTENT, replies);
    Downloader::impatient().fetch(&server.url("/"), &path, Some(SHA256)).unwrap();
    assert_eq!(fs::read(&path).unwrap(), CONTENT);
    assert_eq!(server.ranges(), ["", "bytes=4-"]);
}

#[test]
fn server_that_always_begins_anew_and_breaks_is_given_up() {
    let (_folder, path) = place();
    let server = Server::start(CONTENT, vec![Reply::WithoutRange { cut_after: 4 }]);
    let downloader = Downloader::impatient();
    let error = format!("{:#}", downloader.fetch(&server.url("/"), &path, None).unwrap_err());
    assert!(error.contains("given up after 4 tries"), "{error}");
    assert!(!path.exists());
}

#[test]
fn wrong_hash_is_refused_and_the_file_removed() {
    let (folder, path) = place();
    let server = Server::start(b"something else", vec![Reply::Whole]);
    let error = Downloader::impatient().fetch(&server.url("/"), &path, Some(SHA256)).unwrap_err();
    assert!(error.to_string().contains(SHA256), "{error}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn missing_file_is_not_asked_for_again_but_a_troubled_server_is() {
    let (_folder, path) = place();
    let server = Server::start(CONTENT, vec![Reply::Status(404)]);
    let error = format!("{:#}", Downloader::impatient().fetch(&server.url("/"), &path, None).unwrap_err());
    assert!(error.contains("404"), "{error}");
    assert_eq!(server.ranges().len(), 1);

    let server = Server::start(CONTENT, vec![Reply::Status(503), Reply::Whole]);
    Downloader::impatient().fetch(&server.url("/"), &path, Some(SHA256)).unwrap();
}

#[test]
fn unreachable_server_is_tried_once() {
    let (_folder, path) = place();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    // With the long pauses: a second try would show.
    let start = std::time::Instant::now();
    assert!(Downloader::new(Duration::from_mins(1)).fetch(&url, &path, None).is_err());
    assert!(start.elapsed() < Duration::from_secs(30));
}
