//! Frames as numbered picture files: `frames/%05d.png`.

use std::path::{Path, PathBuf};

/// A name with a place for a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Numbered {
    folder: PathBuf,
    before: String,
    digits: usize,
    after: String,
}

impl Numbered {
    /// `%d` or `%05d` in the file's name.
    pub(super) fn parse(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?;
        let (before, rest) = name.split_once('%')?;
        let (digits, after) = rest.split_once('d')?;
        let digits = match digits {
            "" => 1,
            digits => digits.strip_prefix('0')?.parse().ok().filter(|digits| (1..=12).contains(digits))?,
        };
        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
        Some(Self { folder, before: before.to_owned(), digits, after: after.to_owned() })
    }

    /// Five digits in a folder, with this suffix.
    pub(super) fn in_folder(folder: &Path, suffix: &str) -> Self {
        Self { folder: folder.to_owned(), before: String::new(), digits: 5, after: format!(".{suffix}") }
    }

    pub(super) fn folder(&self) -> &Path {
        if self.folder.as_os_str().is_empty() { Path::new(".") } else { &self.folder }
    }

    pub(super) fn path(&self, number: u64) -> PathBuf {
        let Self { folder, before, digits, after } = self;
        folder.join(format!("{before}{number:0digits$}{after}"))
    }

    /// The number in a file's name, if it is one of these.
    fn number(&self, name: &str) -> Option<u64> {
        let digits = name.strip_prefix(&self.before)?.strip_suffix(&self.after)?;
        let is_number = digits.len() >= self.digits && digits.bytes().all(|byte| byte.is_ascii_digit());
        digits.parse().ok().filter(|_| is_number)
    }

    /// The files that are there, by their numbers.
    pub(super) fn existing(&self) -> std::io::Result<Vec<PathBuf>> {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(self.folder())? {
            let name = entry?.file_name();
            if let Some(number) = name.to_str().and_then(|name| self.number(name)) {
                found.push((number, self.folder.join(name)));
            }
        }
        found.sort();
        Ok(found.into_iter().map(|(_, path)| path).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_their_place() {
        let frames = Numbered::parse(Path::new("a/f_%03d.png")).unwrap();
        assert_eq!(frames.path(7), Path::new("a/f_007.png"));
        assert_eq!(frames.path(1234), Path::new("a/f_1234.png"));
        assert_eq!(frames.number("f_012.png"), Some(12));
        for other in ["f_12.png", "f_0x2.png", "g_012.png", "f_012.jpg", "f_.png"] {
            assert_eq!(frames.number(other), None, "{other}");
        }
        for path in ["a.png", "a%.png", "a%5d.png", "a%s.png", "a%099d.png"] {
            assert_eq!(Numbered::parse(Path::new(path)), None, "{path}");
        }
    }

    #[test]
    fn files_come_by_number_whatever_their_digits() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["f10.png", "f9.png", "f100.png", "g1.png"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let found = Numbered::parse(&folder.path().join("f%d.png")).unwrap().existing().unwrap();
        let names: Vec<_> = found.iter().map(|path| path.file_name().unwrap().to_str().unwrap()).collect();
        assert_eq!(names, ["f9.png", "f10.png", "f100.png"]);
    }
}
