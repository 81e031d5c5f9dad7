//! Thousands of damaged files through the decoder: a picture or an error each time, soon, and within the limits. What
//! their headers say of them is what the decoder finds.
//!
//! `ATELIER_MUTATIONS=20000` makes it that many. The file that it stumbles over lies in `target/tmp`.

use std::fs;
use std::path::Path;
use std::sync::mpsc::sync_channel;
use std::thread::Builder;
use std::time::{Duration, Instant};

use damage::{DamagedFile, Expected, damaged_files};
use peak_alloc::PeakAlloc;
use pixel::{DecodeLimits, Header, decode_bytes_with_metadata};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

const LIMITS: DecodeLimits = DecodeLimits { max_pixels: 1 << 20, max_alloc_bytes: 16 << 20 };
/// The decoder's share, and the picture and a copy of it beside that.
const MOST_BYTES: usize = LIMITS.max_alloc_bytes as usize + 2 * 3 * LIMITS.max_pixels as usize;
const SEED: u64 = 7;
const LONGEST: Duration = Duration::from_secs(2);

#[test]
fn damaged_files_are_pictures_or_errors() {
    let count = match std::env::var("ATELIER_MUTATIONS") {
        Ok(count) => count.parse().expect("a number"),
        Err(_) => 5000,
    };
    let (sender, receiver) = sync_channel(1);
    let work = move || {
        for file in damaged_files(SEED, count) {
            sender.send(file.name.clone()).unwrap();
            // Taken away again when all is well.
            let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join(&file.name);
            fs::write(&kept, &file.bytes).unwrap();
            check(&file);
            fs::remove_file(kept).unwrap();
        }
    };
    let thread = Builder::new().name("decoding".to_owned()).spawn(work).unwrap();
    let mut last = String::new();
    // Ends when the thread drops its end, be it by a panic. The channel lets it be one file ahead.
    loop {
        match receiver.recv_timeout(Duration::from_mins(2)) {
            Ok(name) => last = name,
            Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => break,
            Err(std::sync::mpsc::RecvTimeoutError::Timeout) => panic!("hangs at or behind {last}"),
        }
    }
    assert!(thread.join().is_ok(), "at or before {last}");
}

fn check(file: &DamagedFile) {
    let name = &file.name;
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    let mut found = None;
    // Twice where the machine was busy with something else.
    let took = (0..2).map(|_| timed(|| found = Some(decode_bytes_with_metadata(&file.bytes, &LIMITS))));
    assert!(took.into_iter().any(|took| took < LONGEST), "{name} takes more than {LONGEST:?}");
    let peak = MEMORY.peak_usage().saturating_sub(before);
    assert!(peak <= MOST_BYTES, "{name} takes {peak} bytes");
    let header = header_of(file);
    match found.expect("it was decoded") {
        Ok(found) => {
            let header = header.unwrap_or_else(|| panic!("{name}: a picture without a header"));
            assert_eq!(header.kind, found.metadata.kind, "{name}");
            let size = (found.picture.width(), found.picture.height());
            assert_eq!((header.width, header.height), size, "{name}");
            assert_ne!(file.expected, Expected::Broken, "{name}");
            let pixels = u64::from(found.picture.width()) * u64::from(found.picture.height());
            assert!(pixels <= LIMITS.max_pixels, "{name}: {pixels} pixels");
        }
        Err(error) => {
            let text = error.to_string();
            // A frame on a large screen is good, and larger than the limits here.
            assert!(file.expected != Expected::Good || name.contains("huge"), "{name}: {text}");
            assert!(!text.is_empty() && !text.contains('\n'), "{name}: {text:?}");
        }
    }
}

/// What a header says is known at once and for little memory, however large the picture would be.
fn header_of(file: &DamagedFile) -> Option<Header> {
    const MOST_BYTES: usize = 4 << 20;
    let name = &file.name;
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    let mut header = None;
    let took = (0..2).map(|_| timed(|| header = Header::of(&file.bytes)));
    assert!(took.into_iter().any(|took| took < LONGEST), "{name}: its header takes more than {LONGEST:?}");
    let peak = MEMORY.peak_usage().saturating_sub(before);
    assert!(peak <= MOST_BYTES, "{name}: its header takes {peak} bytes");
    header
}

fn timed(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}
