//! A folder of a thousand damaged files: each photo is delivered or listed with its reason, once, and nothing
//! crashes, hangs or eats the memory.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::thread::Builder;
use std::time::Duration;

use damage::{DamagedFile, Expected, damaged_files};
use datasets::{
    PhotoFolder, PhotoStream, Schedule, SkipReason, StreamConfig, StreamPosition, WholePhotoStream,
};

const FILES: usize = 1000;
const CONFIG: StreamConfig = StreamConfig {
    seed: 3,
    crop: 32,
    batch: 1,
    augment: true,
    zoom: datasets::A_LITTLE_ZOOM,
    decode_threads: 2,
    start: StreamPosition { epoch: 0, index: 0 },
};

/// The place behind the first epoch.
const END: StreamPosition = StreamPosition { epoch: 1, index: 0 };

#[test]
fn every_damaged_file_is_delivered_or_listed_once() {
    let root = tempfile::tempdir().unwrap();
    let files: Vec<DamagedFile> = damaged_files(11, FILES).collect();
    for file in &files {
        fs::write(root.path().join(&file.name), &file.bytes).unwrap();
    }
    let folder = Arc::new(PhotoFolder::scan(root.path()).unwrap());
    assert_eq!(folder.len(), FILES);

    let streamed = within_a_minute({
        let folder = Arc::clone(&folder);
        move || one_epoch(&folder)
    });
    let skipped: BTreeSet<usize> = streamed.skipped.iter().map(|(photo, _)| *photo).collect();
    assert_eq!(skipped.len(), streamed.skipped.len(), "each is listed once");
    assert!(streamed.delivered.is_disjoint(&skipped));
    assert_eq!(streamed.delivered.len() + skipped.len(), FILES, "none is lost");
    for (photo, path) in folder.relative_paths().iter().enumerate() {
        let file = files.iter().find(|file| Path::new(&file.name) == path).unwrap();
        match file.expected {
            Expected::Good => assert!(streamed.delivered.contains(&photo), "{}", file.name),
            Expected::Broken => assert!(skipped.contains(&photo), "{}", file.name),
            Expected::Either => {}
        }
    }
    for (photo, reason) in &streamed.skipped {
        let name = folder.relative_paths()[*photo].display();
        let text = reason.to_string();
        assert!(!text.is_empty() && !text.contains('\n'), "{name}: {text:?}");
        assert!(!matches!(reason, SkipReason::Crashed(_)), "a new bug of a decoder: {name}: {text}");
    }

    // The other stream leaves out the same.
    let whole: BTreeSet<usize> = within_a_minute(move || {
        let mut stream = WholePhotoStream::resume(folder, CONFIG, &[]).unwrap();
        let turns = std::iter::from_fn(|| {
            let turn = stream.next_turn().unwrap();
            (stream.position() <= END).then_some(turn.planned.photo)
        });
        turns.collect()
    });
    assert_eq!(whole, streamed.delivered);
    if let Some(peak) = peak_memory_mib() {
        assert!(peak < 1024, "{peak} MiB");
    }
}

struct Streamed {
    delivered: BTreeSet<usize>,
    skipped: Vec<(usize, SkipReason)>,
}

/// By index in the folder.
fn one_epoch(folder: &Arc<PhotoFolder>) -> Streamed {
    let mut stream = PhotoStream::new(Arc::clone(folder), CONFIG).unwrap();
    let mut schedule = Schedule::new(&CONFIG, folder.len());
    let mut delivered = BTreeSet::new();
    loop {
        let batch = stream.next_batch().unwrap();
        assert_eq!(batch.byte_rgb.len(), 32 * 32 * 3);
        let behind = stream.position();
        let last = FILES as u64 - 1;
        let place = match (behind.epoch, behind.index) {
            (0, index) => StreamPosition { epoch: 0, index: index - 1 },
            (1, 0) => StreamPosition { epoch: 0, index: last },
            _ => break,
        };
        assert!(delivered.insert(schedule.at(place).photo));
    }
    let index = |path: &Path| {
        let relative = path.strip_prefix(folder.root()).unwrap();
        folder.relative_paths().iter().position(|it| it == relative).unwrap()
    };
    let skipped = stream.skipped().into_iter().map(|it| (index(&it.path), it.reason)).collect();
    Streamed { delivered, skipped }
}

fn within_a_minute<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, receiver) = sync_channel(1);
    let thread = Builder::new().name("watched".to_owned()).spawn(move || sender.send(work()).unwrap());
    let found = receiver.recv_timeout(Duration::from_mins(1)).expect("neither a panic nor a hang");
    thread.unwrap().join().unwrap();
    found
}

/// The most that this process has had in memory; known on Linux only.
fn peak_memory_mib() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kib / 1024)
}
