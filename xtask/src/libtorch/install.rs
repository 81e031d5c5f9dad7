//! From what is there to a complete tree: the order of the sources, and what is said when none has helped.

use std::env::consts::{ARCH, OS};
use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Result, bail, ensure};

use super::layout::Flavour;
use super::scratch::Scratch;
use super::tree::{self, Archive, Found};

/// Somewhere that archives come from.
pub(super) trait Source {
    /// The name under which the user is told about it.
    fn name(&self) -> String;

    /// Puts the archives of a flavour into a folder, as far as they do not lie there already, and checks them.
    fn fetch(&self, flavour: Flavour, folder: &Path) -> Result<Vec<Archive>>;
}

pub(super) struct Installer {
    pub(super) flavour: Flavour,
    /// Lay the tree anew even where there is a good one.
    pub(super) force: bool,
    /// In the order in which they are tried.
    pub(super) sources: Vec<Box<dyn Source>>,
}

impl Installer {
    /// Returns with a usable tree at the target, or with everything that stood in the way.
    pub(super) fn run(&self, target: &Path) -> Result<()> {
        if self.is_there(target)? && !self.force {
            return Ok(());
        }
        check_platform()?;
        let scratch = Scratch::open(target)?;
        // Again, now that nobody else can be at it: another program may have been before us.
        if !self.force && matches!(tree::inspect(target, self.flavour)?, Found::Complete(_)) {
            return scratch.remove();
        }

        let mut report = String::new();
        for source in &self.sources {
            match self.lay_from(source.as_ref(), &scratch, target) {
                Ok(()) => {
                    scratch.remove()?;
                    eprintln!("libtorch: {} is ready in {}", self.flavour.version(), target.display());
                    return Ok(());
                }
                Err(why) => {
                    eprintln!("libtorch: not from {}: {why:#}", source.name());
                    write!(report, "\n  - {}: {why:#}", source.name())?;
                }
            }
        }
        bail!(
            "no source has given libtorch {}:{report}\n\
             what can be done: repair one of these and run this again (what has come so far is kept), \
             or set LIBTORCH to the absolute path of a libtorch {} of your own, such as the folder `torch` \
             of a Python installation with that PyTorch",
            self.flavour.version(),
            super::VERSION,
        )
    }

    fn lay_from(&self, source: &dyn Source, scratch: &Scratch, target: &Path) -> Result<()> {
        let archives = source.fetch(self.flavour, scratch.archives())?;
        let tree = scratch.fresh_tree()?;
        tree::lay(&archives, self.flavour, &tree)?;
        scratch.swap_in(&tree, target)
    }

    /// Does the target hold something to build with? Fails where it holds something that is not ours to replace.
    fn is_there(&self, target: &Path) -> Result<bool> {
        let shown = target.display();
        match tree::inspect(target, self.flavour)? {
            Found::Nothing => Ok(false),
            Found::Complete(stamp) => {
                if !self.force {
                    eprintln!("libtorch: {} in {shown}", stamp.version);
                }
                Ok(true)
            }
            Found::Outdated(why) => {
                eprintln!("libtorch: laying {shown} anew: {why:#}");
                Ok(false)
            }
            Found::Foreign(Ok(())) => {
                ensure!(!self.force, "not laid by this program, so left alone; move it away first: {shown}");
                eprintln!("libtorch: as found (not laid by this program) in {shown}");
                Ok(true)
            }
            Found::Foreign(Err(why)) => bail!(
                "the folder was not laid by this program, and cannot serve as libtorch: {why:#}; \
                 move it away, or name another by --into: {shown}"
            ),
        }
    }
}

/// The pinned files are for one platform; on others libtorch is the user's to bring.
fn check_platform() -> Result<()> {
    ensure!(
        cfg!(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu")),
        "libtorch is fetched for x86_64 Linux with glibc only, and this is {ARCH} {OS}: bring libtorch {} yourself \
         and set LIBTORCH to its absolute path",
        super::VERSION,
    );
    Ok(())
}

#[cfg(all(test, target_os = "linux", target_arch = "x86_64", target_env = "gnu"))]
mod tests {
    use std::fs;

    use super::*;
    use crate::libtorch::tree::tests::{WHEEL, zip_of};

    struct Working;

    impl Source for Working {
        fn name(&self) -> String {
            "a source that works".to_owned()
        }

        fn fetch(&self, _: Flavour, folder: &Path) -> Result<Vec<Archive>> {
            Ok(vec![zip_of(&folder.join("torch.whl"), &WHEEL)])
        }
    }

    struct Failing;

    impl Source for Failing {
        fn name(&self) -> String {
            "a source that fails".to_owned()
        }

        fn fetch(&self, _: Flavour, folder: &Path) -> Result<Vec<Archive>> {
            fs::write(folder.join("half a file"), "")?;
            bail!("the cable is cut")
        }
    }

    fn installer(sources: Vec<Box<dyn Source>>) -> Installer {
        Installer { flavour: Flavour::Cpu, force: false, sources }
    }

    #[test]
    fn second_source_helps_and_nothing_is_left_beside_the_tree() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("deep/lt");
        installer(vec![Box::new(Failing), Box::new(Working)]).run(&target).unwrap();
        assert!(target.join("lib/libtorch_cpu.so").is_file());
        assert_eq!(fs::read_dir(folder.path().join("deep")).unwrap().count(), 1);

        // A complete tree asks no source.
        installer(vec![]).run(&target).unwrap();
    }

    #[test]
    fn failure_names_every_source_and_the_way_out_and_keeps_what_came() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("lt");
        let error = installer(vec![Box::new(Failing)]).run(&target).unwrap_err().to_string();
        for part in ["a source that fails: the cable is cut", "set LIBTORCH"] {
            assert!(error.contains(part), "{error}");
        }
        assert!(!target.exists());
        assert!(folder.path().join("lt.download/half a file").exists());
    }

    #[test]
    fn damaged_tree_is_laid_anew() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("lt");
        let installer = installer(vec![Box::new(Working)]);
        installer.run(&target).unwrap();
        fs::remove_file(target.join("lib/libc10.so")).unwrap();
        installer.run(&target).unwrap();
        assert!(target.join("lib/libc10.so").is_file());
    }

    #[test]
    fn folder_of_somebody_else_is_never_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().join("home");
        fs::create_dir(&home).unwrap();
        fs::write(home.join("diary"), "dear").unwrap();
        for force in [false, true] {
            let installer = Installer { force, ..installer(vec![Box::new(Working)]) };
            assert!(installer.run(&home).is_err());
            assert!(home.join("diary").exists());
        }
    }

    #[test]
    fn tree_that_was_laid_by_hand_is_taken_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("lt");
        installer(vec![Box::new(Working)]).run(&target).unwrap();
        fs::remove_file(target.join("stamp.json")).unwrap();
        installer(vec![]).run(&target).unwrap();
        assert!(Installer { force: true, ..installer(vec![Box::new(Working)]) }.run(&target).is_err());
    }
}
