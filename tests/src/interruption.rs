//! Ctrl-C, kill -9 and a full disk: what a run loses by them.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use common::style_file;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use tch::{Device, Tensor};

use crate::support::programs::{start_trainer, trainer, trainer_in_shell};
use crate::support::{scenes, tiny_vgg};

/// What to learn with: enough to have a state of every kind.
const TRAIN: &str = "train --style painting.png --data photos --loss-net vgg.safetensors --config tiny.toml \
                     --device cpu --threads 1 --decode-threads 1 --name a";

const TINY: &str = "
[run]
checkpoint_every = 4
log_every = 5
preview_every = 0
store = 'f32'
[recipe]
batch = 2
crop_px = 32
ema_decay = 0.9
[recipe.net]
width = 4
residual_blocks = 1
[recipe.loss]
style_layers = 'relu1_1,relu2_1'
content_layers = 'relu1_2'
";

fn studio() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    scenes::save(&scenes::rectangles(64, 48, 99), &folder.path().join("painting.png"));
    scenes::photo_folder(&folder.path().join("photos"), 6);
    tiny_vgg::write(&folder.path().join("vgg.safetensors"));
    std::fs::write(folder.path().join("tiny.toml"), TINY).unwrap();
    folder
}

fn words(text: &str) -> Vec<&str> {
    text.split_whitespace().collect()
}

fn style_file_of(folder: &Path) -> PathBuf {
    folder.join("runs/a/a.safetensors")
}

fn weights(folder: &Path) -> Tensor {
    let (_, net) = style_file::load(&style_file_of(folder), Device::Cpu).unwrap();
    net.parameters().flat().copy()
}

fn has_checkpoint(folder: &Path) -> bool {
    std::fs::read_dir(folder.join("runs/a/checkpoints")).is_ok_and(|mut files| files.next().is_some())
}

/// Waits until the run has saved something.
fn await_checkpoint(folder: &Path) {
    let start = Instant::now();
    while !has_checkpoint(folder) {
        assert!(start.elapsed() < Duration::from_mins(2), "no checkpoint after two minutes");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn ctrl_c_saves_and_says_so_by_its_status() {
    let folder = studio();
    let mut running = start_trainer(folder.path(), &words(&format!("{TRAIN} --steps 100000")));
    await_checkpoint(folder.path());
    Command::new("kill").args(["-INT", &running.id().to_string()]).status().unwrap();
    assert_eq!(running.wait().unwrap().code(), Some(130));
    let stopped = weights(folder.path());
    let finished = trainer(folder.path(), &words("train --resume runs/a --steps 100000 --size 48"));
    finished.expect_error(1, &["`crop_px`", "--from"]);
    assert!(weights(folder.path()).equal(&stopped));
}

/// How often runs are killed: a few times by default, as often as ATELIER_KILLS says.
fn kills() -> usize {
    std::env::var("ATELIER_KILLS").ok().and_then(|count| count.parse().ok()).unwrap_or(4)
}

#[test]
fn killed_runs_learn_what_they_would_have_learnt() {
    const STEPS: &str = "--steps 120";
    let straight = studio();
    trainer(straight.path(), &words(&format!("{TRAIN} {STEPS} --quiet"))).expect_success();
    let expected = weights(straight.path());

    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut kills_left = kills();
    let mut runs_compared = 0;
    while kills_left > 0 || runs_compared == 0 {
        let folder = studio();
        loop {
            let arguments = if folder.path().join("runs/a/config.toml").exists() {
                "train --resume runs/a --device cpu --threads 1 --decode-threads 1".to_owned()
            } else {
                format!("{TRAIN} {STEPS} --overwrite")
            };
            let mut running = start_trainer(folder.path(), &words(&arguments));
            // Some moment of it: while it starts, learns, or writes.
            let patience = Duration::from_millis(rng.random_range(100..2500));
            let start = Instant::now();
            let is_done = loop {
                if let Some(status) = running.try_wait().unwrap() {
                    assert_eq!(status.code(), Some(0), "the run failed after {} kills", kills() - kills_left);
                    break true;
                }
                if kills_left > 0 && start.elapsed() >= patience {
                    running.kill().unwrap(); // SIGKILL
                    running.wait().unwrap();
                    kills_left -= 1;
                    break false;
                }
                std::thread::sleep(Duration::from_millis(2));
            };
            if is_done {
                break;
            }
        }
        assert!(weights(folder.path()).equal(&expected), "a killed run learnt something else");
        runs_compared += 1;
    }
}

#[test]
fn a_full_disk_leaves_the_checkpoint_that_was_there() {
    let folder = studio();
    let train = format!("{TRAIN} --steps 8 --quiet");
    trainer(folder.path(), &words(&train)).expect_success();
    let checkpoint = folder.path().join("runs/a/checkpoints/step-00000008.safetensors");
    let (before, style_before) =
        (std::fs::read(&checkpoint).unwrap(), std::fs::read(style_file_of(folder.path())).unwrap());
    // No file may grow beyond 8 blocks of 512 or 1024 bytes: what a full disk looks like to a program.
    let resume = "ulimit -f 8; trap '' XFSZ; exec \"$TRAINER\" train --resume runs/a --steps 20 --quiet";
    let finished = trainer_in_shell(folder.path(), resume);
    finished.expect_error(1, &["cannot write", "step-000000"]);
    assert_eq!(std::fs::read(&checkpoint).unwrap(), before);
    assert_eq!(std::fs::read(style_file_of(folder.path())).unwrap(), style_before);
    trainer(folder.path(), &words("train --resume runs/a --steps 12 --quiet")).expect_success();
}
