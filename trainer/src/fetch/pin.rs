//! sha256 sums: what is expected of a file, and what it has.

use std::fmt::{self, Write as _};
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use sha2::{Digest as _, Sha256};

/// How a file is recognised, in lower-case hexadecimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pin<'a> {
    /// By its sha256.
    Sha256(&'a str),
    /// By the first digits of its sha256. Enough against a damaged or outdated file; a forged one could be made to fit.
    Sha256Prefix(&'a str),
    /// Not at all.
    Unpinned,
}

impl Pin<'_> {
    /// Is it the file's? None where nothing is known of it.
    pub(super) fn fits(self, sha256: &str) -> Option<bool> {
        match self {
            Self::Sha256(expected) => Some(sha256 == expected),
            Self::Sha256Prefix(expected) => Some(sha256.starts_with(expected)),
            Self::Unpinned => None,
        }
    }
}

impl fmt::Display for Pin<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sha256(digits) => f.write_str(digits),
            Self::Sha256Prefix(digits) => write!(f, "{digits}..."),
            Self::Unpinned => f.write_str("any"),
        }
    }
}

pub(super) fn sha256_of_file(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok(hex(hasher));
        }
        hasher.update(&buffer[..read]);
    }
}

pub(super) fn sha256_of_all<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    hex(hasher)
}

fn hex(hasher: Sha256) -> String {
    let mut hex = String::with_capacity(64);
    for byte in hasher.finalize() {
        write!(hex, "{byte:02x}").expect("a string takes everything");
    }
    hex
}

#[cfg(test)]
mod tests {
    use super::*;

    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn the_sum_of_a_file_is_the_known_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("abc");
        std::fs::write(&path, "abc").unwrap();
        assert_eq!(sha256_of_file(&path).unwrap(), ABC);
        assert_eq!(sha256_of_all([b"a".as_slice(), b"bc"]), ABC);
    }

    #[test]
    fn a_prefix_fits_and_nothing_is_said_without_a_pin() {
        assert_eq!(Pin::Sha256(ABC).fits(ABC), Some(true));
        assert_eq!(Pin::Sha256Prefix("ba7816bf").fits(ABC), Some(true));
        assert_eq!(Pin::Sha256Prefix("ba7816be").fits(ABC), Some(false));
        assert_eq!(Pin::Unpinned.fits(ABC), None);
    }
}
