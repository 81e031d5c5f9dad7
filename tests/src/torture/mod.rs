//! The torture folder (crate `torture`): each of its files decoded, and all of them painted by the real program.

mod metadata;
mod painted;
mod read_only;

use pixel::{DecodeLimits, WriteError, decode_file};
use torture::Expectation;

use self::read_only::ReadOnly;

#[test]
fn every_good_picture_is_right_and_every_bad_one_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let entries = torture::make(folder.path()).unwrap();
    assert!(entries.len() > 50, "{}", entries.len());
    for entry in entries {
        let name = entry.name.display();
        let found = decode_file(folder.path().join(&entry.name), &DecodeLimits::default());
        match (entry.expectation, found) {
            (Expectation::Picture(good), Ok(picture)) => {
                if let Some(difference) = good.difference(&picture) {
                    panic!("{name} {difference}");
                }
            }
            (Expectation::Error(words), Err(error)) => {
                let text = error.to_string();
                assert!(text.contains(words), "{name}: `{words}` is not in: {text}");
                assert_eq!(text.lines().count(), 1, "{name}: {text}");
            }
            (expected, found) => panic!("{name}: expected {expected:?}, found {found:?}"),
        }
    }
}

#[test]
fn a_read_only_folder_can_be_read_and_says_why_it_cannot_be_written() {
    let folder = tempfile::tempdir().unwrap();
    torture::make(folder.path()).unwrap();
    let photos = folder.path().join("read-only");
    let locked = ReadOnly::lock(&photos);
    let photo = decode_file(photos.join("photo.png"), &DecodeLimits::default()).unwrap();
    if !locked.keeps_us_out() {
        return; // for root every folder is writable
    }
    let painted = photos.join("painted.png");
    let error = pixel::write_file(&photo, &painted, pixel::Format::Png).unwrap_err();
    assert!(matches!(error, WriteError::File(_)), "{error}");
    let text = error.to_string();
    assert!(text.contains("ermission denied") && text.ends_with("painted.png"), "{text}");
    assert_eq!(text.lines().count(), 1, "{text}");
}
