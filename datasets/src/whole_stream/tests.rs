use std::fs;

use pixel::{Format, write_file};
use tempfile::TempDir;

use super::*;
use crate::A_LITTLE_ZOOM;
use crate::stream::PhotoStream;

/// `count` photos of different shapes; each has a red of its own, green and blue vary.
fn photos(count: u8) -> TempDir {
    let root = tempfile::tempdir().unwrap();
    for photo in 0..count {
        let (width, height) = if photo % 2 == 0 { (40 + u32::from(photo), 24) } else { (24, 50) };
        let varied = |i: u32| [photo * 10, (i % width * 5) as u8, (i / width * 5) as u8];
        let picture =
            Picture::from_rgb(width, height, (0..width * height).flat_map(varied).collect()).unwrap();
        write_file(&picture, root.path().join(format!("{photo:03}.png")), Format::Png).unwrap();
    }
    root
}

const CONFIG: StreamConfig = StreamConfig {
    seed: 5,
    crop: 16,
    batch: 1,
    augment: true,
    zoom: A_LITTLE_ZOOM,
    decode_threads: 2,
    start: StreamPosition { epoch: 0, index: 0 },
};

fn open(root: &TempDir, config: StreamConfig) -> WholePhotoStream {
    WholePhotoStream::resume(PhotoFolder::scan(root.path()).unwrap(), config, &[]).unwrap()
}

fn turns(stream: &mut WholePhotoStream, count: usize) -> Vec<WholeTurn> {
    (0..count).map(|_| stream.next_turn().unwrap()).collect()
}

#[test]
fn the_photos_of_the_stream_in_its_order() {
    let root = photos(9);
    fs::write(root.path().join("004.png"), b"dear diary").unwrap();
    let mut whole = open(&root, CONFIG);
    let mut stream = PhotoStream::new(PhotoFolder::scan(root.path()).unwrap(), CONFIG).unwrap();
    let mut found = Vec::new();
    for _ in 0..20 {
        let turn = whole.next_turn().unwrap();
        let red = turn.photo.as_ref().unwrap().byte_rgb[0];
        assert_eq!(red, stream.next_batch().unwrap().byte_rgb[0]);
        assert_eq!(red, turn.planned.photo as u8 * 10);
        assert_eq!(whole.position(), stream.position());
        assert_eq!(whole.known_skips(), stream.known_skips());
        assert_eq!(whole.skipped_count(), whole.skipped().len());
        found.push(turn);
    }
    assert_eq!(whole.skipped_count(), 1);
    let one_thread = StreamConfig { decode_threads: 1, ..CONFIG };
    assert!(found == turns(&mut open(&root, one_thread), 20), "whatever the number of threads");
}

#[test]
fn a_new_stream_continues_from_every_position() {
    let root = photos(5);
    let mut whole = open(&root, CONFIG);
    let mut positions = vec![whole.position()];
    let mut expected = Vec::new();
    for _ in 0..12 {
        expected.push(whole.next_turn().unwrap());
        positions.push(whole.position());
    }
    for (done, &start) in positions[..12].iter().enumerate() {
        let found = turns(&mut open(&root, StreamConfig { start, ..CONFIG }), 12 - done);
        assert!(found == expected[done..], "resumed at {start:?}");
    }
}

#[test]
fn what_is_kept_is_not_decoded_again() {
    let root = photos(6);
    fs::write(root.path().join("zzz.png"), b"dear diary").unwrap();
    let expected = turns(&mut open(&root, CONFIG), 60);
    let mut stream = open(&root, CONFIG);
    for photo in [1, 2, 4] {
        stream.keep(photo);
    }
    // What has been queued by then is decoded all the same.
    for (turn, expected) in turns(&mut stream, 60).into_iter().zip(&expected).skip(4) {
        assert_eq!(turn.planned, expected.planned);
        let is_kept = [1, 2, 4].contains(&turn.planned.photo);
        assert_eq!(turn.photo.as_ref(), expected.photo.as_ref().filter(|_| !is_kept));
    }
}

#[test]
fn the_short_side_is_what_the_crops_need() {
    for WholeTurn { planned, photo } in turns(&mut open(&photos(6), CONFIG), 6) {
        let (photo, index) = (photo.unwrap(), planned.photo as u32);
        assert_eq!(photo.width.min(photo.height), 18);
        let original = if index % 2 == 0 { (40 + index, 24) } else { (24, 50) };
        let expected = f64::from(original.0) / f64::from(original.1);
        let found = f64::from(photo.width) / f64::from(photo.height);
        assert!((found / expected - 1.0).abs() < 0.03, "{expected} became {found}");
        assert_eq!(photo.byte_rgb.len(), (photo.width * photo.height * 3) as usize);
    }
}

#[test]
fn crops_of_whole_photos_show_what_the_stream_shows() {
    let root = photos(7);
    for augment in [true, false] {
        let config = StreamConfig { augment, ..CONFIG };
        let mut whole = open(&root, config);
        let mut stream = PhotoStream::new(PhotoFolder::scan(root.path()).unwrap(), config).unwrap();
        for WholeTurn { planned, photo } in turns(&mut whole, 20) {
            let photo = photo.unwrap();
            let picture = Picture::from_rgb(photo.width, photo.height, photo.byte_rgb).unwrap();
            let kept = planned.plan.cut(&picture).unwrap();
            let streamed = stream.next_batch().unwrap().byte_rgb;
            // Resized twice instead of once: a little softer at the borders, on a ramp of about 8 a pixel.
            let furthest = kept.iter().zip(&streamed).map(|(a, b)| a.abs_diff(*b)).max().unwrap();
            assert!(furthest <= 8, "{planned:?}: {furthest}");
        }
        assert_eq!(whole.position(), stream.position());
    }
}

#[test]
fn a_panorama_gives_its_middle() {
    let root = tempfile::tempdir().unwrap();
    let rgb = (0..400).flat_map(|x| [if (150..250).contains(&x) { 200 } else { 0 }, x as u8, 0]);
    let row: Vec<u8> = rgb.collect();
    let picture = Picture::from_rgb(400, 20, row.repeat(20)).unwrap();
    write_file(&picture, root.path().join("wide.png"), Format::Png).unwrap();
    let photo = open(&root, CONFIG).next_turn().unwrap().photo.unwrap();
    assert_eq!((photo.width, photo.height), (72, 18));
    let middle = photo.byte_rgb[..216].as_chunks::<3>().0;
    assert!(middle[3..69].iter().all(|pixel| pixel[0] == 200), "{middle:?}");
}

#[test]
fn known_skips_are_not_tried_and_nothing_usable_is_an_error() {
    let root = photos(2);
    let known =
        [("000.png", "no")].map(|(photo, reason)| KnownSkip { photo: photo.into(), reason: reason.into() });
    let folder = Arc::new(PhotoFolder::scan(root.path()).unwrap());
    let mut whole = WholePhotoStream::resume(Arc::clone(&folder), CONFIG, &known).unwrap();
    assert!(turns(&mut whole, 3).iter().all(|turn| turn.planned.photo == 1));
    assert_eq!(whole.known_skips(), known);

    fs::write(root.path().join("001.png"), b"").unwrap();
    let mut whole = WholePhotoStream::resume(Arc::clone(&folder), CONFIG, &known).unwrap();
    let error = whole.next_turn().unwrap_err();
    assert!(matches!(error, StreamError::NoUsablePhotos { count: 2, .. }), "{error}");
    assert!(WholePhotoStream::resume(folder, StreamConfig { crop: 0, ..CONFIG }, &[]).is_err());
}
