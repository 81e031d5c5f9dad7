use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use pixel::{Format, Picture, write_file};
use tempfile::TempDir;

use super::*;
use crate::skip::SkipReason;

/// `count` photos; the red of photo `i` is `i`, green and blue differ from pixel to pixel.
fn photos(count: u8) -> TempDir {
    let root = tempfile::tempdir().unwrap();
    for photo in 0..count {
        let (width, height) = (20 + u32::from(photo), 24);
        let rgb = (0..width * height).flat_map(|i| [photo, (i % 251) as u8, (i / 7 % 256) as u8]).collect();
        let picture = Picture::from_rgb(width, height, rgb).unwrap();
        write_file(&picture, root.path().join(format!("{photo:03}.png")), Format::Png).unwrap();
    }
    root
}

fn config() -> StreamConfig {
    StreamConfig {
        seed: 5,
        crop: 16,
        batch: 3,
        augment: true,
        zoom: A_LITTLE_ZOOM,
        decode_threads: 2,
        start: StreamPosition::default(),
    }
}

fn open(root: &Path, config: StreamConfig) -> PhotoStream {
    PhotoStream::new(PhotoFolder::scan(root).unwrap(), config).unwrap()
}

fn batches(stream: &mut PhotoStream, count: usize) -> Vec<ByteBatch> {
    (0..count).map(|_| stream.next_batch().unwrap()).collect()
}

/// Which photo each crop is of, by its red.
fn who(batches: &[ByteBatch]) -> Vec<u8> {
    batches.iter().flat_map(|batch| batch.byte_rgb.chunks_exact(16 * 16 * 3).map(|crop| crop[0])).collect()
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let root = photos(11);
    let with_threads =
        |decode_threads| batches(&mut open(root.path(), StreamConfig { decode_threads, ..config() }), 12);
    let one = with_threads(1);
    assert_eq!(one[0].byte_rgb.len(), 3 * 16 * 16 * 3);
    assert_eq!((one[0].count, one[0].height, one[0].width), (3, 16, 16));
    assert!(one == with_threads(3));
}

#[test]
fn every_photo_once_an_epoch_and_epochs_differ() {
    let root = photos(12);
    let found = who(&batches(&mut open(root.path(), config()), 12));
    let epochs: Vec<&[u8]> = found.chunks_exact(12).collect();
    for epoch in &epochs {
        assert_eq!(epoch.iter().copied().collect::<BTreeSet<_>>(), (0..12).collect(), "{epoch:?}");
    }
    assert_eq!(epochs.iter().collect::<BTreeSet<_>>().len(), 3, "three epochs, three orders");
}

#[test]
fn seeds_differ() {
    let root = photos(12);
    let with_seed = |seed| who(&batches(&mut open(root.path(), StreamConfig { seed, ..config() }), 4));
    assert_ne!(with_seed(1), with_seed(2));
}

#[test]
fn augmented_crops_change_from_epoch_to_epoch_and_plain_ones_do_not() {
    let root = photos(1);
    let of_one = |augment| batches(&mut open(root.path(), StreamConfig { augment, batch: 1, ..config() }), 6);
    let distinct =
        |augment| of_one(augment).iter().map(|b| b.byte_rgb.clone()).collect::<BTreeSet<_>>().len();
    assert_eq!(distinct(true), 6);
    assert_eq!(distinct(false), 1);
}

#[test]
fn a_new_stream_continues_from_every_position() {
    let root = photos(7);
    fs::write(root.path().join("broken.jpg"), b"no picture").unwrap();
    let mut whole = open(root.path(), config());
    let mut positions = vec![whole.position()];
    let mut expected = Vec::new();
    for _ in 0..8 {
        expected.push(whole.next_batch().unwrap());
        positions.push(whole.position());
    }
    assert!(positions.last().unwrap().epoch >= 3, "the test passes several epochs: {positions:?}");
    for (done, &start) in positions[..8].iter().enumerate() {
        let found = batches(&mut open(root.path(), StreamConfig { start, ..config() }), 8 - done);
        assert!(found == expected[done..], "resumed at {start:?}");
    }
}

#[test]
fn what_is_broken_is_left_out_tried_once_and_listed() {
    let root = photos(9);
    let intact = who(&batches(&mut open(root.path(), StreamConfig { batch: 1, ..config() }), 20));
    // Break two in place, so that the order of the folder stays; add an icon under a late name.
    fs::write(root.path().join("004.png"), b"").unwrap();
    fs::write(root.path().join("002.png"), b"dear diary").unwrap();

    let tries = Arc::new(Mutex::new(Vec::new()));
    let counted = Arc::clone(&tries);
    let load: Arc<Load<_, _>> = Arc::new(move |path: &Path, plan: &CropPlan| {
        counted.lock().unwrap().push(path.file_name().unwrap().to_owned());
        load_crop(path, plan)
    });
    let folder = Arc::new(PhotoFolder::scan(root.path()).unwrap());
    let narrow = StreamConfig { batch: 1, decode_threads: 1, ..config() };
    let mut stream = PhotoStream::with_loader(folder, narrow, &[], &load).unwrap();
    let expected: Vec<u8> = intact.into_iter().filter(|photo| ![2, 4].contains(photo)).collect();
    assert_eq!(who(&batches(&mut stream, expected.len())), expected, "the others keep their order");

    let listed: Vec<String> = stream.skipped().iter().map(ToString::to_string).collect();
    assert_eq!(listed.len(), 2, "{listed:?}");
    assert!(
        listed[0].ends_with("002.png: not a picture, known are JPEG, PNG, WebP, TIFF, BMP, GIF"),
        "{listed:?}"
    );
    assert!(listed[1].ends_with("004.png: the file is empty (0 bytes)"), "{listed:?}");
    drop(stream);
    let tries = tries.lock().unwrap();
    let empty = tries.iter().filter(|name| *name == "004.png").count();
    assert_eq!(empty, 1, "{tries:?}");
}

#[test]
fn a_tiny_photo_is_skipped() {
    let root = photos(1);
    let icon = Picture::from_rgb(200, 15, vec![0; 9000]).unwrap();
    write_file(&icon, root.path().join("icon.png"), Format::Png).unwrap();
    let mut stream = open(root.path(), config());
    assert_eq!(who(&batches(&mut stream, 2)), [0; 6]);
    let skipped = stream.skipped();
    assert!(matches!(skipped[0].reason, SkipReason::TooSmall { width: 200, height: 15 }), "{skipped:?}");
}

#[test]
fn a_folder_with_nothing_usable_is_an_error() {
    let root = tempfile::tempdir().unwrap();
    for name in ["b.jpg", "a.jpg"] {
        fs::write(root.path().join(name), b"").unwrap();
    }
    let mut stream = open(root.path(), config());
    let error = stream.next_batch().unwrap_err();
    let StreamError::NoUsablePhotos { count: 2, example } = &error else { panic!("{error}") };
    assert!(example.path.ends_with("a.jpg"));
    assert_eq!(stream.skipped().len(), 2);
}

#[test]
fn a_photo_that_crashes_the_decoder_is_skipped() {
    let root = photos(3);
    let folder = Arc::new(PhotoFolder::scan(root.path()).unwrap());
    let load: Arc<Load<_, _>> = Arc::new(|path: &Path, plan: &CropPlan| {
        assert!(!path.ends_with("001.png"), "as if by a bug");
        load_crop(path, plan)
    });
    let mut stream = PhotoStream::with_loader(folder, config(), &[], &load).unwrap();
    let found = who(&batches(&mut stream, 4));
    assert_eq!(found.iter().collect::<BTreeSet<_>>(), [0, 2].iter().collect(), "{found:?}");
    let [skipped] = &stream.skipped()[..] else { panic!("{:?}", stream.skipped()) };
    let text = skipped.to_string();
    assert!(text.ends_with("001.png: the decoder crashed on the photo: as if by a bug"), "{text}");
}

#[test]
fn a_blank_photo_is_skipped() {
    let root = photos(1);
    let white = Picture::from_rgb(40, 40, vec![255; 4800]).unwrap();
    write_file(&white, root.path().join("page.jpg"), Format::Jpeg { quality: 80 }).unwrap();
    let mut stream = open(root.path(), config());
    assert_eq!(who(&batches(&mut stream, 2)), [0; 6]);
    let [skipped] = &stream.skipped()[..] else { panic!("{:?}", stream.skipped()) };
    assert!(matches!(skipped.reason, SkipReason::Blank { standard_deviation: 0.0 }), "{skipped}");
}

#[test]
fn a_resumed_stream_knows_what_was_skipped() {
    let root = photos(8);
    for name in ["003.png", "006.png"] {
        fs::write(root.path().join(name), b"dear diary").unwrap();
    }
    let mut whole = open(root.path(), config());
    batches(&mut whole, 3);
    let known: Vec<KnownSkip> =
        serde_json::from_str(&serde_json::to_string(&whole.known_skips()).unwrap()).unwrap();
    assert_eq!(known.iter().map(|skip| &skip.photo[..]).collect::<Vec<_>>(), ["003.png", "006.png"]);
    let start = whole.position();

    let tries = Arc::new(Mutex::new(BTreeSet::new()));
    let seen = Arc::clone(&tries);
    let load: Arc<Load<_, _>> = Arc::new(move |path: &Path, plan: &CropPlan| {
        seen.lock().unwrap().insert(path.file_name().unwrap().to_owned());
        load_crop(path, plan)
    });
    let gone = KnownSkip { photo: "gone.png".to_owned(), reason: "lost".to_owned() };
    let folder = Arc::new(PhotoFolder::scan(root.path()).unwrap());
    let config = StreamConfig { start, ..config() };
    let mut resumed =
        PhotoStream::with_loader(folder, config, &[&known[..], &[gone]].concat(), &load).unwrap();
    assert!(batches(&mut resumed, 5) == batches(&mut whole, 5));

    let listed = |stream: &PhotoStream| stream.skipped().iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(listed(&resumed), listed(&whole));
    assert_eq!(resumed.known_skips(), known);
    drop(resumed);
    let tries = tries.lock().unwrap();
    assert!(tries.len() == 6 && !tries.iter().any(|name| name == "003.png"), "{tries:?}");
}

#[test]
fn a_folder_known_to_be_useless_is_an_error_at_once() {
    let root = photos(2);
    let known = ["000.png", "001.png"].map(|photo| KnownSkip { photo: photo.into(), reason: "no".into() });
    let folder = PhotoFolder::scan(root.path()).unwrap();
    let error = PhotoStream::resume(folder, config(), &known).unwrap().next_batch().unwrap_err();
    assert!(matches!(error, StreamError::NoUsablePhotos { count: 2, .. }), "{error}");
}

#[test]
fn dropping_does_not_wait_for_what_is_queued() {
    let root = photos(4);
    let folder = Arc::new(PhotoFolder::scan(root.path()).unwrap());
    let load: Arc<Load<_, _>> = Arc::new(|path: &Path, plan: &CropPlan| {
        std::thread::sleep(Duration::from_millis(50));
        load_crop(path, plan)
    });
    let deep = StreamConfig { batch: 100, ..config() };
    let stream = PhotoStream::with_loader(folder, deep, &[], &load).unwrap();
    let start = Instant::now();
    drop(stream);
    // 202 jobs of 50 ms on two threads would take 5 s.
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
}

#[test]
fn bad_settings_are_refused() {
    let root = photos(2);
    let refused = |config| PhotoStream::new(PhotoFolder::scan(root.path()).unwrap(), config).err().unwrap();
    assert_eq!(
        refused(StreamConfig { batch: 0, ..config() }).to_string(),
        "batch must be at least 1, found 0"
    );
    assert!(matches!(refused(StreamConfig { crop: 0, ..config() }), StreamError::Zero { setting: "crop" }));
    let beyond = StreamPosition { epoch: 1, index: 2 };
    assert!(matches!(
        refused(StreamConfig { start: beyond, ..config() }),
        StreamError::StartBeyondEnd { index: 2, len: 2, .. }
    ));
}
