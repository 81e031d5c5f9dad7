//! TensorBoard's own reader understands our logs.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::loss::LossValues;
use pixel::Picture;
use trainer::journal::JournalEntry;
use trainer::tensorboard::TensorBoardLog;

/// A Python that has the package tensorboard, or `None` after a line that says that the test is passed over.
fn python_with_tensorboard(test: &str) -> Option<PathBuf> {
    let named = std::env::var_os("ATELIER_PYTHON").map(PathBuf::from);
    let python = named.unwrap_or_else(|| PathBuf::from("python3"));
    // A part of the package: tests run beside a folder of its name, which Python would take for it.
    let probe = Command::new(&python).args(["-c", "import tensorboard.backend"]).output();
    if probe.is_ok_and(|output| output.status.success()) {
        return Some(python);
    }
    // Not eprintln, whose words the test harness keeps to itself when the test passes.
    let _ = writeln!(
        std::io::stderr(),
        "PASSED OVER {test}: set ATELIER_PYTHON to a Python with the package tensorboard to run it"
    );
    None
}

fn read_log(python: &Path, folder: &Path) -> serde_json::Value {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tensorboard/read_log.py");
    let output = Command::new(python).arg(script).arg(folder).output().expect("python starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

fn step(step: u64, total: f64) -> JournalEntry {
    let losses = LossValues {
        total,
        style_layers: BTreeMap::from([("relu1_1".parse().unwrap(), total / 2.0)]),
        ..LossValues::default()
    };
    JournalEntry::Step { step, learning_rate: 0.25, images_per_s: 4.0, losses }
}

#[test]
fn tensorboard_reads_the_curves_and_a_resumed_run_replaces_what_it_repeats() {
    let Some(python) = python_with_tensorboard("tensorboard") else { return };
    let run = tempfile::tempdir().unwrap();
    let sheet = Picture::from_rgb(6, 4, vec![80; 72]).unwrap();

    // An earlier run of that name, which is replaced.
    TensorBoardLog::start(run.path(), None).unwrap().add(&step(1, 99.0)).unwrap();
    let mut log = TensorBoardLog::start(run.path(), None).unwrap();
    for (at, total) in [(1, 8.0), (2, 4.0), (3, 2.0)] {
        log.add(&step(at, total)).unwrap();
        log.add_preview(at, &sheet).unwrap();
    }
    log.add(&JournalEntry::Validation { step: 2, losses: LossValues::default(), photos: 3 }).unwrap();
    drop(log);
    // The run went on from step 2, not from where it had come.
    let mut log = TensorBoardLog::start(run.path(), Some(2)).unwrap();
    log.add(&step(3, 2.5)).unwrap();

    let found = read_log(&python, &run.path().join(TensorBoardLog::FOLDER));
    let scalars = &found["scalars"];
    assert_eq!(scalars["loss/total"], serde_json::json!([[1, 8.0], [2, 4.0], [3, 2.5]]));
    assert_eq!(scalars["style/relu1_1"], serde_json::json!([[1, 4.0], [2, 2.0], [3, 1.25]]));
    assert_eq!(scalars["learning_rate"][0], serde_json::json!([1, 0.25]));
    assert_eq!(scalars["validation/loss/total"], serde_json::json!([[2, 0.0]]));
    assert_eq!(found["images"]["previews"], serde_json::json!([[1, 6, 4], [2, 6, 4]]));
}
