//! A folder of pictures as they come: turned, deep, clear, tiny, long, mislabelled, oddly named, and some that are none.
//!
//! Each good one shows the same scene, four fields of one colour each, whatever its kind and however it is stored.

mod drawn;
mod scene;

use std::path::{Path, PathBuf};
use std::{fs, io};

pub use drawn::MAKER;
pub use scene::Good;

/// A file of the folder.
pub struct Entry {
    /// Its name in the folder, with the folder in it where there is one.
    pub name: PathBuf,
    /// What is to become of it.
    pub expectation: Expectation,
}

/// What is to become of a file.
#[derive(Debug)]
pub enum Expectation {
    /// A picture.
    Picture(Good),
    /// One line of error with these words.
    Error(&'static str),
}

/// Fills an empty folder, and says what it put there. The folder `read-only` in it is left for the caller to lock.
///
/// # Errors
/// A file cannot be written, or one of the fixtures not be read.
pub fn make(folder: &Path) -> io::Result<Vec<Entry>> {
    let mut files = drawn::turned();
    files.extend(drawn::sorts());
    files.extend(drawn::profiled());
    files.extend(drawn::sizes());
    files.extend(drawn::names());
    files.extend(drawn::broken());
    files.extend(fixtures()?);
    let put = |(name, bytes, expectation): File| {
        let path = folder.join(&name);
        fs::create_dir_all(path.parent().expect("in the folder"))?;
        fs::write(path, bytes)?;
        Ok(Entry { name: PathBuf::from(name), expectation })
    };
    files.into_iter().map(put).collect()
}

type File = (String, Vec<u8>, Expectation);

fn good(name: impl Into<String>, bytes: Vec<u8>, good: Good) -> File {
    (name.into(), bytes, Expectation::Picture(good))
}

fn bad(name: &str, bytes: impl Into<Vec<u8>>, words: &'static str) -> File {
    (name.to_owned(), bytes.into(), Expectation::Error(words))
}

/// What nothing here can write.
fn fixtures() -> io::Result<Vec<File>> {
    let read =
        |name: &str| fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures").join(name));
    let pictures = [
        ("progressive.jpg", 4),
        ("subsampled.jpg", 8),
        ("cmyk.jpg", 4),
        ("cmyk_plain.jpg", 4),
        ("cmyk.tif", 0),
        ("palette.png", 0),
        ("palette.bmp", 0),
        ("lossy.webp", 8),
        ("broken_profile.jpg", 4),
    ];
    let bombs = ["bomb.png", "bomb.jpg"];
    let pictures =
        pictures.into_iter().map(|(name, off_by)| Ok(good(name, read(name)?, Good::SCENE.within(off_by))));
    pictures.chain(bombs.into_iter().map(|name| Ok(bad(name, read(name)?, "60000x60000")))).collect()
}
