//! The true motion of a film, as files beside it or elsewhere.

use std::io;
use std::path::{Path, PathBuf};

use motion::{FloFileError, Flow, Mask, read_flo};
use pixel::{DecodeError, DecodeLimits, Grey, decode_file};
use thiserror::Error;

use super::sequence::{Film, MASKS};

/// Where the true motion from one frame to the next is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrueFlow {
    file: PathBuf,
    /// Pictures that mark pixels which do not count.
    masks: Vec<PathBuf>,
}

/// The true motion of a film is not what it should be.
#[derive(Debug, Error)]
pub enum TrueFlowError {
    /// The folder cannot be listed.
    #[error("cannot read the folder of flows: {cause}: {}", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// Neither names nor order say which flow belongs to which pair.
    #[error(
        "{frames} frames make {} pairs, for which there are {flows} .flo files whose names are not those of the frames: {}",
        frames - 1, folder.display()
    )]
    Count {
        /// Frames of the film.
        frames: usize,
        /// Files of flow.
        flows: usize,
        /// Where they are.
        folder: PathBuf,
    },
    /// No flow.
    #[error(transparent)]
    Flo(#[from] FloFileError),
    /// No mask.
    #[error("{cause}: {}", path.display())]
    Mask {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        cause: DecodeError,
    },
    /// Another size.
    #[error("the frames are {}x{} pixels, this is {}x{}: {}", frames.0, frames.1, found.0, found.1, path.display())]
    Size {
        /// Of the frames.
        frames: (u32, u32),
        /// Of the file.
        found: (u32, u32),
        /// The file.
        path: PathBuf,
    },
}

/// The true flows of a film, one for each pair, from the folder of the film's name in `root`, or from `root` itself if `film`
/// lies in no folder of its own. `None` where there are none.
///
/// A pair's flow is `flow_I_to_J.flo` by the frames' numbers from 0, or the first frame's name with `.flo`; else they are
/// taken in order, and must be as many as pairs.
///
/// # Errors
/// The folder cannot be read, or there are some flows, but not one for each pair.
pub fn true_flows(root: &Path, film: &Film) -> Result<Option<Vec<TrueFlow>>, TrueFlowError> {
    let folder = root.join(&film.folder);
    let unreadable = |cause| TrueFlowError::Folder { folder: folder.clone(), cause };
    if !folder.is_dir() && !film.folder.as_os_str().is_empty() {
        return Ok(None);
    }
    let mut flows = Vec::new();
    for entry in std::fs::read_dir(&folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.extension().is_some_and(|suffix| suffix.eq_ignore_ascii_case("flo")) {
            flows.push(path);
        }
    }
    if flows.is_empty() {
        return Ok(None);
    }
    flows.sort();
    let pairs = film.frames.len() - 1;
    let by_name: Vec<PathBuf> = (0..pairs)
        .filter_map(|pair| {
            let numbered = folder.join(format!("flow_{pair}_to_{}.flo", pair + 1));
            let named = folder.join(film.frames[pair].file_stem()?).with_extension("flo");
            [numbered, named].into_iter().find(|path| flows.contains(path))
        })
        .collect();
    let files = match (by_name.len() == pairs, flows.len() == pairs) {
        (true, _) => by_name,
        (false, true) => flows,
        (false, false) => {
            return Err(TrueFlowError::Count { frames: film.frames.len(), flows: flows.len(), folder });
        }
    };
    let masks = |file: &Path| {
        let of_pair =
            |mask: &str| folder.join(mask).join(file.file_stem().unwrap_or_default()).with_extension("png");
        // One picture beside several flows cannot be about all of them.
        let of_film = |mask: &str| folder.join(mask).with_extension("png");
        let found = MASKS.iter().map(|mask| if pairs == 1 { of_film(mask) } else { of_pair(mask) });
        found.filter(|path| path.is_file()).collect()
    };
    Ok(Some(files.into_iter().map(|file| TrueFlow { masks: masks(&file), file }).collect()))
}

impl TrueFlow {
    /// The flow, and which pixels count.
    ///
    /// # Errors
    /// A file cannot be read or has another size than the frames.
    pub fn read(&self, frames: (u32, u32)) -> Result<(Flow, Mask), TrueFlowError> {
        let check = |path: &Path, found| {
            if found == frames {
                Ok(())
            } else {
                Err(TrueFlowError::Size { frames, found, path: path.to_owned() })
            }
        };
        let flow = read_flo(&self.file)?;
        check(&self.file, (flow.width(), flow.height()))?;
        let mut counts = Mask::all(frames.0, frames.1);
        for path in &self.masks {
            let marked = decode_file(path, &DecodeLimits::default())
                .map_err(|cause| TrueFlowError::Mask { path: path.clone(), cause })?;
            let marked = Grey::from_picture(&marked);
            check(path, (marked.width(), marked.height()))?;
            let values = marked.values();
            counts = counts.and(&Mask::from_fn(frames.0, frames.1, |x, y| {
                values[y as usize * frames.0 as usize + x as usize] < 128
            }));
        }
        Ok((flow, counts))
    }
}

#[cfg(test)]
mod tests {
    use motion::write_flo;
    use pixel::{Format, Picture};

    use super::*;

    fn film(frames: usize, folder: &str) -> Film {
        let frames = (0..frames).map(|frame| PathBuf::from(format!("photos/frame{frame}.png"))).collect();
        Film { name: "film".into(), frames, folder: folder.into() }
    }

    fn found(root: &Path, film: &Film) -> Vec<String> {
        let flows = true_flows(root, film).unwrap().unwrap();
        flows.iter().map(|flow| flow.file.file_name().unwrap().to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn flows_are_found_by_number_by_name_and_by_order() {
        let root = tempfile::tempdir().unwrap();
        let touch = |name: &str| std::fs::write(root.path().join(name), "").unwrap();
        assert_eq!(true_flows(root.path(), &film(3, "")).unwrap(), None);
        assert_eq!(true_flows(root.path(), &film(3, "elsewhere")).unwrap(), None);
        touch("b.flo");
        touch("a.flo");
        assert_eq!(found(root.path(), &film(3, "")), ["a.flo", "b.flo"]);
        let message = true_flows(root.path(), &film(4, "")).unwrap_err().to_string();
        assert!(message.contains("4 frames make 3 pairs") && message.contains("2 .flo files"), "{message}");
        touch("frame0.flo");
        touch("flow_1_to_2.flo");
        assert_eq!(found(root.path(), &film(3, "")), ["frame0.flo", "flow_1_to_2.flo"]);
    }

    #[test]
    fn what_is_marked_does_not_count_and_sizes_must_agree() {
        let root = tempfile::tempdir().unwrap();
        write_flo(&Flow::still(3, 1), root.path().join("frame0.flo")).unwrap();
        let mark = |name: &str, column: usize| {
            let mut rgb = vec![0; 9];
            rgb[3 * column..3 * column + 3].fill(255);
            let picture = Picture::from_rgb(3, 1, rgb).unwrap();
            pixel::write_file(&picture, root.path().join(name), Format::Png).unwrap();
        };
        mark("occlusion.png", 0);
        mark("invalid.png", 2);
        let flows = true_flows(root.path(), &film(2, "")).unwrap().unwrap();
        let (_, counts) = flows[0].read((3, 1)).unwrap();
        assert_eq!(counts.values(), [false, true, false]);
        let message = flows[0].read((4, 1)).unwrap_err().to_string();
        assert!(
            message.contains("4x1") && message.contains("3x1") && message.ends_with("frame0.flo"),
            "{message}"
        );
    }
}
