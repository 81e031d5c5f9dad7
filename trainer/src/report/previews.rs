//! The previews of a run, made small enough to be part of a page.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use pixel::{DecodeLimits, Format};

use crate::journal::JournalEntry;
use crate::run_record::RunRecord;

/// Sheets on a page at most, evenly chosen, the first and the last among them: a few megabytes.
const SHEETS_SHOWN: usize = 16;
/// Fine enough for brush strokes.
const JPEG_QUALITY: u8 = 84;

/// What a page shows of the previews.
pub(super) struct Previews {
    pub(super) sheets: Vec<Sheet>,
    /// Files that the journal names and that cannot be read.
    pub(super) unreadable: usize,
}

/// A preview sheet.
pub(super) struct Sheet {
    pub(super) step: u64,
    pub(super) data_uri: String,
    pub(super) width: u32,
    pub(super) height: u32,
}

impl Previews {
    pub(super) fn read(record: &RunRecord) -> Self {
        let files: Vec<(u64, &str)> = record
            .journal
            .iter()
            .filter_map(|entry| match entry {
                JournalEntry::Preview { step, file } => Some((*step, file.as_str())),
                _ => None,
            })
            .collect();
        let chosen = evenly(files.len(), SHEETS_SHOWN);
        let count = chosen.len();
        let sheets: Vec<Sheet> = chosen
            .into_iter()
            .filter_map(|place| {
                let (step, file) = files[place];
                let picture = pixel::decode_file(record.folder.join(file), &DecodeLimits::default()).ok()?;
                let jpeg = pixel::encode(&picture, Format::Jpeg { quality: JPEG_QUALITY }).ok()?;
                let data_uri = format!("data:image/jpeg;base64,{}", BASE64_STANDARD.encode(jpeg));
                Some(Sheet { step, data_uri, width: picture.width(), height: picture.height() })
            })
            .collect();
        Self { unreadable: count - sheets.len(), sheets }
    }
}

/// `most` of the places below `count`, evenly, with both ends; all of them if there are no more.
fn evenly(count: usize, most: usize) -> Vec<usize> {
    if count <= most {
        return (0..count).collect();
    }
    (0..most).map(|place| place * (count - 1) / (most - 1)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_are_always_among_the_chosen() {
        assert_eq!(evenly(0, 4), [0usize; 0]);
        assert_eq!(evenly(3, 4), [0, 1, 2]);
        assert_eq!(evenly(100, 4), [0, 33, 66, 99]);
    }
}
