//! Servers on the loopback that misbehave in known ways, and a proxy. They live in threads until the test program ends.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// A version of the file that is served.
#[derive(Clone)]
pub(crate) struct Version {
    pub(crate) content: Arc<Vec<u8>>,
    /// Sent as ETag unless empty.
    pub(crate) tag: &'static str,
}

/// How one request is answered.
#[derive(Clone)]
pub(crate) enum Reply {
    /// As asked, ranges included.
    AsAsked,
    /// As asked, but the connection breaks after so many bytes of the body.
    CutAfter(usize),
    /// As asked, but after so many bytes of the body nothing more comes.
    SilentAfter(usize),
    /// All from the beginning, whatever range was asked for.
    WithoutRanges,
    /// Nothing but this status.
    Status(u16),
    /// Go and ask there.
    SendTo(String),
    /// Nothing comes at all.
    Silence,
    /// So many bytes are promised.
    Promise(u64),
}

/// What the server was asked.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Request {
    pub(crate) target: String,
    pub(crate) range: String,
    pub(crate) if_range: String,
}

pub(crate) struct Server {
    port: u16,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    /// Replies in this order, of which the last is repeated.
    pub(crate) fn start(content: &[u8], replies: Vec<Reply>) -> Self {
        let version = Version { content: Arc::new(content.to_owned()), tag: "\"one\"" };
        Self::of_versions(replies.into_iter().map(|reply| (version.clone(), reply)).collect())
    }

    pub(crate) fn of_versions(script: Vec<(Version, Reply)>) -> Self {
        let (listener, port) = listen();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        let serve = move || {
            // Silent connections are held, not closed.
            let mut held = Vec::new();
            for (index, stream) in listener.incoming().enumerate() {
                let (Ok(mut stream), Some((version, reply))) = (stream, script.get(index).or(script.last()))
                else {
                    continue;
                };
                let (request, _) = read_request(&stream);
                seen.lock().unwrap().push(request.clone());
                // The client may hang up first; that is its business.
                let _ = answer(&mut stream, version, reply, &request);
                if matches!(reply, Reply::Silence | Reply::SilentAfter(_)) {
                    held.push(stream);
                }
            }
        };
        thread::Builder::new().name("test server".to_owned()).spawn(serve).unwrap();
        Self { port, requests }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    /// The `Range` of each request, empty where there was none.
    pub(crate) fn ranges(&self) -> Vec<String> {
        self.requests().into_iter().map(|request| request.range).collect()
    }
}

/// A proxy that passes everything on and remembers for whom.
pub(crate) struct Proxy {
    port: u16,
    targets: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    pub(crate) fn start() -> Self {
        let (listener, port) = listen();
        let targets = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&targets);
        let serve = move || {
            for stream in listener.incoming().flatten() {
                let (request, head) = read_request(&stream);
                seen.lock().unwrap().push(request.target.clone());
                let pass = || pass_on(&stream, &request.target, &head);
                // As with the server: who hangs up may.
                let _ = pass();
            }
        };
        thread::Builder::new().name("test proxy".to_owned()).spawn(serve).unwrap();
        Self { port, targets }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(crate) fn targets(&self) -> Vec<String> {
        self.targets.lock().unwrap().clone()
    }
}

/// The address of a port where nobody listens.
pub(crate) fn nobody() -> String {
    let (listener, port) = listen();
    drop(listener);
    format!("http://127.0.0.1:{port}/nobody.pth")
}

fn listen() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

fn read_request(stream: &TcpStream) -> (Request, String) {
    let (mut request, mut head) = (Request::default(), String::new());
    for line in BufReader::new(stream).lines().map_while(Result::ok) {
        if head.is_empty() {
            line.split(' ').nth(1).unwrap_or_default().clone_into(&mut request.target);
        }
        head += &line;
        head += "\r\n";
        match line.split_once(": ").map(|(name, value)| (name.to_ascii_lowercase(), value)) {
            Some((name, value)) if name == "range" => value.clone_into(&mut request.range),
            Some((name, value)) if name == "if-range" => value.clone_into(&mut request.if_range),
            None if line.is_empty() => break,
            _ => {}
        }
    }
    (request, head)
}

fn answer(stream: &mut TcpStream, version: &Version, reply: &Reply, request: &Request) -> io::Result<()> {
    let content = version.content.as_slice();
    let until = match reply {
        Reply::Silence => return Ok(()),
        Reply::Status(status) => {
            return write!(
                stream,
                "HTTP/1.1 {status} Status\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            );
        }
        Reply::SendTo(url) => {
            return write!(
                stream,
                "HTTP/1.1 302 Found\r\nLocation: {url}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            );
        }
        Reply::Promise(length) => {
            return write!(
                stream,
                "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
            );
        }
        Reply::CutAfter(bytes) | Reply::SilentAfter(bytes) => *bytes,
        Reply::AsAsked | Reply::WithoutRanges => usize::MAX,
    };
    let same = request.if_range.is_empty() || request.if_range == version.tag;
    let asked = request.range.strip_prefix("bytes=").and_then(|range| range.split_once('-'));
    let asked = asked.filter(|_| same && !matches!(reply, Reply::WithoutRanges));
    let total = content.len();
    let (head, body) = match asked {
        None => (format!("HTTP/1.1 200 OK\r\nContent-Length: {total}"), content),
        Some((first, last)) => {
            let start: usize = first.parse().unwrap();
            let end = last.parse().map_or(total, |last: usize| total.min(last + 1));
            if start >= end {
                (
                    format!("HTTP/1.1 416 Range\r\nContent-Range: bytes */{total}\r\nContent-Length: 0"),
                    &[][..],
                )
            } else {
                let (last, length) = (end - 1, end - start);
                let range =
                    format!("Content-Range: bytes {start}-{last}/{total}\r\nContent-Length: {length}");
                (format!("HTTP/1.1 206 Partial\r\n{range}"), &content[start..end])
            }
        }
    };
    let tag = if version.tag.is_empty() { String::new() } else { format!("\r\nETag: {}", version.tag) };
    write!(stream, "{head}{tag}\r\nConnection: close\r\n\r\n")?;
    stream.write_all(&body[..until.min(body.len())])
}

/// `CONNECT host:port`, or a whole address in the first line.
fn pass_on(client: &TcpStream, target: &str, head: &str) -> io::Result<()> {
    let address = target.trim_start_matches("http://").split('/').next().unwrap_or_default();
    let mut server = TcpStream::connect(address)?;
    if head.starts_with("CONNECT ") {
        (&*client).write_all(b"HTTP/1.1 200 Connected\r\n\r\n")?;
        let (mut from, mut to) = (client.try_clone()?, server.try_clone()?);
        let upstream = move || drop(io::copy(&mut from, &mut to));
        thread::Builder::new().name("test proxy upstream".to_owned()).spawn(upstream)?;
    } else {
        server.write_all(head.as_bytes())?;
    }
    let mut answer = Vec::new();
    server.read_to_end(&mut answer)?;
    (&*client).write_all(&answer)?;
    client.shutdown(std::net::Shutdown::Both)
}
