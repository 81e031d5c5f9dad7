//! `--open`: the desktop's viewer.

use std::path::{Path, PathBuf};
use std::time::Duration;

/// A viewer that fails does so at once; one that is still there has the picture.
const PATIENCE: Duration = Duration::from_millis(500);

/// Shows the results: the one picture, or the folder of the first of several. Without a desktop that is one line on
/// stderr and no failure, since the pictures are written.
pub(crate) fn show(outputs: &[PathBuf]) {
    let target = match outputs {
        [] => return,
        [only] => only.as_path(),
        [first, ..] => {
            first.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
        }
    };
    if let Err(error) = open::that_detached_with_timeout(target, PATIENCE) {
        let reason = error.to_string().lines().next().unwrap_or_default().to_owned();
        eprintln!("written, but no viewer opens it ({reason}): {}", target.display());
    }
}
