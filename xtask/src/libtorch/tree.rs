//! The tree on disk: laying it from archives, judging one that is there.

use std::collections::BTreeMap;
use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::fs::{self, File};
use std::io;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use zip::ZipArchive;

use super::layout::{Flavour, LINKER_SCRIPT, Rule, WITNESS_HEADER};
use super::pins::VERSION;
use super::progress;
use super::stamp::Stamp;

/// A zip file on disk, checked, and what to take from it.
pub(super) struct Archive {
    pub(super) path: PathBuf,
    pub(super) sha256: String,
    pub(super) rule: Rule,
}

/// What is at the place where the tree should be.
pub(super) enum Found {
    Nothing,
    /// Laid by this program and whole.
    Complete(Stamp),
    /// Laid by this program but damaged, of another version or of the lesser flavour.
    Outdated(anyhow::Error),
    /// Somebody else's, which may serve or not.
    Foreign(Result<()>),
}

pub(super) fn inspect(tree: &Path, flavour: Flavour) -> Result<Found> {
    let empty = match fs::read_dir(tree) {
        Ok(mut entries) => entries.next().is_none(),
        Err(err) if err.kind() == io::ErrorKind::NotFound => true,
        Err(err) => return Err(err).with_context(|| format!("listing {}", tree.display())),
    };
    if empty {
        return Ok(Found::Nothing);
    }
    Ok(match Stamp::read(tree) {
        Ok(None) => Found::Foreign(check_usable(tree, flavour)),
        Ok(Some(stamp)) => match stamp.verify(tree, flavour) {
            Ok(()) => Found::Complete(stamp),
            Err(why) => Found::Outdated(why),
        },
        Err(why) => Found::Outdated(why),
    })
}

/// Can a libtorch that somebody else has laid be built with? Fails with what is missing.
pub(super) fn check_usable(tree: &Path, flavour: Flavour) -> Result<()> {
    let library = |name: &str| format!("lib/{DLL_PREFIX}{name}{DLL_SUFFIX}");
    let mut needed = vec![library("torch_cpu"), library("c10"), WITNESS_HEADER.to_owned()];
    if flavour == Flavour::Cuda {
        needed.push(library("torch_cuda"));
    }
    for file in needed {
        ensure!(tree.join(&file).is_file(), "{file} is missing");
    }
    // Optional: the folder of a Python installation has none.
    if let Ok(version) = fs::read_to_string(tree.join("build-version")) {
        let version = version.trim();
        ensure!(version.split('+').next() == Some(VERSION), "it is libtorch {version}, needed is {VERSION}");
    }
    Ok(())
}

/// Lays a whole tree, stamp last, at a place where there is none.
pub(super) fn lay(archives: &[Archive], flavour: Flavour, tree: &Path) -> Result<()> {
    fs::create_dir_all(tree.join("lib")).with_context(|| format!("making {}", tree.display()))?;
    let mut stamp = Stamp { version: flavour.version(), sources: BTreeMap::new(), files: BTreeMap::new() };
    for archive in archives {
        unpack(archive, flavour, tree, &mut stamp.files)
            .with_context(|| format!("unpacking {}", archive.path.display()))?;
        let name = archive.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        stamp.sources.insert(name, archive.sha256.clone());
    }
    for (file, content) in
        [("build-version", flavour.version() + "\n"), ("lib/libtorch.so", LINKER_SCRIPT.to_owned())]
    {
        fs::write(tree.join(file), &content).with_context(|| format!("writing {file}"))?;
        stamp.files.insert(file.to_owned(), content.len() as u64);
    }
    check_usable(tree, flavour).context("the archives did not hold what they should")?;
    stamp.write(tree)
}

fn unpack(archive: &Archive, flavour: Flavour, tree: &Path, sizes: &mut BTreeMap<String, u64>) -> Result<()> {
    let mut zip = ZipArchive::new(File::open(&archive.path)?)?;
    let mut wanted: Vec<(usize, String)> = Vec::new();
    for (index, member) in zip.file_names().enumerate() {
        let member = member?;
        if !member.ends_with('/')
            && let Some(place) = (archive.rule)(flavour, &member)
        {
            wanted.push((index, place));
        }
    }
    let bar = progress::of_bytes("unpacking", None);
    for (index, place) in wanted {
        ensure!(stays_inside(&place), "a member would be written outside of the tree: {place:?}");
        let path = tree.join(&place);
        fs::create_dir_all(path.parent().context("a file lies in a folder")?)?;
        // New, so that two archives with the same library cannot quietly undo each other.
        let mut file = File::create_new(&path).with_context(|| format!("creating {place}"))?;
        let size = io::copy(&mut zip.by_index(index)?, &mut bar.wrap_write(&mut file))
            .with_context(|| format!("unpacking {place}"))?;
        if Stamp::lists(&place) {
            // On disk before the stamp says so. Not for thousands of headers: that would take minutes.
            file.sync_all()?;
            sizes.insert(place, size);
        }
    }
    bar.finish_and_clear();
    Ok(())
}

/// No root, no drive, no `..`: a path that stays where it is put.
fn stays_inside(place: &str) -> bool {
    !place.contains('\\') && Path::new(place).components().all(|part| matches!(part, Component::Normal(_)))
}

#[cfg(test)]
pub(super) mod tests {
    use std::io::Write as _;

    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;
    use crate::libtorch::layout;

    /// What the smallest wheel must hold to make a CPU tree.
    pub(in super::super) const WHEEL: [(&str, &str); 4] = [
        ("torch/include/torch/csrc/api/include/torch/torch.h", "#pragma once"),
        ("torch/lib/libtorch_cpu.so", "cpu"),
        ("torch/lib/libc10.so", "c10"),
        ("torch/lib/libtorch_cuda.so", "cuda"),
    ];

    pub(in super::super) fn zip_of(path: &Path, members: &[(&str, &str)]) -> Archive {
        let mut writer = ZipWriter::new(File::create(path).unwrap());
        for (name, content) in members {
            writer.start_file(*name, SimpleFileOptions::default()).unwrap();
            writer.write_all(content.as_bytes()).unwrap();
        }
        writer.finish().unwrap();
        Archive { path: path.to_owned(), sha256: "00".to_owned(), rule: layout::torch_wheel }
    }

    #[test]
    fn laid_tree_is_complete_until_a_library_changes() {
        let folder = tempfile::tempdir().unwrap();
        let tree = folder.path().join("tree");
        let archive = zip_of(&folder.path().join("torch.whl"), &WHEEL);
        lay(&[archive], Flavour::Cpu, &tree).unwrap();

        let Found::Complete(stamp) = inspect(&tree, Flavour::Cpu).unwrap() else { panic!("not complete") };
        assert_eq!(stamp.sources["torch.whl"], "00");
        assert_eq!(fs::read_to_string(tree.join("build-version")).unwrap(), "2.11.0+cpu\n");
        assert_eq!(fs::read_to_string(tree.join("lib/libtorch.so")).unwrap(), LINKER_SCRIPT);
        assert!(!tree.join("lib/libtorch_cuda.so").exists());
        // The CPU's tree does not serve who wants CUDA.
        assert!(matches!(inspect(&tree, Flavour::Cuda).unwrap(), Found::Outdated(_)));

        fs::write(tree.join("lib/libc10.so"), "cut").unwrap();
        assert!(matches!(inspect(&tree, Flavour::Cpu).unwrap(), Found::Complete(_)), "same size");
        fs::write(tree.join("lib/libc10.so"), "").unwrap();
        let Found::Outdated(why) = inspect(&tree, Flavour::Cpu).unwrap() else { panic!("damage not seen") };
        assert!(why.to_string().contains("libc10.so has 0 bytes, expected 3"), "{why}");
    }

    #[test]
    fn cuda_tree_holds_all_and_serves_the_cpu_too() {
        let folder = tempfile::tempdir().unwrap();
        let tree = folder.path().join("tree");
        let torch = zip_of(&folder.path().join("torch.whl"), &WHEEL);
        let mut nvidia =
            zip_of(&folder.path().join("nvidia.whl"), &[("nvidia/cudnn/lib/libcudnn.so.9", "dnn")]);
        nvidia.rule = layout::nvidia_wheel;
        lay(&[torch, nvidia], Flavour::Cuda, &tree).unwrap();

        assert_eq!(fs::read_to_string(tree.join("lib/libcudnn.so.9")).unwrap(), "dnn");
        assert_eq!(fs::read_to_string(tree.join("lib/libtorch.so")).unwrap(), LINKER_SCRIPT);
        for flavour in [Flavour::Cuda, Flavour::Cpu] {
            assert!(matches!(inspect(&tree, flavour).unwrap(), Found::Complete(_)));
        }
    }

    #[test]
    fn archive_that_reaches_outside_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let archive = zip_of(&folder.path().join("evil.whl"), &[("torch/include/../../../evil", "evil")]);
        let error =
            format!("{:#}", lay(&[archive], Flavour::Cpu, &folder.path().join("a/tree")).unwrap_err());
        assert!(error.contains("outside"), "{error}");
        assert!(!folder.path().join("evil").exists() && !folder.path().join("a/evil").exists());
    }

    #[test]
    fn two_archives_with_the_same_library_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let one = zip_of(&folder.path().join("one.whl"), &WHEEL);
        let two = zip_of(&folder.path().join("two.whl"), &WHEEL);
        assert!(lay(&[one, two], Flavour::Cpu, &folder.path().join("tree")).is_err());
    }

    #[test]
    fn archive_without_the_libraries_is_refused_and_leaves_no_stamp() {
        let folder = tempfile::tempdir().unwrap();
        let tree = folder.path().join("tree");
        let archive = zip_of(&folder.path().join("thin.whl"), &WHEEL[..1]);
        let error = format!("{:#}", lay(&[archive], Flavour::Cpu, &tree).unwrap_err());
        assert!(error.contains("torch_cpu"), "{error}");
        assert!(Stamp::read(&tree).unwrap().is_none());
    }
}
