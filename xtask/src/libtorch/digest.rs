//! The sha256 of a file, without reading it into memory.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use sha2::{Digest as _, Sha256};

use super::progress;

/// In lower-case hexadecimal, as `sha256sum` prints it.
pub(crate) fn sha256(path: &Path) -> Result<String> {
    let hasher = hash(path).with_context(|| format!("calculating the sha256 of {}", path.display()))?;
    Ok(hex(&hasher.finalize()))
}

/// The bytes in lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut hex, byte| {
        write!(hex, "{byte:02x}").expect("a string takes everything");
        hex
    })
}

fn hash(path: &Path) -> io::Result<Sha256> {
    let mut file = File::open(path)?;
    let bar = progress::of_bytes("checking", Some(file.metadata()?.len()));
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        hasher.update(&buffer[..read]);
        bar.inc(read as u64);
    }
    bar.finish_and_clear();
    Ok(hasher)
}

/// Fails, and removes the file, where its sha256 is not the expected one: what is wrong once stays wrong, and must
/// not stand in the way of the next try.
pub(super) fn verify(path: &Path, expected: &str) -> Result<()> {
    let found = sha256(path)?;
    if found != expected {
        fs::remove_file(path).with_context(|| format!("removing {}", path.display()))?;
        bail!("sha256 is {found}, expected {expected}; the file was removed: {}", path.display());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_digest_is_found_and_a_wrong_file_removed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("abc");
        fs::write(&path, "abc").unwrap();
        let known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256(&path).unwrap(), known);
        verify(&path, known).unwrap();
        assert!(path.exists());

        let error = verify(&path, "00").unwrap_err().to_string();
        assert!(error.contains(known) && error.contains("removed"), "{error}");
        assert!(!path.exists());
    }
}
