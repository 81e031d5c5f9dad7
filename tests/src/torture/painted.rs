//! `infer image` over the whole folder, once.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use pixel::{DecodeLimits, Picture, decode_file};
use serde_json::Value;
use tempfile::TempDir;
use torture::{Entry, Expectation, Good};

use super::metadata;
use super::read_only::ReadOnly;
use crate::support::programs::{Finished, infer};
use crate::support::untrained;

/// A folder with the torture folder in it, and a style.
struct Chamber {
    folder: TempDir,
    entries: Vec<Entry>,
    /// Every file and what it held before anything was painted.
    before: BTreeMap<PathBuf, Vec<u8>>,
}

impl Chamber {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let entries = torture::make(&folder.path().join("torture")).unwrap();
        untrained::save_style(&folder.path().join("blue.safetensors"), 1);
        let before = files(folder.path());
        Self { folder, entries, before }
    }

    fn paint(&self) -> Finished {
        let _locked = ReadOnly::lock(&self.folder.path().join("torture/read-only"));
        // What is hidden is painted when it is named.
        let inputs = ["torture", "torture/.hidden.jpg", "-s", "blue.safetensors", "-o", "painted"];
        let how = ["--recursive", "--keep-metadata", "--json", "--device", "cpu"];
        infer(self.folder.path(), &[&["image"], &inputs[..], &how].concat())
    }

    fn good(&self) -> impl Iterator<Item = (&Entry, Good)> {
        self.entries.iter().filter_map(|entry| match entry.expectation {
            Expectation::Picture(good) => Some((entry, good)),
            Expectation::Error(_) => None,
        })
    }

    fn bad(&self) -> impl Iterator<Item = (&Entry, &str)> {
        self.entries.iter().filter_map(|entry| match entry.expectation {
            Expectation::Picture(_) => None,
            Expectation::Error(words) => Some((entry, words)),
        })
    }

    fn painted(&self, entry: &Entry) -> Picture {
        decode_file(self.folder.path().join(output(&entry.name)), &DecodeLimits::default()).unwrap()
    }
}

/// Where an entry's painting goes; GIF is not written.
fn output(name: &Path) -> PathBuf {
    let suffix = name.extension().unwrap().to_str().unwrap();
    let suffix = if suffix == "gif" { "png" } else { suffix };
    Path::new("painted").join(name.with_extension(format!("blue.{suffix}")))
}

fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(inner) = folders.pop() {
        for path in fs::read_dir(inner).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else {
                found.insert(path.strip_prefix(folder).unwrap().to_owned(), fs::read(&path).unwrap());
            }
        }
    }
    found
}

#[test]
fn every_good_picture_is_painted_and_every_bad_one_one_line() {
    let chamber = Chamber::new();
    let finished = chamber.paint();
    assert_eq!(finished.status(), Some(3), "{}", finished.stderr());
    bad_ones_are_one_line_each(&chamber, &finished.stderr());
    lines_say_what_became_of_each(&chamber, &finished.stdout());
    nothing_else_is_written(&chamber);
    good_ones_are_painted_upright(&chamber);
    for (entry, _) in chamber.good() {
        metadata::is_an_upright_srgb_pictures(&chamber.folder.path().join(output(&entry.name)), &entry.name);
    }
}

fn bad_ones_are_one_line_each(chamber: &Chamber, stderr: &str) {
    let lines: Vec<&str> = stderr.lines().collect();
    assert_eq!(lines.len(), chamber.bad().count(), "{stderr}");
    for (entry, words) in chamber.bad() {
        let start = format!("error: torture/{}: ", entry.name.display());
        let said: Vec<&&str> = lines.iter().filter(|line| line.starts_with(&start)).collect();
        assert!(matches!(said[..], [line] if line.contains(words)), "{start}{words}: {stderr}");
    }
    assert!(!stderr.contains("panic") && !stderr.contains("bug"), "{stderr}");
}

fn lines_say_what_became_of_each(chamber: &Chamber, stdout: &str) {
    let lines: Vec<Value> = stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), chamber.entries.len());
    let line_of = |entry: &Entry| {
        let input = Path::new("torture").join(&entry.name);
        let mut found = lines.iter().filter(|line| line["input"] == input.to_str().unwrap());
        let line = found.next().unwrap_or_else(|| panic!("nothing is said of {}", input.display()));
        assert!(found.next().is_none(), "two lines of {}", input.display());
        line
    };
    for (entry, good) in chamber.good() {
        let line = line_of(entry);
        assert_eq!(line["output"], output(&entry.name).to_str().unwrap());
        assert_eq!((&line["width"], &line["height"]), (&good.width.into(), &good.height.into()), "{line}");
        assert!(line.get("error").is_none(), "{line}");
    }
    for (entry, words) in chamber.bad() {
        let line = line_of(entry);
        assert!(line["error"].as_str().unwrap().contains(words) && line.get("width").is_none(), "{line}");
    }
}

fn nothing_else_is_written(chamber: &Chamber) {
    let mut after = files(chamber.folder.path());
    after.retain(|path, bytes| chamber.before.get(path) != Some(bytes));
    let written: BTreeSet<PathBuf> = after.into_keys().collect();
    assert_eq!(written, chamber.good().map(|(entry, _)| output(&entry.name)).collect());
}

/// The size, the transparency, and of those that show the scene in its usual size and colours also the painting: it is
/// that of the scene stored plainly, or, where something was lost on the way, clearly nearer to that than to it turned.
fn good_ones_are_painted_upright(chamber: &Chamber) {
    let (plain, scene) = chamber.good().find(|(entry, _)| entry.name == Path::new("plain.png")).unwrap();
    let plain = chamber.painted(plain);
    assert!(scene.difference(&plain).is_some(), "it is painted");
    let turned = turned(&plain);
    let mut like_plain = 0;
    for (entry, good) in chamber.good() {
        let name = entry.name.display();
        let painted = chamber.painted(entry);
        assert_eq!((painted.width(), painted.height()), (good.width, good.height), "{name}");
        let alpha: Vec<u8> = (0..good.height).flat_map(|_| (0..good.width).map(|x| good.alpha(x))).collect();
        assert_eq!(painted.alpha(), good.alpha_on_the_right.map(|_| &alpha[..]), "{name}");
        if (Good { tolerance: 0, alpha_on_the_right: None, ..good }) != Good::SCENE {
            continue;
        }
        like_plain += 1;
        if good.tolerance == 0 && !is_written_as_jpeg(&entry.name) {
            assert_eq!(painted.rgb(), plain.rgb(), "{name}");
        }
        let far = turned.iter().map(|turned| mean_difference(painted.rgb(), turned)).fold(255.0, f64::min);
        let near = mean_difference(painted.rgb(), plain.rgb());
        // Coarse colours, in which the fields run into one another, are the farthest, at 28.5 and 49.8.
        assert!(1.5 * near < far, "{name}: {near} from what it should be, {far} from that turned");
    }
    assert!(like_plain > 30, "{like_plain}");
}

/// Mirrored, upside down, and both: the turns that keep the size.
fn turned(picture: &Picture) -> [Vec<u8>; 3] {
    let rows = || picture.rgb().as_chunks::<3>().0.chunks(picture.width() as usize);
    let mirrored = rows().flat_map(|row| row.iter().rev()).copied().flatten();
    let upside_down = rows().rev().flatten().copied().flatten();
    let both = rows().rev().flat_map(|row| row.iter().rev()).copied().flatten();
    [mirrored.collect(), upside_down.collect(), both.collect()]
}

fn is_written_as_jpeg(name: &Path) -> bool {
    name.extension().is_some_and(|suffix| suffix == "jpg")
}

fn mean_difference(a: &[u8], b: &[u8]) -> f64 {
    let sum: u32 = a.iter().zip(b).map(|(a, b)| u32::from(a.abs_diff(*b))).sum();
    f64::from(sum) / a.len() as f64
}

#[test]
fn a_read_only_output_folder_ends_in_one_line() {
    let chamber = Chamber::new();
    let locked = ReadOnly::lock(&chamber.folder.path().join("torture/read-only"));
    if !locked.keeps_us_out() {
        return; // for root every folder is writable
    }
    let image =
        |args: &[&str]| infer(chamber.folder.path(), &[&["image", "-s", "blue.safetensors"], args].concat());
    image(&["torture/read-only/photo.png"])
        .expect_error(1, &["ermission denied", "read-only/photo.blue.png"]);
    image(&["torture/plain.png", "-o", "torture/read-only/new/"])
        .expect_error(1, &["ermission denied", "read-only/new"]);
    assert_eq!(files(chamber.folder.path()), chamber.before);
}
