use std::fs;

use pixel::{Format, write_file};
use tempfile::TempDir;

use super::*;
use crate::order::StreamPosition;
use crate::schedule::Schedule;
use crate::stream::{PhotoStream, StreamConfig};

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

const CONFIG: WholeConfig = WholeConfig { seed: 5, crop: 16, decode_threads: 2 };

fn stream_config(augment: bool) -> StreamConfig {
    StreamConfig { seed: 5, crop: 16, batch: 1, augment, decode_threads: 2, start: StreamPosition::default() }
}

fn all(root: &TempDir, config: WholeConfig) -> Vec<WholePhoto> {
    let folder = PhotoFolder::scan(root.path()).unwrap();
    WholePhotos::new(folder, config, &[]).unwrap().collect::<Result<_, _>>().unwrap()
}

#[test]
fn each_usable_photo_once_in_the_order_of_the_stream() {
    let root = photos(9);
    fs::write(root.path().join("004.png"), b"dear diary").unwrap();
    let folder = Arc::new(PhotoFolder::scan(root.path()).unwrap());
    let mut whole = WholePhotos::new(Arc::clone(&folder), CONFIG, &[]).unwrap();
    let found: Vec<WholePhoto> = whole.by_ref().collect::<Result<_, _>>().unwrap();
    assert!(whole.next().is_none());

    let mut stream = PhotoStream::new(folder, stream_config(true)).unwrap();
    let streamed: Vec<u8> = (0..8).map(|_| stream.next_batch().unwrap().byte_rgb[0]).collect();
    assert_eq!(found.iter().map(|photo| photo.byte_rgb[0]).collect::<Vec<_>>(), streamed);
    assert_eq!(found.iter().map(|photo| photo.photo as u8 * 10).collect::<Vec<_>>(), streamed);
    assert_eq!(whole.known_skips(), stream.known_skips());
    assert!(
        found == all(&root, WholeConfig { decode_threads: 1, ..CONFIG }),
        "whatever the number of threads"
    );
}

#[test]
fn the_short_side_is_what_the_crops_need() {
    for photo in all(&photos(6), CONFIG) {
        assert_eq!(photo.width.min(photo.height), 18);
        let original = if photo.photo % 2 == 0 { (40 + photo.photo as u32, 24) } else { (24, 50) };
        let expected = f64::from(original.0) / f64::from(original.1);
        let found = f64::from(photo.width) / f64::from(photo.height);
        assert!((found / expected - 1.0).abs() < 0.03, "{expected} became {found}");
        assert_eq!(photo.byte_rgb.len(), (photo.width * photo.height * 3) as usize);
    }
}

#[test]
fn crops_of_whole_photos_show_what_the_stream_shows() {
    let root = photos(7);
    let whole = all(&root, CONFIG);
    for augment in [true, false] {
        let mut schedule = Schedule::new(&stream_config(augment), 7);
        let folder = PhotoFolder::scan(root.path()).unwrap();
        let mut stream = PhotoStream::new(folder, stream_config(augment)).unwrap();
        let mut position = StreamPosition::default();
        for _ in 0..20 {
            let planned = schedule.at(position);
            let photo = whole.iter().find(|photo| photo.photo == planned.photo).unwrap();
            let picture = Picture::from_rgb(photo.width, photo.height, photo.byte_rgb.clone()).unwrap();
            let kept = planned.plan.cut(&picture).unwrap();
            let streamed = stream.next_batch().unwrap().byte_rgb;
            // Resized twice instead of once: a little softer at the borders, on a ramp of about 8 a pixel.
            let furthest = kept.iter().zip(&streamed).map(|(a, b)| a.abs_diff(*b)).max().unwrap();
            assert!(furthest <= 8, "{planned:?}: {furthest}");
            position = schedule.after(position);
        }
        assert_eq!(position, stream.position());
    }
}

#[test]
fn a_panorama_gives_its_middle() {
    let root = tempfile::tempdir().unwrap();
    let rgb = (0..400).flat_map(|x| [if (150..250).contains(&x) { 200 } else { 0 }, x as u8, 0]);
    let row: Vec<u8> = rgb.collect();
    let picture = Picture::from_rgb(400, 20, row.repeat(20)).unwrap();
    write_file(&picture, root.path().join("wide.png"), Format::Png).unwrap();
    let [photo] = &all(&root, CONFIG)[..] else { panic!() };
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
    let mut whole = WholePhotos::new(Arc::clone(&folder), CONFIG, &known).unwrap();
    assert_eq!(whole.next().unwrap().unwrap().photo, 1);
    assert!(whole.next().is_none());
    assert_eq!(whole.known_skips(), known);

    fs::write(root.path().join("001.png"), b"").unwrap();
    let mut whole = WholePhotos::new(Arc::clone(&folder), CONFIG, &known).unwrap();
    let error = whole.next().unwrap().unwrap_err();
    assert!(matches!(error, StreamError::NoUsablePhotos { count: 2, .. }), "{error}");
    assert!(whole.next().is_none());
    assert!(WholePhotos::new(folder, WholeConfig { crop: 0, ..CONFIG }, &[]).is_err());
}
