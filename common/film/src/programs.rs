//! The programs themselves: where they are, and whether they are new enough.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::{env, io};

use crate::FilmError;

/// The oldest version whose options are those that we use (`-fps_mode`).
pub(crate) const OLDEST: &str = "5.1";
const OLDEST_NUMBERS: (u32, u32) = (5, 1);

/// `ffmpeg` and `ffprobe`, found and new enough.
#[derive(Clone, Debug)]
pub struct Programs {
    ffmpeg: PathBuf,
    ffprobe: PathBuf,
    encoders: BTreeSet<String>,
    /// Asked for only by films of high dynamic range: a call of ffmpeg takes a tenth of a second.
    filters: OnceLock<BTreeSet<String>>,
}

impl Programs {
    /// Finds both, by `ATELIER_FFMPEG` and `ATELIER_FFPROBE` or on the path, and asks what they can encode.
    ///
    /// # Errors
    /// One is not there, or too old.
    pub fn find() -> Result<Self, FilmError> {
        let ffmpeg = checked("ffmpeg", "ATELIER_FFMPEG")?;
        let ffprobe = checked("ffprobe", "ATELIER_FFPROBE")?;
        let encoders = names(&ffmpeg, "-encoders")?;
        Ok(Self { ffmpeg, ffprobe, encoders, filters: OnceLock::new() })
    }

    /// Whether this ffmpeg encodes so.
    pub fn has_encoder(&self, name: &str) -> bool {
        self.encoders.contains(name)
    }

    /// Whether this ffmpeg has such a filter.
    pub fn has_filter(&self, name: &str) -> bool {
        // An ffmpeg that does not answer has none that could be used.
        let filters = self.filters.get_or_init(|| names(&self.ffmpeg, "-filters").unwrap_or_default());
        filters.contains(name)
    }

    /// A call of ffmpeg that neither waits for keys nor greets.
    pub(crate) fn ffmpeg(&self) -> Command {
        let mut command = Command::new(&self.ffmpeg);
        command.args(["-hide_banner", "-nostdin", "-nostats", "-y"]);
        command
    }

    pub(crate) fn ffprobe(&self) -> Command {
        Command::new(&self.ffprobe)
    }
}

/// A path that ffmpeg takes for a file whatever its name is: `12:30.mp4` would be a protocol, and `-a.mp4` an option.
pub(crate) fn as_file(path: &Path) -> PathBuf {
    Path::new(".").join(path)
}

/// The names that ffmpeg lists as ` V....D libx264   description`, after a legend.
fn names(ffmpeg: &Path, list: &str) -> Result<BTreeSet<String>, FilmError> {
    let output = Command::new(ffmpeg).args(["-hide_banner", list]).stdin(Stdio::null()).output();
    let output = output.map_err(|cause| FilmError::Run { program: "ffmpeg", cause })?;
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text.lines().filter_map(|line| line.split_whitespace().nth(1)).map(str::to_owned).collect())
}

fn checked(program: &'static str, variable: &'static str) -> Result<PathBuf, FilmError> {
    let path = env::var_os(variable).map_or_else(|| PathBuf::from(program), PathBuf::from);
    let output = Command::new(&path).arg("-version").stdin(Stdio::null()).output();
    let output = output.map_err(|cause| match cause.kind() {
        io::ErrorKind::NotFound => FilmError::Missing { program, variable },
        _ => FilmError::Run { program, cause },
    })?;
    let text = String::from_utf8_lossy(&output.stdout);
    check_version(program, &path, text.lines().next().unwrap_or_default())?;
    Ok(path)
}

/// Takes the first line that the program says. Builds between releases are called by a date or a count, and are taken.
fn check_version(program: &'static str, path: &Path, line: &str) -> Result<(), FilmError> {
    let found = line.split_whitespace().nth(2).unwrap_or_default();
    let mut numbers = found.trim_start_matches('n').split(|character: char| !character.is_ascii_digit());
    let mut number = || numbers.next().and_then(|digits| digits.parse::<u32>().ok());
    match (number(), number()) {
        (Some(major), minor) if (major, minor.unwrap_or(0)) < OLDEST_NUMBERS => {
            Err(FilmError::TooOld { program, found: found.to_owned(), path: path.to_owned() })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_number() {
        let check = |version: &str| {
            check_version("ffmpeg", Path::new("ffmpeg"), &format!("ffmpeg version {version} Copyright"))
        };
        for taken in ["5.1.9-0+deb12u1", "n6.0", "7.1", "10.0", "2024-05-01-git-abc", "N-113000-gabc", "5.1"]
        {
            assert!(check(taken).is_ok(), "{taken}");
        }
        for refused in ["4.4.2-0ubuntu0.22.04.1", "n5.0.1", "5.0", "3.4"] {
            let error = check(refused).unwrap_err().to_string();
            assert!(error.contains(refused) && error.contains("5.1 or newer"), "{error}");
        }
    }
}
