//! What the tests share.

pub(crate) mod programs;
pub(crate) mod scenes;
pub(crate) mod server;
pub(crate) mod studio;
pub(crate) mod tiny_vgg;
pub(crate) mod untrained;

use std::io::Write as _;
use std::path::PathBuf;

/// The weights of the real VGG-19, or `None` after a line that says that the test is passed over.
pub(crate) fn real_vgg19(test: &str) -> Option<PathBuf> {
    let path = std::env::var_os("ATELIER_VGG19").map(PathBuf::from);
    if path.is_none() {
        // Not eprintln, whose words the test harness keeps to itself when the test passes.
        let _ = writeln!(
            std::io::stderr(),
            "PASSED OVER {test}: set ATELIER_VGG19 to the weights of VGG-19 (safetensors) to run it"
        );
    }
    path
}
