//! What is to be painted: files, folders, patterns and stdin become a list of pictures.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use common::exit_status::UsageError;
use pixel::has_picture_suffix;
use walkdir::{DirEntry, WalkDir};

use super::same_file::same_file_key;

/// Where a photo comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Stdin,
    File(PathBuf),
}

/// A photo to paint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Input {
    pub(super) source: Source,
    /// The folder it goes to below an output folder: its place in the folder that was named.
    pub(super) below: PathBuf,
}

/// What the arguments stand for.
#[derive(Debug, Default)]
pub(super) struct Inputs {
    /// Each file once.
    pub(super) list: Vec<Input>,
    /// Not the user but a folder or a pattern decides how many there are.
    pub(super) is_open_ended: bool,
}

/// Lists the pictures. Folders and patterns stand for what is named like a picture, is not hidden and is no
/// `is_earlier_output`; a path that exists is never taken for a pattern. Files that are named one by one are taken as
/// they are, there or not: each is reported in its turn.
pub(super) fn collect(
    arguments: &[PathBuf],
    is_recursive: bool,
    is_earlier_output: &dyn Fn(&Path) -> bool,
) -> anyhow::Result<Inputs> {
    let is_stdin = |argument: &PathBuf| argument.as_os_str() == "-";
    if arguments.iter().any(is_stdin) {
        if arguments.len() > 1 {
            bail!(UsageError("`-` (stdin) is one picture and comes alone".to_owned()));
        }
        let stdin = Input { source: Source::Stdin, below: PathBuf::new() };
        return Ok(Inputs { list: vec![stdin], is_open_ended: false });
    }
    let search = Search { is_recursive, is_earlier_output };
    let mut inputs = Inputs::default();
    for argument in arguments {
        if argument.is_dir() {
            inputs.is_open_ended = true;
            inputs.list.extend(search.folder(argument)?);
        } else if let (false, Some(pattern)) = (argument.exists(), as_pattern(argument)) {
            inputs.is_open_ended = true;
            inputs.list.extend(search.pattern(pattern)?);
        } else {
            inputs.list.push(Input { source: Source::File(argument.clone()), below: PathBuf::new() });
        }
    }
    let mut seen = HashSet::new();
    inputs.list.retain(|input| match &input.source {
        Source::File(path) => seen.insert(same_file_key(path)),
        Source::Stdin => true,
    });
    Ok(inputs)
}

fn as_pattern(argument: &Path) -> Option<&str> {
    argument.to_str().filter(|text| text.contains(['*', '?', '[']))
}

struct Search<'a> {
    is_recursive: bool,
    is_earlier_output: &'a dyn Fn(&Path) -> bool,
}

impl Search<'_> {
    /// The pictures in a folder, by name.
    fn folder(&self, root: &Path) -> anyhow::Result<Vec<Input>> {
        let max_depth = if self.is_recursive { usize::MAX } else { 1 };
        let walk = WalkDir::new(root).follow_links(true).max_depth(max_depth).sort_by_file_name();
        let is_visible = |entry: &DirEntry| entry.depth() == 0 || !is_hidden(entry.file_name());
        let mut found = Vec::new();
        for entry in walk.into_iter().filter_entry(is_visible) {
            let entry = match entry {
                Ok(entry) => entry,
                // A link that leads nowhere or back to a folder above it.
                Err(error) if error.path().is_some_and(Path::is_symlink) => continue,
                Err(error) => {
                    let path = error.path().unwrap_or(root).to_owned();
                    let cause =
                        error.into_io_error().map_or("a loop of links".to_owned(), |it| it.to_string());
                    bail!("cannot read the folder: {cause}: {}", path.display());
                }
            };
            let path = entry.path();
            if entry.file_type().is_file() && self.is_wanted(path) {
                let below = path.strip_prefix(root).ok().and_then(Path::parent).unwrap_or(Path::new(""));
                found.push(Input { source: Source::File(path.to_owned()), below: below.to_owned() });
            }
        }
        let deeper = if self.is_recursive { "" } else { ", --recursive looks deeper" };
        ensure!(!found.is_empty(), "no pictures to paint in this folder{deeper}: {}", root.display());
        Ok(found)
    }

    /// The pictures that a pattern stands for, and those in the folders that it stands for.
    fn pattern(&self, pattern: &str) -> anyhow::Result<Vec<Input>> {
        let options = glob::MatchOptions { require_literal_leading_dot: true, ..glob::MatchOptions::new() };
        let paths = glob::glob_with(pattern, options)
            .with_context(|| format!("no file of that name, and no pattern either: {pattern}"))?;
        let mut found = Vec::new();
        for path in paths.filter_map(Result::ok) {
            if path.is_dir() {
                found.extend(self.folder(&path).unwrap_or_default());
            } else if self.is_wanted(&path) {
                found.push(Input { source: Source::File(path), below: PathBuf::new() });
            }
        }
        ensure!(!found.is_empty(), "no pictures to paint match: {pattern}");
        Ok(found)
    }

    fn is_wanted(&self, path: &Path) -> bool {
        has_picture_suffix(path) && !(self.is_earlier_output)(path)
    }
}

fn is_hidden(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("deep/er")).unwrap();
        std::fs::create_dir_all(folder.path().join(".thumbs")).unwrap();
        let files = ["b.jpg", "a.PNG", "a.blue.png", ".c.jpg", "notes.txt", "deep/d.jpg", "deep/er/e.webp"];
        for file in files.into_iter().chain([".thumbs/t.jpg", "odd[1].jpg"]) {
            std::fs::write(folder.path().join(file), "").unwrap();
        }
        folder
    }

    fn found(arguments: &[PathBuf], is_recursive: bool) -> anyhow::Result<Vec<(String, String)>> {
        let is_output = |path: &Path| path.file_stem().is_some_and(|stem| stem == "a.blue");
        let inputs = collect(arguments, is_recursive, &is_output)?;
        let named = inputs.list.into_iter().map(|input| match input.source {
            Source::File(path) => {
                let name = path.file_name().unwrap_or_default().to_str().unwrap().to_owned();
                (name, input.below.to_str().unwrap().to_owned())
            }
            Source::Stdin => ("-".to_owned(), String::new()),
        });
        Ok(named.collect())
    }

    fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
        expected.iter().map(|(name, below)| ((*name).to_owned(), (*below).to_owned())).collect()
    }

    #[test]
    fn a_folder_is_its_pictures_without_hidden_ones_and_outputs() {
        let folder = tree();
        let root = folder.path().to_owned();
        assert_eq!(
            found(std::slice::from_ref(&root), false).unwrap(),
            pairs(&[("a.PNG", ""), ("b.jpg", ""), ("odd[1].jpg", "")])
        );
        let all = found(&[root], true).unwrap();
        assert_eq!(
            all,
            pairs(&[
                ("a.PNG", ""),
                ("b.jpg", ""),
                ("d.jpg", "deep"),
                ("e.webp", "deep/er"),
                ("odd[1].jpg", "")
            ])
        );
    }

    #[test]
    fn patterns_are_what_does_not_exist_as_a_file() {
        let folder = tree();
        let at = |name: &str| folder.path().join(name);
        assert_eq!(found(&[at("*.jpg")], false).unwrap(), pairs(&[("b.jpg", ""), ("odd[1].jpg", "")]));
        assert_eq!(found(&[at("odd[1].jpg")], false).unwrap(), pairs(&[("odd[1].jpg", "")]));
        assert_eq!(found(&[at("d*")], false).unwrap(), pairs(&[("d.jpg", "")]));
        let message = found(&[at("*.tiff")], false).unwrap_err().to_string();
        assert!(
            message.starts_with("no pictures to paint match: ") && message.ends_with("*.tiff"),
            "{message}"
        );
        assert!(found(&[at("deep/er/../*.txt")], false).is_err());
    }

    #[test]
    fn a_file_is_painted_once_and_a_missing_one_is_kept_for_its_turn() {
        let folder = tree();
        let at = |name: &str| folder.path().join(name);
        let twice = [at("b.jpg"), at("deep/../b.jpg"), folder.path().to_owned(), at("missing.jpg")];
        let names: Vec<String> = found(&twice, false).unwrap().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["b.jpg", "a.PNG", "odd[1].jpg", "missing.jpg"]);
    }

    #[test]
    fn stdin_comes_alone() {
        assert_eq!(found(&["-".into()], false).unwrap(), pairs(&[("-", "")]));
        assert!(found(&["-".into(), "a.jpg".into()], false).unwrap_err().is::<UsageError>());
    }
}
