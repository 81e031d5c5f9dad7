//! `trainer fetch` from outside, and what it fetches in use.

use std::path::Path;

use tempfile::TempDir;

use crate::support::programs::{Finished, trainer, trainer_command, trainer_with};
use crate::support::server::{Proxy, Reply, Server};
use crate::support::{scenes, tiny_vgg};

/// Where a user's loss networks lie on Linux.
#[cfg(target_os = "linux")]
const HOME_CACHE: &str = ".cache/atelier/loss-nets/vgg19.safetensors";

/// The bytes of a small loss network, and their sha256.
fn weights(folder: &TempDir) -> (Vec<u8>, String) {
    let path = folder.path().join("published.safetensors");
    tiny_vgg::write(&path);
    let bytes = std::fs::read(path).unwrap();
    let sum = common::style_file::sha256_hex(&bytes);
    (bytes, sum)
}

fn fetch(folder: &TempDir, args: &[&str]) -> Finished {
    trainer(folder.path(), &[&["fetch"], args].concat())
}

#[test]
fn what_was_fetched_is_found_by_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let (bytes, sum) = weights(&folder);
    let server = Server::start(&bytes, vec![Reply::CutAfter(100_000), Reply::AsAsked]);
    let url = server.url("/tiny.safetensors");
    let cache = folder.path().join("cache");
    let cache = [("ATELIER_CACHE", cache.to_str().unwrap())];

    scenes::save(&scenes::rectangles(64, 48, 99), &folder.path().join("house.png"));
    scenes::photo_folder(&folder.path().join("photos"), 3);
    let layers = ["--style-layers", tiny_vgg::STYLE_LAYERS, "--content-layers", tiny_vgg::CONTENT_LAYER];
    let train = ["train", "--style", "house.png", "--data", "photos", "--steps", "1", "--batch", "1"];
    let train = [&train[..], &["--size", "32", "--device", "cpu"], &layers].concat();
    // vgg19 is what is taken by default.
    trainer_with(folder.path(), &train, &cache)
        .expect_error(1, &["no loss network vgg19 here yet: run `trainer fetch vgg19`", "vgg19.safetensors"]);
    assert!(!folder.path().join("runs").exists());

    let args = ["fetch", "vgg19", "--source", &url, "--sha256", &sum];
    let fetched = trainer_with(folder.path(), &args, &cache);
    fetched.expect_success();
    let path = folder.path().join("cache/loss-nets/vgg19.safetensors");
    assert_eq!(Path::new(fetched.stdout().trim()), path);
    for words in ["trying again", "up to relu2_1, blue first, checked by sha256"] {
        assert!(fetched.stderr().contains(words), "{}", fetched.stderr());
    }
    trainer_with(folder.path(), &train, &cache).expect_success();
    let train = [&train[..], &["--loss-net", "vgg19", "--name", "again"]].concat();
    trainer_with(folder.path(), &train, &cache).expect_success();
    let config = std::fs::read_to_string(folder.path().join("runs/again/config.toml")).unwrap();
    assert!(config.contains("loss_net = \"vgg19\""), "a name stays a name, for other machines: {config}");

    let again = trainer_with(folder.path(), &args, &cache);
    again.expect_success();
    assert!(again.stderr().contains("there already"), "{}", again.stderr());
    assert_eq!(server.requests().len(), 2);
    let forced = trainer_with(folder.path(), &[&args[..], &["--force", "--quiet"]].concat(), &cache);
    forced.expect_success();
    assert_eq!((forced.stderr().as_str(), server.requests().len()), ("", 3));
}

#[test]
#[cfg(target_os = "linux")]
fn without_a_word_from_the_user_networks_lie_in_the_cache_folder() {
    let folder = tempfile::tempdir().unwrap();
    weights(&folder);
    let list = fetch(&folder, &[]);
    assert_eq!(list.expect_success().stdout(), fetch(&folder, &["--list"]).stdout());
    assert!(!list.stdout().contains("here: your own weights"), "{}", list.stdout());

    fetch(&folder, &["vgg19", "--source", "published.safetensors"]).expect_success();
    assert!(folder.path().join(HOME_CACHE).is_file());
    let list = fetch(&folder, &["--list"]).stdout();
    for words in [
        "vgg16-torchvision",
        "here: your own weights up to relu2_1",
        "here: not fetched",
        ".cache/atelier/loss-nets",
    ] {
        assert!(list.contains(words), "`{words}` is not in:\n{list}");
    }
}

#[test]
fn what_goes_wrong_is_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let (bytes, sum) = weights(&folder);
    let server = Server::start(&bytes, vec![Reply::AsAsked]);
    let url = server.url("/tiny.safetensors");
    let quiet = |args: &[&str]| fetch(&folder, &[args, &["--quiet"]].concat());
    let other = "0".repeat(64);
    quiet(&["vgg19", "--source", &url, "--sha256", &other]).expect_error(1, &["sha256", &sum, &url]);
    quiet(&["vgg19", "--source", &url]).expect_error(1, &["--sha256", "--allow-unpinned", &sum]);
    quiet(&["vgg16", "--source", "published.safetensors", "--sha256", &other]).expect_error(1, &["sha256"]);
    quiet(&["vgg19", "--source", "none.pth"]).expect_error(1, &["none.pth"]);
    std::fs::write(folder.path().join("text.pth"), "no pickle\nat all").unwrap();
    quiet(&["vgg19", "--source", "text.pth"]).expect_error(1, &["neither safetensors nor", "text.pth"]);
    quiet(&["vgg18"]).expect_error(2, &["vgg18", "vgg19-torchvision"]);
    assert_eq!(fetch(&folder, &["vgg19", "--source", &url, "--sha256", "12"]).status(), Some(2));
    std::fs::write(folder.path().join("file"), "").unwrap();
    trainer_with(
        folder.path(),
        &["fetch", "vgg19", "--quiet", "--source", &url],
        &[("ATELIER_CACHE", "file")],
    )
    .expect_error(1, &["file/loss-nets"]);
}

/// No room on the disk, as far as a test can have it: no file may grow beyond some kilobytes.
#[test]
#[cfg(unix)]
fn a_full_disk_is_one_line_and_leaves_no_network() {
    let folder = tempfile::tempdir().unwrap();
    let (bytes, sum) = weights(&folder);
    let server = Server::start(&bytes, vec![Reply::AsAsked]);
    let program = trainer_command(folder.path());
    let script =
        "trap '' XFSZ; ulimit -f 16; exec \"$0\" fetch vgg19 --quiet --source \"$1\" --sha256 \"$2\"";
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", script]).arg(program.get_program()).args([&server.url("/tiny.safetensors"), &sum]);
    shell.current_dir(folder.path()).env("HOME", folder.path()).env("ATELIER_CACHE", "cache");
    let finished = Finished(shell.output().unwrap());
    finished.expect_error(1, &["too large", "tiny.safetensors"]);
    assert!(!folder.path().join("cache/loss-nets/vgg19.safetensors").exists());
}

#[test]
fn the_proxy_of_the_environment_is_asked_and_its_exceptions_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let (bytes, sum) = weights(&folder);
    let server = Server::start(&bytes, vec![Reply::AsAsked]);
    let proxy = Proxy::start();
    let url = server.url("/tiny.safetensors");
    let args = ["fetch", "vgg19", "--force", "--source", &url, "--sha256", &sum];
    trainer_with(folder.path(), &args, &[("HTTP_PROXY", &proxy.url()), ("NO_PROXY", "127.0.0.1")])
        .expect_success();
    assert_eq!(proxy.targets(), [""; 0]);
    trainer_with(folder.path(), &args, &[("HTTP_PROXY", &proxy.url())]).expect_success();
    let host = url.trim_start_matches("http://").split('/').next().unwrap();
    assert!(proxy.targets().len() == 1 && proxy.targets()[0].contains(host), "{:?}", proxy.targets());
    assert_eq!(server.requests().len(), 2);

    // A proxy that is not there is no reason to go past it.
    let dead = crate::support::server::nobody();
    let args = [&args[..], &["--quiet"]].concat();
    trainer_with(folder.path(), &args, &[("ALL_PROXY", &dead)])
        .expect_error(1, &["through the proxy 127.0.0.1", &url]);
    assert_eq!(server.requests().len(), 2);
}
