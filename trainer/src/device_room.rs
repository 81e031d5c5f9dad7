//! How much of a device's memory the photos may take.

use std::fmt;
use std::process::{Command, Stdio};
use std::str::FromStr;

use datasets::{PhotoFolder, StreamConfig, StreamError, WholePhotoStream};
use serde::{Deserialize, Serialize};
use tch::Device;

/// Of the memory that is free before a training starts; the rest is for the networks.
const SHARE_OF_FREE: f64 = 0.6;

/// Photos that are looked at to tell how large a whole set is.
const SAMPLE: usize = 32;

/// How much of the device's memory decoded photos may take.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ResidentRoom {
    /// On a GPU 60 % of the memory that is free, on the CPU nothing.
    Auto,
    /// Nothing.
    Off,
    /// So many gigabytes, of 1e9 bytes each.
    #[serde(untagged)]
    Gigabytes(f64),
}

impl ResidentRoom {
    /// The room on `device`, in bytes.
    pub fn bytes(self, device: Device) -> u64 {
        match self {
            Self::Auto => free_bytes(device).map_or(0, |free| (free as f64 * SHARE_OF_FREE) as u64),
            Self::Off => 0,
            Self::Gigabytes(gigabytes) => (gigabytes * 1e9) as u64,
        }
    }
}

impl FromStr for ResidentRoom {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            "off" => Ok(Self::Off),
            _ => match text.parse::<f64>() {
                Ok(gigabytes) if gigabytes.is_finite() && gigabytes >= 0.0 => Ok(Self::Gigabytes(gigabytes)),
                _ => Err("expected gigabytes, auto or off".to_owned()),
            },
        }
    }
}

impl fmt::Display for ResidentRoom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Off => f.write_str("off"),
            Self::Gigabytes(gigabytes) => gigabytes.fmt(f),
        }
    }
}

/// Whether all photos of a stream would fit into the room that [`ResidentRoom::Auto`] gives them. Decodes a few.
///
/// # Errors
/// None of the photos can be used, or no decode thread can be had.
pub fn holds_all(photos: &PhotoFolder, config: StreamConfig, device: Device) -> Result<bool, StreamError> {
    match ResidentRoom::Auto.bytes(device) {
        0 => Ok(false),
        room => Ok(estimated_bytes(photos, config)? <= room),
    }
}

/// What all photos of a stream would take, by the mean of its first ones.
fn estimated_bytes(photos: &PhotoFolder, config: StreamConfig) -> Result<u64, StreamError> {
    let mut stream = WholePhotoStream::resume(photos.clone(), config, &[])?;
    let sample = SAMPLE.min(photos.len());
    let mut bytes = 0;
    for _ in 0..sample {
        bytes += stream.next_turn()?.photo.map_or(0, |photo| photo.byte_rgb.len());
    }
    Ok((bytes * photos.len()).div_ceil(sample) as u64)
}

/// The free memory of a GPU, in bytes; of the fullest where there are several, since CUDA and the driver may number them
/// differently. `None` where nothing can be found out: libtorch tells only through C++, so the driver's own tool is asked.
fn free_bytes(device: Device) -> Option<u64> {
    let Device::Cuda(_) = device else { return None };
    let query = ["--query-gpu=memory.free", "--format=csv,noheader,nounits"];
    let output = Command::new("nvidia-smi").args(query).stdin(Stdio::null()).output().ok()?;
    if !output.status.success() {
        return None;
    }
    least_mebibytes(std::str::from_utf8(&output.stdout).ok()?).map(|mebibytes| mebibytes << 20)
}

/// The least of the numbers, one a line; `None` unless all lines hold one.
fn least_mebibytes(lines: &str) -> Option<u64> {
    let numbers: Option<Vec<u64>> = lines.lines().map(|line| line.trim().parse().ok()).collect();
    numbers?.into_iter().min()
}

#[cfg(test)]
mod tests {
    use datasets::{A_LITTLE_ZOOM, StreamPosition};
    use pixel::{Format, Picture, write_file};

    use super::*;

    #[test]
    fn room_is_read_and_written_alike() {
        for text in ["auto", "off", "8", "0.5", "0"] {
            assert_eq!(text.parse::<ResidentRoom>().unwrap().to_string(), text);
        }
        for text in ["", "-1", "NaN", "inf", "8GB"] {
            assert!(text.parse::<ResidentRoom>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_cpu_keeps_only_what_it_is_told_to() {
        let bytes = |room: ResidentRoom| room.bytes(Device::Cpu);
        assert_eq!(bytes(ResidentRoom::Auto), 0);
        assert_eq!(bytes(ResidentRoom::Off), 0);
        assert_eq!(bytes(ResidentRoom::Gigabytes(1.5)), 1_500_000_000);
    }

    #[test]
    fn the_fullest_gpu_counts_and_what_is_not_understood_does_not() {
        assert_eq!(least_mebibytes("81000\n 512\n"), Some(512));
        assert_eq!(least_mebibytes("81000\n[N/A]\n"), None);
        assert_eq!(least_mebibytes(""), None);
    }

    #[test]
    fn a_set_is_estimated_by_its_first_photos() {
        let root = tempfile::tempdir().unwrap();
        for photo in 0..40 {
            let rgb = (0..60 * 20 * 3).map(|i| (i * 7 % 251) as u8).collect();
            let picture = Picture::from_rgb(60, 20, rgb).unwrap();
            write_file(&picture, root.path().join(format!("{photo}.png")), Format::Png).unwrap();
        }
        let config = StreamConfig {
            seed: 1,
            crop: 16,
            batch: 1,
            augment: true,
            zoom: A_LITTLE_ZOOM,
            decode_threads: 1,
            start: StreamPosition::default(),
        };
        let photos = PhotoFolder::scan(root.path()).unwrap();
        assert_eq!(estimated_bytes(&photos, config).unwrap(), 40 * 18 * 54 * 3);
        assert!(!holds_all(&photos, config, Device::Cpu).unwrap());
    }
}
