//! The real programs, run as a user runs them.

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;

use escargot::{CargoBuild, CargoRun};

/// `trainer` with these arguments, in `folder`.
pub(crate) fn trainer(folder: &Path, args: &[&str]) -> Finished {
    trainer_with(folder, args, &[])
}

/// `trainer` with these arguments and variables, in `folder`.
pub(crate) fn trainer_with(folder: &Path, args: &[&str], variables: &[(&str, &str)]) -> Finished {
    let mut command = trainer_command(folder);
    Finished(command.args(args).envs(variables.iter().copied()).output().expect("the program starts"))
}

/// `trainer`, not yet started, in `folder`.
pub(crate) fn trainer_command(folder: &Path) -> Command {
    command(trainer_program(), folder)
}

/// `trainer`, started and left running; its output goes nowhere.
pub(crate) fn start_trainer(folder: &Path, args: &[&str]) -> Child {
    let mut command = trainer_command(folder);
    command.args(args).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().expect("the program starts")
}

/// `trainer` through a shell: `script` finds it as `$TRAINER`.
pub(crate) fn trainer_in_shell(folder: &Path, script: &str) -> Finished {
    let mut command = command(Path::new("sh"), folder);
    Finished(command.env("TRAINER", trainer_program()).args(["-c", script]).output().expect("a shell"))
}

fn trainer_program() -> &'static Path {
    static PROGRAM: OnceLock<CargoRun> = OnceLock::new();
    PROGRAM.get_or_init(|| built("trainer")).path()
}

/// `infer` with these arguments, in `folder`.
pub(crate) fn infer(folder: &Path, args: &[&str]) -> Finished {
    Finished(infer_command(folder).args(args).output().expect("the program starts"))
}

/// `infer`, not yet started, in `folder`.
pub(crate) fn infer_command(folder: &Path) -> Command {
    static PROGRAM: OnceLock<CargoRun> = OnceLock::new();
    command(PROGRAM.get_or_init(|| built("infer")).path(), folder)
}

/// Cargo does not build other packages' programs for a test; where they are built already this takes a moment.
fn built(name: &str) -> CargoRun {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml");
    let build = CargoBuild::new().manifest_path(manifest).package(name).bin(name);
    let build = if cfg!(debug_assertions) { build } else { build.release() };
    build.run().unwrap_or_else(|error| panic!("building {name}: {error}"))
}

fn command(program: &Path, folder: &Path) -> Command {
    let mut command = Command::new(program);
    // A home of its own, so that no style of the person who runs the tests is found, and no proxy.
    command.current_dir(folder).env("HOME", folder);
    let homes = ["XDG_DATA_HOME", "XDG_CACHE_HOME", "ATELIER_STYLES", "ATELIER_CACHE"];
    let proxies = ["ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY"];
    for variable in homes.into_iter().chain(proxies) {
        command.env_remove(variable).env_remove(variable.to_lowercase());
    }
    command
}

/// A program that has ended.
pub(crate) struct Finished(pub(crate) Output);

impl Finished {
    pub(crate) fn stdout(&self) -> String {
        String::from_utf8_lossy(&self.0.stdout).into_owned()
    }

    pub(crate) fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.0.stderr).into_owned()
    }

    pub(crate) fn status(&self) -> Option<i32> {
        self.0.status.code()
    }

    /// It ended well.
    #[track_caller]
    pub(crate) fn expect_success(&self) -> &Self {
        assert_eq!(self.0.status.code(), Some(0), "stderr:\n{}", self.stderr());
        self
    }

    /// It ended with this status and one line on stderr, an error that holds all these words and no panic.
    #[track_caller]
    pub(crate) fn expect_error(&self, status: i32, words: &[&str]) -> &Self {
        let stderr = self.stderr();
        assert_eq!(self.0.status.code(), Some(status), "stderr:\n{stderr}");
        assert_eq!(stderr.trim_end().lines().count(), 1, "one line expected, found:\n{stderr}");
        assert!(stderr.starts_with("error: "), "{stderr}");
        for word in words {
            assert!(stderr.contains(word), "`{word}` is not in: {stderr}");
        }
        self
    }
}
