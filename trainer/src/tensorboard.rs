//! Curves and previews for TensorBoard.
//!
//! The only file that names tensorboard-rs. Of that crate the record framing and the summaries are used, but not its
//! `SummaryWriter`: that hands events to a thread of its own over an unbounded channel, so that a full disk panics
//! there, unseen, and again when the writer is dropped; it cannot say when an event has reached the file; its
//! pictures come out with width and height swapped; and two writers begun in one second share a file. Here each event
//! is one write to the file, whose error is returned, and nothing is left to flush.
//!
//! What cannot be done with the crate: values are stored in f32, and histograms of distributions, graphs and
//! hyperparameters are not written. Only writing is used; its protobuf parser never sees a file.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use common::loss::LossValues;
use pixel::{EncodeError, Format, Picture};
use protobuf::{Message as _, RepeatedField};
use tensorboard_proto::event::{Event, SessionLog, SessionLog_SessionStatus};
use tensorboard_proto::summary::{Summary, Summary_Image, Summary_Value};
use tensorboard_rs::record_writer::RecordWriter;
use tensorboard_rs::summary;

use crate::journal::JournalEntry;

/// What [`Event`]s of this format begin with; from this version on a restart may [purge](TensorBoardLog::start).
const FILE_VERSION: &str = "brain.Event:2";

/// A log that TensorBoard reads while it grows.
pub struct TensorBoardLog {
    path: PathBuf,
    file: File,
}

/// A TensorBoard log that cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum TensorBoardError {
    /// The file system refused.
    #[error("cannot write the TensorBoard log: {cause}: {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// A preview does not fit into a PNG.
    #[error("cannot put a preview into the TensorBoard log: {0}")]
    Preview(EncodeError),
}

impl TensorBoardLog {
    /// The log's folder in the run folder.
    pub const FOLDER: &'static str = "tensorboard";

    /// Begins an event file in the run folder, after those that are there, of which TensorBoard then forgets all steps
    /// later than `resumed_after` (its purge on restart): a training that goes on from what was stored after a step draws
    /// its curves on without a fold, and one that begins anew (`None`) shows nothing of an earlier one.
    ///
    /// # Errors
    /// The folder or the file cannot be made.
    pub fn start(run_folder: &Path, resumed_after: Option<u64>) -> Result<Self, TensorBoardError> {
        let folder = run_folder.join(Self::FOLDER);
        let file = std::fs::create_dir_all(&folder).and_then(|()| new_event_file(&folder));
        let (path, file) = file.map_err(|cause| TensorBoardError::File { path: folder, cause })?;
        let mut log = Self { path, file };
        let mut version = Event::new();
        version.set_file_version(FILE_VERSION.to_owned());
        log.write(version, 0)?;
        let mut restart = SessionLog::new();
        restart.set_status(SessionLog_SessionStatus::START);
        let mut event = Event::new();
        event.set_session_log(restart);
        log.write(event, resumed_after.map_or(0, |step| step + 1))?;
        Ok(log)
    }

    /// Adds what an entry of the journal says in numbers; entries without any are passed over. A preview's picture
    /// goes by [`Self::add_preview`].
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn add(&mut self, entry: &JournalEntry) -> Result<(), TensorBoardError> {
        match entry {
            JournalEntry::Step { step, learning_rate, images_per_s, losses } => {
                let mut scalars = loss_scalars("", losses);
                scalars.push(scalar("learning_rate", *learning_rate));
                scalars.push(scalar("images_per_s", *images_per_s));
                self.write_summary(scalars, *step)
            }
            JournalEntry::Validation { step, losses, .. } => {
                self.write_summary(loss_scalars("validation/", losses), *step)
            }
            JournalEntry::Started { .. } | JournalEntry::Preview { .. } | JournalEntry::Resumed { .. } => {
                Ok(())
            }
        }
    }

    /// Adds the losses after a step.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn add_losses(&mut self, step: u64, losses: &LossValues) -> Result<(), TensorBoardError> {
        self.write_summary(loss_scalars("", losses), step)
    }

    /// Adds a preview sheet.
    ///
    /// # Errors
    /// The picture cannot be encoded or the file cannot be written.
    pub fn add_preview(&mut self, step: u64, sheet: &Picture) -> Result<(), TensorBoardError> {
        let png = pixel::encode(sheet, Format::Png).map_err(TensorBoardError::Preview)?;
        let mut image = Summary_Image::new();
        image.set_width(sheet.width() as i32);
        image.set_height(sheet.height() as i32);
        image.set_colorspace(if sheet.alpha().is_some() { 4 } else { 3 });
        image.set_encoded_image_string(png);
        let mut value = Summary_Value::new();
        value.set_tag("previews".to_owned());
        value.set_image(image);
        self.write_summary(vec![value], step)
    }

    fn write_summary(&mut self, values: Vec<Summary_Value>, step: u64) -> Result<(), TensorBoardError> {
        let mut summary = Summary::new();
        summary.set_value(RepeatedField::from_vec(values));
        let mut event = Event::new();
        event.set_summary(summary);
        self.write(event, step)
    }

    /// One event, one record, one write.
    fn write(&mut self, mut event: Event, step: u64) -> Result<(), TensorBoardError> {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        event.set_wall_time(now.as_secs_f64());
        event.set_step(step as i64);
        let bytes = event.write_to_bytes().expect("an event has no required field that could be missing");
        let mut record = Vec::with_capacity(bytes.len() + 16);
        RecordWriter::new(&mut record)
            .write(&bytes)
            .and_then(|()| self.file.write_all(&record))
            .map_err(|cause| TensorBoardError::File { path: self.path.clone(), cause })
    }
}

/// TensorBoard reads the files of a folder in the order of their names: by second, then by number.
fn new_event_file(folder: &Path) -> io::Result<(PathBuf, File)> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    let mut number = 0u32;
    loop {
        let path = folder.join(format!("events.out.tfevents.{now:010}.{number:04}.atelier"));
        match File::create_new(&path) {
            Ok(file) => return Ok((path, file)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
            Err(error) => return Err(error),
        }
    }
}

/// `loss/style`, `style/relu1_1` and so on, all unweighted but `loss/total`.
fn loss_scalars(prefix: &str, losses: &LossValues) -> Vec<Summary_Value> {
    let LossValues {
        total,
        content,
        style,
        total_variation,
        grid_pattern,
        temporal,
        temporal_features,
        photorealism,
        content_layers,
        style_layers,
    } = losses;
    let sums = [
        ("loss/total".to_owned(), total),
        ("loss/content".to_owned(), content),
        ("loss/style".to_owned(), style),
        ("loss/total_variation".to_owned(), total_variation),
    ];
    let optional = [
        ("loss/grid_pattern", grid_pattern),
        ("loss/temporal", temporal),
        ("loss/temporal_features", temporal_features),
        ("loss/photorealism", photorealism),
    ];
    let optional =
        optional.into_iter().filter_map(|(name, loss)| loss.as_ref().map(|loss| (name.to_owned(), loss)));
    let content = content_layers.iter().map(|(layer, loss)| (format!("content/{layer}"), loss));
    let style = style_layers.iter().map(|(layer, loss)| (format!("style/{layer}"), loss));
    let scalars = sums.into_iter().chain(optional).chain(content).chain(style);
    scalars.map(|(name, loss)| scalar(&format!("{prefix}{name}"), *loss)).collect()
}

fn scalar(tag: &str, value: f64) -> Summary_Value {
    let mut summary = summary::scalar(tag, value as f32);
    summary.take_value().into_vec().remove(0)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// CRC-32C by its definition, bit by bit (RFC 3720, appendix B.4).
    fn crc32c(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(!0u32, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
                if crc & 1 == 1 { (crc >> 1) ^ 0x82f6_3b78 } else { crc >> 1 }
            })
        })
    }

    fn masked(crc: u32) -> u32 {
        crc.rotate_right(15).wrapping_add(0xa282_ead8)
    }

    /// Takes a TFRecord file apart: length, its checksum, data, its checksum; all little-endian.
    fn events(mut bytes: &[u8]) -> Vec<Event> {
        let mut events = Vec::new();
        while !bytes.is_empty() {
            let (length, rest) = bytes.split_at(8);
            let (length_crc, rest) = rest.split_at(4);
            assert_eq!(masked(crc32c(length)).to_le_bytes(), length_crc);
            let (data, rest) = rest.split_at(u64::from_le_bytes(length.try_into().unwrap()) as usize);
            let (data_crc, rest) = rest.split_at(4);
            assert_eq!(masked(crc32c(data)).to_le_bytes(), data_crc);
            events.push(Event::parse_from_bytes(data).unwrap());
            bytes = rest;
        }
        events
    }

    fn step(step: u64) -> JournalEntry {
        let losses = LossValues {
            total: 4.0,
            content: 3.0,
            style: 2.0,
            total_variation: 1.0,
            grid_pattern: Some(0.5),
            temporal: Some(0.25),
            temporal_features: Some(0.75),
            photorealism: None,
            content_layers: BTreeMap::from([("relu4_2".parse().unwrap(), 3.0)]),
            style_layers: BTreeMap::from([("relu1_1".parse().unwrap(), 2.0)]),
        };
        JournalEntry::Step { step, learning_rate: 0.5, images_per_s: 8.0, losses }
    }

    #[test]
    fn the_checksum_is_that_of_the_standard() {
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
    }

    #[test]
    fn every_term_is_there_at_once_under_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let mut log = TensorBoardLog::start(folder.path(), None).unwrap();
        log.add(&step(7)).unwrap();
        log.add_preview(7, &Picture::from_rgb(3, 2, vec![9; 18]).unwrap()).unwrap();
        // The log is still open: nothing is held back.
        let events = events(&std::fs::read(&log.path).unwrap());
        assert_eq!(events.len(), 4);
        assert_eq!(events[0].get_file_version(), FILE_VERSION);
        assert_eq!(events[1].get_step(), 0);
        assert_eq!(events[2].get_step(), 7);
        let scalars: Vec<(&str, f32)> = events[2]
            .get_summary()
            .get_value()
            .iter()
            .map(|value| (value.get_tag(), value.get_simple_value()))
            .collect();
        assert_eq!(
            scalars,
            [
                ("loss/total", 4.0),
                ("loss/content", 3.0),
                ("loss/style", 2.0),
                ("loss/total_variation", 1.0),
                ("loss/grid_pattern", 0.5),
                ("loss/temporal", 0.25),
                ("loss/temporal_features", 0.75),
                ("content/relu4_2", 3.0),
                ("style/relu1_1", 2.0),
                ("learning_rate", 0.5),
                ("images_per_s", 8.0),
            ]
        );
        let image = events[3].get_summary().get_value()[0].get_image();
        assert_eq!((image.get_width(), image.get_height()), (3, 2));
        let picture = pixel::decode_bytes(image.get_encoded_image_string(), &pixel::DecodeLimits::default());
        assert_eq!(picture.unwrap().rgb(), [9; 18]);
    }

    #[test]
    fn a_resumed_log_is_a_file_of_its_own_that_purges_later_steps() {
        let folder = tempfile::tempdir().unwrap();
        let first = TensorBoardLog::start(folder.path(), None).unwrap();
        let second = TensorBoardLog::start(folder.path(), Some(40)).unwrap();
        assert!(first.path < second.path);
        let events = events(&std::fs::read(&second.path).unwrap());
        assert_eq!(events[1].get_session_log().get_status(), SessionLog_SessionStatus::START);
        assert_eq!(events[1].get_step(), 41);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_an_error_and_no_panic() {
        let file = File::options().write(true).open("/dev/full").unwrap();
        let mut log = TensorBoardLog { path: PathBuf::from("runs/x"), file };
        let message = log.add(&step(1)).unwrap_err().to_string();
        assert!(message.starts_with("cannot write the TensorBoard log: No space left"), "{message}");
        assert!(message.ends_with(": runs/x"), "{message}");
    }
}
