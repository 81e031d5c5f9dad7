//! A folder of pictures as they come: turned, deep, clear, tiny, long, mislabelled, oddly named, and some that are none.
//!
//! Each good one shows the same scene, four fields of one colour each, whatever its kind and however it is stored.

mod drawn;
mod read_only;

use std::fs;
use std::path::{Path, PathBuf};

use pixel::{DecodeLimits, Picture, WriteError, decode_file};

use self::read_only::ReadOnly;

/// The fields: top left, top right, bottom left, bottom right.
type Fields = [[u8; 3]; 4];

const SCENE: Fields = [[220, 30, 40], [40, 180, 60], [30, 60, 200], [200, 200, 200]];
const GRAY_SCENE: Fields = [[88; 3], [124; 3], [67; 3], [200; 3]];
const WIDTH: u32 = 24;
const HEIGHT: u32 = 16;

/// A file of the folder.
pub(crate) struct Entry {
    /// Its name in the folder, with the folder in it where there is one.
    pub(crate) name: PathBuf,
    pub(crate) expectation: Expectation,
}

/// What is to become of a file.
#[derive(Debug)]
pub(crate) enum Expectation {
    /// A picture.
    Picture(Good),
    /// One line of error with these words.
    Error(&'static str),
}

/// What a good file shows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Good {
    pub(crate) width: u32,
    pub(crate) height: u32,
    fields: Fields,
    /// By how much a value may be off; at 0 every pixel is looked at, otherwise the middles of the fields.
    tolerance: u8,
    /// The alpha of the right half; the left is opaque.
    pub(crate) alpha_on_the_right: Option<u8>,
}

impl Good {
    const SCENE: Self =
        Self { width: WIDTH, height: HEIGHT, fields: SCENE, tolerance: 0, alpha_on_the_right: None };

    const fn within(self, tolerance: u8) -> Self {
        Self { tolerance, ..self }
    }

    const fn sized(self, width: u32, height: u32) -> Self {
        Self { width, height, ..self }
    }

    /// Which field a pixel belongs to; a picture of one column has no right half.
    const fn field(&self, x: u32, y: u32) -> [u8; 3] {
        self.fields[(2 * x >= self.width) as usize + 2 * (2 * y >= self.height) as usize]
    }

    fn difference(&self, picture: &Picture) -> Option<String> {
        let size = (picture.width(), picture.height());
        if size != (self.width, self.height) {
            return Some(format!("has the size {size:?}"));
        }
        let middles = |side: u32| [side / 4, side * 3 / 4];
        let looked_at: Vec<(u32, u32)> = if self.tolerance == 0 {
            (0..self.height).flat_map(|y| (0..self.width).map(move |x| (x, y))).collect()
        } else {
            middles(self.height).into_iter().flat_map(|y| middles(self.width).map(|x| (x, y))).collect()
        };
        let pixels = picture.rgb().as_chunks::<3>().0;
        for (x, y) in looked_at {
            let at = (y * self.width + x) as usize;
            let (found, expected) = (pixels[at], self.field(x, y));
            if found.iter().zip(expected).any(|(a, b)| a.abs_diff(b) > self.tolerance) {
                return Some(format!("has {found:?} at {x},{y}, not {expected:?}"));
            }
            let alpha = picture.alpha().map_or(255, |alpha| alpha[at]);
            let expected = self.alpha_on_the_right.filter(|_| 2 * x >= self.width).unwrap_or(255);
            if alpha != expected {
                return Some(format!("has the alpha {alpha} at {x},{y}, not {expected}"));
            }
        }
        None
    }
}

/// Fills an empty folder, and says what it put there.
pub(crate) fn make(folder: &Path) -> Vec<Entry> {
    let mut files = drawn::turned();
    files.extend(drawn::sorts());
    files.extend(drawn::profiled());
    files.extend(drawn::sizes());
    files.extend(drawn::names());
    files.extend(drawn::broken());
    files.extend(fixtures());
    files
        .into_iter()
        .map(|(name, bytes, expectation)| {
            let path = folder.join(&name);
            fs::create_dir_all(path.parent().expect("in the folder")).unwrap();
            fs::write(path, bytes).unwrap();
            Entry { name: PathBuf::from(name), expectation }
        })
        .collect()
}

type File = (String, Vec<u8>, Expectation);

fn good(name: impl Into<String>, bytes: Vec<u8>, good: Good) -> File {
    (name.into(), bytes, Expectation::Picture(good))
}

fn bad(name: &str, bytes: impl Into<Vec<u8>>, words: &'static str) -> File {
    (name.to_owned(), bytes.into(), Expectation::Error(words))
}

/// What nothing here can write.
fn fixtures() -> Vec<File> {
    let read = |name: &str| {
        fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../common/pixel/tests/fixtures").join(name))
            .unwrap()
    };
    [
        ("progressive.jpg", 4),
        ("subsampled.jpg", 8),
        ("cmyk.jpg", 4),
        ("cmyk_plain.jpg", 4),
        ("cmyk.tif", 0),
        ("palette.png", 0),
        ("palette.bmp", 0),
        ("lossy.webp", 8),
        ("broken_profile.jpg", 4),
    ]
    .map(|(name, tolerance)| good(name, read(name), Good::SCENE.within(tolerance)))
    .into_iter()
    .chain([
        bad("bomb.png", read("bomb.png"), "60000x60000"),
        bad("bomb.jpg", read("bomb.jpg"), "60000x60000"),
    ])
    .collect()
}

#[test]
fn every_good_picture_is_right_and_every_bad_one_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let entries = make(folder.path());
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
    make(folder.path());
    let photos = folder.path().join("read-only");
    let _locked = ReadOnly::lock(&photos);
    let photo = decode_file(photos.join("photo.png"), &DecodeLimits::default()).unwrap();
    if fs::write(photos.join("probe"), "").is_ok() {
        return; // for root every folder is writable
    }
    let painted = photos.join("painted.png");
    let error = pixel::write_file(&photo, &painted, pixel::Format::Png).unwrap_err();
    assert!(matches!(error, WriteError::File(_)), "{error}");
    let text = error.to_string();
    assert!(text.contains("ermission denied") && text.ends_with("painted.png"), "{text}");
    assert_eq!(text.lines().count(), 1, "{text}");
}
