//! What outputs are called: `photo.great-wave.jpg`.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use anyhow::Context as _;
use pixel::Format;

/// The name of the picture that `input` becomes with `look`. Keeps the photo's suffix; that of a format which is not
/// written (GIF) becomes `png`, which loses nothing.
pub(super) fn default_name(input: &Path, look: &OsStr, format: Option<Format>) -> anyhow::Result<OsString> {
    let stem = input.file_stem().with_context(|| format!("not a picture file: {}", input.display()))?;
    let suffix = match (format, input.extension()) {
        (Some(format), _) => OsStr::new(format.suffix()),
        (None, Some(suffix)) if Format::from_path(input).is_ok() => suffix,
        (None, Some(suffix)) if suffix.eq_ignore_ascii_case("jfif") || suffix.eq_ignore_ascii_case("jpe") => {
            OsStr::new("jpg")
        }
        (None, _) => OsStr::new("png"),
    };
    let mut name = stem.to_owned();
    for part in [look, suffix] {
        name.push(".");
        name.push(part);
    }
    Ok(name)
}

/// Whether a file is named as a picture made with `look`.
pub(super) fn is_named_for(file: &Path, look: &OsStr) -> bool {
    let stem = file.file_stem().unwrap_or_default().as_encoded_bytes();
    stem.strip_suffix(look.as_encoded_bytes())
        .is_some_and(|before| before.len() > 1 && before.ends_with(b"."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(input: &str, format: Option<Format>) -> String {
        let name = default_name(Path::new(input), OsStr::new("great-wave"), format).unwrap();
        name.into_string().unwrap()
    }

    #[test]
    fn the_style_comes_before_the_suffix() {
        assert_eq!(name("trip/photo.jpg", None), "photo.great-wave.jpg");
        assert_eq!(name("photo.tar.PNG", None), "photo.tar.great-wave.PNG");
        assert_eq!(name("wave.gif", None), "wave.great-wave.png");
        assert_eq!(name("old.JFIF", None), "old.great-wave.jpg");
        assert_eq!(name("scan", None), "scan.great-wave.png");
        assert_eq!(name("photo.jpg", Some(Format::WebP)), "photo.great-wave.webp");
        assert!(default_name(Path::new(".."), OsStr::new("x"), None).is_err());
    }

    #[test]
    fn earlier_outputs_are_known_by_their_names() {
        let is_output = |file| is_named_for(Path::new(file), OsStr::new("great-wave"));
        assert!(is_output("a/photo.great-wave.jpg") && is_output("photo.great-wave.png"));
        for photo in
            ["great-wave.jpg", "the-great-wave.jpg", "photo.jpg", ".great-wave.jpg", "great-wave", ""]
        {
            assert!(!is_output(photo), "{photo}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn names_need_not_be_unicode() {
        use std::os::unix::ffi::OsStrExt as _;
        let input = Path::new(OsStr::from_bytes(b"caf\xe9.jpg"));
        let name = default_name(input, OsStr::new("x"), None).unwrap();
        assert_eq!(name.as_bytes(), b"caf\xe9.x.jpg");
    }
}
