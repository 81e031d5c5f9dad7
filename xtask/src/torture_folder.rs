//! `cargo xtask torture`: the folder that the tests read and paint, for a person to look at.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use torture::{Entry, Expectation, Good};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Where to make the pictures: a folder that is empty or not there
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    for entry in make(&options.folder)? {
        println!("{}", line(&entry));
    }
    Ok(())
}

fn make(folder: &Path) -> Result<Vec<Entry>> {
    fs::create_dir_all(folder).with_context(|| format!("making the folder {}", folder.display()))?;
    let is_empty =
        fs::read_dir(folder).with_context(|| format!("listing {}", folder.display()))?.next().is_none();
    ensure!(is_empty, "the folder is not empty, name another: {}", folder.display());
    torture::make(folder).with_context(|| format!("filling {}", folder.display()))
}

/// What a file is, as `gray.tif: 24x16` or `empty.jpg: error, the file is empty`.
fn line(Entry { name, expectation }: &Entry) -> String {
    let what = match expectation {
        Expectation::Picture(Good { width, height, alpha_on_the_right, .. }) => {
            let alpha = alpha_on_the_right.map_or(String::new(), |_| ", its right half clear".to_owned());
            format!("{width}x{height}{alpha}")
        }
        Expectation::Error(words) => format!("error, {words}"),
    };
    format!("{}: {what}", name.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_is_made_once_and_each_file_is_said() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("new/torture");
        let lines: Vec<String> = make(&folder).unwrap().iter().map(line).collect();
        for expected in ["orientation 6.jpg: 24x16", "alpha.png: 24x16, its right half clear"] {
            assert!(lines.iter().any(|line| line == expected), "{expected}");
        }
        assert!(lines.iter().any(|line| line.starts_with("empty.jpg: error, the file is empty")));
        let is_there = |line: &String| folder.join(line.rsplit_once(": ").unwrap().0).is_file();
        assert!(lines.iter().filter(|line| !line.contains("error")).all(is_there));

        let error = make(&folder).err().unwrap().to_string();
        assert!(error.starts_with("the folder is not empty"), "{error}");
    }
}
