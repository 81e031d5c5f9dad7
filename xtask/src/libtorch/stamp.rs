//! `stamp.json`, the last file that is written into a tree: what the tree is, and that it is whole.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use serde::{Deserialize, Serialize};

use super::layout::{Flavour, WITNESS_HEADER};

const FILE: &str = "stamp.json";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Stamp {
    /// As in `build-version`.
    pub(super) version: String,
    /// The archives by name, with their sha256.
    pub(super) sources: BTreeMap<String, String>,
    /// Files that must be there, with their sizes: everything but the headers, of which one stands for all.
    pub(super) files: BTreeMap<String, u64>,
}

impl Stamp {
    pub(super) fn read(tree: &Path) -> Result<Option<Self>> {
        let path = tree.join(FILE);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(err) if err.kind() == ErrorKind::NotFound => return Ok(None),
            Err(err) => return Err(err).with_context(|| format!("reading {}", path.display())),
        };
        let stamp = serde_json::from_slice(&text).with_context(|| format!("reading {}", path.display()))?;
        Ok(Some(stamp))
    }

    pub(super) fn write(&self, tree: &Path) -> Result<()> {
        let path = tree.join(FILE);
        let text = serde_json::to_string_pretty(self)? + "\n";
        fs::write(&path, text).with_context(|| format!("writing {}", path.display()))
    }

    /// Must a file be listed?
    pub(super) fn lists(file: &str) -> bool {
        !file.starts_with("include/") || file == WITNESS_HEADER
    }

    /// Is the tree the one that the stamp tells of, and does it serve the flavour? Takes milliseconds: sizes only.
    pub(super) fn verify(&self, tree: &Path, flavour: Flavour) -> Result<()> {
        // The CUDA tree holds all that the CPU's does.
        let serves = [flavour, Flavour::Cuda].map(Flavour::version).contains(&self.version);
        ensure!(serves, "it holds libtorch {}, wanted is {}", self.version, flavour.version());
        for (file, size) in &self.files {
            let found = fs::metadata(tree.join(file)).with_context(|| format!("looking for {file}"))?.len();
            ensure!(found == *size, "{file} has {found} bytes, expected {size}");
        }
        Ok(())
    }
}
