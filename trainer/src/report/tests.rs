use std::collections::BTreeMap;
use std::path::Path;

use common::loss::LossValues;
use pixel::Picture;

use super::*;
use crate::journal::{Journal, JournalEntry};
use crate::preview;

const TITLE: &str = "A <b>\"wave\"</b> & </script><script>alert(1)</script>, X";

fn losses(step: u64) -> LossValues {
    let layer = |name: &str| name.parse().unwrap();
    let value = 1e6 / step as f64;
    LossValues {
        total: value,
        style: value / 10.0,
        style_layers: BTreeMap::from([(layer("relu1_1"), value / 20.0), (layer("relu2_1"), value / 20.0)]),
        ..LossValues::default()
    }
}

/// A run folder with `steps` steps in its journal, and a preview after each of `previews`.
fn run_folder(folder: &Path, steps: u64, previews: &[u64]) -> RunRecord {
    let mut journal = Journal::create(folder).unwrap();
    let mut add = |entry: &JournalEntry| journal.append(entry).unwrap();
    add(&JournalEntry::Started {
        device: "cpu".to_owned(),
        software: "atelier 0.0".to_owned(),
        painting: TITLE.to_owned(),
    });
    for step in 1..=steps {
        add(&JournalEntry::Step { step, learning_rate: 0.1, images_per_s: 2.0, losses: losses(step) });
        if previews.contains(&step) {
            let sheet = Picture::from_rgb(8, 4, vec![step as u8; 96]).unwrap();
            let file = preview::write(folder, step, &sheet).unwrap();
            add(&JournalEntry::Preview { step, file });
        }
    }
    std::fs::write(folder.join("config.toml"), "name = \"<i>\"\n").unwrap();
    std::fs::write(folder.join("skipped.txt"), "a.jpg: empty\nb.jpg: empty\n").unwrap();
    RunRecord::read(folder, "wave").unwrap()
}

#[test]
fn a_report_is_one_file_that_names_nothing_outside_itself() {
    let folder = tempfile::tempdir().unwrap();
    let record = run_folder(folder.path(), 40, &[10, 20, 40]);
    let path = write(&record).unwrap();
    assert_eq!(path, folder.path().join("report.html"));
    let html = std::fs::read_to_string(path).unwrap();
    assert_eq!(html.matches("src=\"data:image/jpeg;base64,").count(), 3);
    assert_eq!(html.matches("src=").count() + html.matches("href=").count(), 3, "nothing is linked");
    assert!(!html.contains("http:") && !html.contains("https:"), "nothing is named that could be fetched");
    for words in ["step 10", "Style loss by layer", "relu2_1", "Photos that could not be used</dt><dd>2"] {
        assert!(html.contains(words), "`{words}` is not in the report");
    }
}

#[test]
fn what_the_user_wrote_stays_text() {
    let folder = tempfile::tempdir().unwrap();
    let html = html(&run_folder(folder.path(), 3, &[]));
    assert!(!html.contains("<b>") && !html.contains("<i>"), "markup got through");
    assert_eq!(html.matches("<script").count(), 1);
    assert!(html.contains("&lt;b&gt;") && html.contains("&lt;i&gt;"));
}

#[test]
fn a_preview_that_is_gone_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let record = run_folder(folder.path(), 3, &[1, 2]);
    std::fs::remove_file(folder.path().join("previews/step-000001.png")).unwrap();
    std::fs::write(folder.path().join("previews/step-000002.png"), "cut").unwrap();
    assert!(html(&record).contains("2 previews could not be read."));
}

#[test]
fn a_run_that_has_just_begun_has_a_report() {
    let folder = tempfile::tempdir().unwrap();
    let html = html(&run_folder(folder.path(), 0, &[]));
    assert!(html.contains("no style file yet") && !html.contains("NaN"));
}

#[test]
fn a_long_run_makes_no_longer_a_report() {
    let folder = tempfile::tempdir().unwrap();
    let html = html(&run_folder(folder.path(), 5000, &(1..60).collect::<Vec<_>>()));
    assert_eq!(html.matches("src=\"data:").count(), 16);
    assert!(html.len() < 400_000, "{} bytes", html.len());
}
