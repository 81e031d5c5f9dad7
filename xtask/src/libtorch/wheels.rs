//! The wheels on the package index, by way of pip: it knows the user's mirrors, proxies and certificates.

use std::fmt::Write as _;
use std::io::{self, IsTerminal as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::{fs, iter};

use anyhow::{Context as _, Result, bail, ensure};

use super::digest;
use super::install::Source;
use super::layout::{self, Flavour};
use super::pins::{NEEDED_BY_CPU, NEEDED_BY_CUDA, TORCH, Wheel};
use super::tree::Archive;

pub(super) struct Wheels {
    /// The program and the words before `download`.
    pip: Vec<String>,
}

impl Default for Wheels {
    fn default() -> Self {
        Self { pip: ["python3", "-m", "pip"].map(str::to_owned).to_vec() }
    }
}

impl Source for Wheels {
    fn name(&self) -> String {
        format!("the package index (`{} download`)", self.pip.join(" "))
    }

    fn fetch(&self, flavour: Flavour, folder: &Path) -> Result<Vec<Archive>> {
        let cuda = if flavour == Flavour::Cuda { &NEEDED_BY_CUDA[..] } else { &[] };
        let nvidia =
            NEEDED_BY_CPU.iter().chain(cuda).map(|wheel| (wheel, layout::nvidia_wheel as layout::Rule));
        iter::once((&TORCH, layout::torch_wheel as layout::Rule))
            .chain(nvidia)
            .map(|(wheel, rule)| {
                self.fetch_one(wheel, folder).with_context(|| format!("fetching {}", wheel.file))?;
                Ok(Archive { path: folder.join(wheel.file), sha256: wheel.sha256.to_owned(), rule })
            })
            .collect()
    }
}

impl Wheels {
    /// Pip cannot continue half a file, but whole ones of an earlier run need not come again.
    fn fetch_one(&self, wheel: &Wheel, folder: &Path) -> Result<()> {
        let path = folder.join(wheel.file);
        if path.exists() {
            match digest::verify(&path, wheel.sha256) {
                Ok(()) => return Ok(()),
                // Such as pip was stopped while writing it.
                Err(why) => eprintln!("libtorch: fetching it again: {why:#}"),
            }
        }
        eprintln!("libtorch: fetching {} ({} MB)", wheel.file, wheel.bytes / 1_000_000);
        self.download(wheel, folder)?;
        ensure!(path.exists(), "pip ended well but brought another file");
        digest::verify(&path, wheel.sha256)
    }

    fn download(&self, wheel: &Wheel, folder: &Path) -> Result<()> {
        // Where pip keeps a file until it is whole: the system's folder for such may be small, or in memory.
        let temporary = folder.join("tmp");
        if temporary.exists() {
            // Half a file of a pip that was stopped, of no use to anyone.
            fs::remove_dir_all(&temporary).with_context(|| format!("emptying {}", temporary.display()))?;
        }
        fs::create_dir_all(&temporary).with_context(|| format!("making {}", temporary.display()))?;
        let (program, words) = self.pip.split_first().context("no pip to run")?;
        let mut command = Command::new(program);
        command.args(words).args(download_args(wheel)?).arg("--dest").arg(folder);
        command.env("TMPDIR", &temporary);
        if !io::stderr().is_terminal() {
            command.arg("--quiet");
        }
        // Its progress is for the eyes; what goes wrong belongs into our own message.
        command.stdin(Stdio::null()).stdout(io::stderr()).stderr(Stdio::piped());
        let output = command.output().with_context(|| format!("starting `{}`", self.pip.join(" ")))?;
        if !output.status.success() {
            bail!("pip: {}", gist(&String::from_utf8_lossy(&output.stderr)));
        }
        Ok(())
    }
}

/// Asks for exactly one file, whichever Python runs pip: everything is read from the wheel's name,
/// `name-version-python-abi-platform.platform.whl`.
fn download_args(wheel: &Wheel) -> Result<Vec<String>> {
    let parts: Vec<&str> = wheel.file.trim_end_matches(".whl").split('-').collect();
    let [name, version, _python, _abi, platforms] = parts[..] else {
        bail!("not the name of a wheel: {}", wheel.file)
    };
    let mut args = vec!["download".to_owned(), format!("{}=={version}", name.replace('_', "-"))];
    // No cache: it would keep a second copy of everything in the user's home.
    args.extend(["--no-deps", "--only-binary=:all:", "--no-cache-dir"].map(str::to_owned));
    // Wheels for any Python (`py3-none`) suit this one as well.
    args.extend(["--python-version", "3.11", "--implementation", "cp", "--abi", "cp311"].map(str::to_owned));
    for platform in platforms.split('.') {
        args.extend(["--platform".to_owned(), platform.to_owned()]);
    }
    Ok(args)
}

/// What pip calls errors, on one line, else its last line; its warnings and advice would bury the reason.
fn gist(stderr: &str) -> String {
    let mut gist = String::new();
    for error in stderr.lines().filter_map(|line| line.strip_prefix("ERROR: ")) {
        let separator = if gist.is_empty() { "" } else { "; " };
        write!(gist, "{separator}{error}").expect("a string takes everything");
    }
    if gist.is_empty() { stderr.trim().lines().last().unwrap_or("no word of why").to_owned() } else { gist }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sha256 of "good\n".
    const GOOD: Wheel = Wheel {
        file: "some_thing-1.2-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl",
        bytes: 5,
        sha256: "106675dc1490d5cdd6d1f0410731316ce93fc964c6cf6726e2b0d53e19688feb",
    };

    /// A pip that is a shell script; `$dest` is the folder and `$file` the wheel it should write.
    fn fake(folder: &Path, script: &str) -> Wheels {
        let path = folder.join("pip.sh");
        let head = format!("while [ \"$1\" != --dest ]; do shift; done; dest=$2; file=$dest/{}\n", GOOD.file);
        fs::write(&path, head + script).unwrap();
        Wheels { pip: vec!["sh".to_owned(), path.to_str().unwrap().to_owned()] }
    }

    #[test]
    fn every_pinned_name_is_a_wheel_and_every_hash_a_sha256() {
        for wheel in iter::once(&TORCH).chain(&NEEDED_BY_CPU).chain(&NEEDED_BY_CUDA) {
            download_args(wheel).unwrap();
            assert_eq!(wheel.sha256.len(), 64, "{}", wheel.file);
        }
    }

    #[test]
    fn pip_is_asked_for_exactly_the_pinned_file() {
        let args = download_args(&GOOD).unwrap().join(" ");
        assert!(args.starts_with("download some-thing==1.2 --no-deps"), "{args}");
        assert!(args.ends_with("--platform manylinux2014_x86_64 --platform manylinux_2_17_x86_64"), "{args}");
    }

    #[test]
    fn right_file_is_fetched_once_and_half_a_file_again() {
        let folder = tempfile::tempdir().unwrap();
        let cache = folder.path().join("cache");
        fs::create_dir(&cache).unwrap();
        let pip = fake(folder.path(), "echo good > $file; echo run >> $dest/runs");
        let runs = || fs::read_to_string(cache.join("runs")).unwrap().lines().count();

        pip.fetch_one(&GOOD, &cache).unwrap();
        pip.fetch_one(&GOOD, &cache).unwrap();
        assert_eq!(runs(), 1);
        fs::write(cache.join(GOOD.file), "go").unwrap();
        pip.fetch_one(&GOOD, &cache).unwrap();
        assert_eq!(runs(), 2);
    }

    #[test]
    fn wrong_file_is_refused_and_removed() {
        let folder = tempfile::tempdir().unwrap();
        let pip = fake(folder.path(), "echo evil > $file");
        let error = format!("{:#}", pip.fetch_one(&GOOD, folder.path()).unwrap_err());
        assert!(error.contains("expected"), "{error}");
        assert!(!folder.path().join(GOOD.file).exists());
    }

    #[test]
    fn reason_is_what_pip_calls_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let script =
            "echo 'WARNING: old' >&2; echo 'ERROR: no such thing' >&2; echo 'ERROR: at all' >&2; exit 1";
        let error = format!("{:#}", fake(folder.path(), script).fetch_one(&GOOD, folder.path()).unwrap_err());
        assert!(error.ends_with("pip: no such thing; at all"), "{error}");
        assert_eq!(gist("/usr/bin/python3: No module named pip\n"), "/usr/bin/python3: No module named pip");
        assert_eq!(gist(""), "no word of why");

        let missing = Wheels { pip: vec!["no-such-program-anywhere".to_owned()] };
        let error = format!("{:#}", missing.fetch_one(&GOOD, folder.path()).unwrap_err());
        assert!(error.contains("starting `no-such-program-anywhere`"), "{error}");
    }
}
