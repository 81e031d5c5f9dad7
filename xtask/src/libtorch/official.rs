//! The archives that the PyTorch project itself offers.

use std::path::Path;

use anyhow::{Result, bail};

use super::download::Downloader;
use super::install::Source;
use super::layout::{self, Flavour};
use super::pins::{OFFICIAL_CPU, OFFICIAL_CUDA, OfficialArchive};
use super::tree::Archive;

pub(super) struct Official {
    base_url: String,
    cpu: OfficialArchive,
    cuda: OfficialArchive,
    allow_unpinned: bool,
    downloader: Downloader,
}

impl Official {
    pub(super) fn new(allow_unpinned: bool) -> Self {
        Self {
            base_url: "https://download.pytorch.org/libtorch".to_owned(),
            cpu: OFFICIAL_CPU,
            cuda: OFFICIAL_CUDA,
            allow_unpinned,
            downloader: Downloader::default(),
        }
    }
}

impl Source for Official {
    fn name(&self) -> String {
        format!("the official archive ({})", self.base_url)
    }

    fn fetch(&self, flavour: Flavour, folder: &Path) -> Result<Vec<Archive>> {
        let archive = match flavour {
            Flavour::Cpu => &self.cpu,
            Flavour::Cuda => &self.cuda,
        };
        if archive.sha256.is_none() && !self.allow_unpinned {
            bail!("no sha256 is pinned for it (--allow-unpinned takes it on the server's word)");
        }
        let url = format!("{}/{}", self.base_url, archive.path);
        let path = folder.join(format!("libtorch-{}.zip", flavour.version()));
        eprintln!("libtorch: fetching {url}");
        let sha256 = self.downloader.fetch(&url, &path, archive.sha256)?;
        if archive.sha256.is_none() {
            eprintln!("libtorch: taken unpinned; its sha256 is {sha256}");
        }
        Ok(vec![Archive { path, sha256, rule: layout::official }])
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::libtorch::download::tests::{Reply, Server};

    fn official(server: &Server, sha256: Option<&'static str>, allow_unpinned: bool) -> Official {
        Official {
            base_url: server.url(""),
            cpu: OfficialArchive { path: "cpu.zip", sha256 },
            downloader: Downloader::impatient(),
            ..Official::new(allow_unpinned)
        }
    }

    #[test]
    fn unpinned_archive_is_not_even_asked_for_unless_allowed() {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::start(b"zip", vec![Reply::Whole]);
        let error = official(&server, None, false).fetch(Flavour::Cpu, folder.path()).err().unwrap();
        assert!(error.to_string().contains("--allow-unpinned"), "{error}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);

        let archives = official(&server, None, true).fetch(Flavour::Cpu, folder.path()).unwrap();
        assert_eq!(fs::read(&archives[0].path).unwrap(), b"zip");
        assert_eq!(archives[0].sha256.len(), 64);
    }
}
