//! Raw pictures with their times, as a stream that ffmpeg reads: Matroska (RFC 9559) with uncompressed video, one cluster a
//! picture. Of the formats for raw pictures alone none keeps times.

use std::io::{self, Write};

/// The few elements of Matroska that are used.
mod id {
    pub(super) const EBML: u32 = 0x1A45_DFA3;
    pub(super) const DOC_TYPE: u32 = 0x4282;
    pub(super) const DOC_TYPE_VERSION: u32 = 0x4287;
    pub(super) const DOC_TYPE_READ_VERSION: u32 = 0x4285;
    pub(super) const SEGMENT: u32 = 0x1853_8067;
    pub(super) const INFO: u32 = 0x1549_A966;
    pub(super) const TIMESTAMP_SCALE: u32 = 0x2A_D7B1;
    pub(super) const MUXING_APP: u32 = 0x4D80;
    pub(super) const WRITING_APP: u32 = 0x5741;
    pub(super) const TRACKS: u32 = 0x1654_AE6B;
    pub(super) const TRACK_ENTRY: u32 = 0xAE;
    pub(super) const TRACK_NUMBER: u32 = 0xD7;
    pub(super) const TRACK_UID: u32 = 0x73C5;
    pub(super) const TRACK_TYPE: u32 = 0x83;
    pub(super) const CODEC_ID: u32 = 0x86;
    pub(super) const DEFAULT_DURATION: u32 = 0x23_E383;
    pub(super) const VIDEO: u32 = 0xE0;
    pub(super) const PIXEL_WIDTH: u32 = 0xB0;
    pub(super) const PIXEL_HEIGHT: u32 = 0xBA;
    pub(super) const UNCOMPRESSED_FOURCC: u32 = 0x2E_B524;
    pub(super) const CLUSTER: u32 = 0x1F43_B675;
    pub(super) const TIMESTAMP: u32 = 0xE7;
    pub(super) const SIMPLE_BLOCK: u32 = 0xA3;
}

/// ffmpeg's name of packed red, green, blue.
const RGB24: &[u8; 4] = b"RGB\x18";

/// A stream of `rgb24` pictures of one size, each with its time in nanoseconds.
pub(crate) struct PictureStream<W: Write> {
    out: W,
}

impl<W: Write> PictureStream<W> {
    /// Writes the header. `frame_nanoseconds` is how long a picture lasts, where all last alike.
    pub(crate) fn begin(
        mut out: W,
        (width, height): (u32, u32),
        frame_nanoseconds: Option<u64>,
    ) -> io::Result<Self> {
        let head = [
            text(id::DOC_TYPE, "matroska"),
            uint(id::DOC_TYPE_VERSION, 4),
            uint(id::DOC_TYPE_READ_VERSION, 2),
        ];
        out.write_all(&element(id::EBML, &head.concat()))?;
        // Of unknown length: it ends where the stream does.
        out.write_all(&[&id_bytes(id::SEGMENT)[..], &[0x01], &[0xFF; 7]].concat())?;
        let info =
            [uint(id::TIMESTAMP_SCALE, 1), text(id::MUXING_APP, "atelier"), text(id::WRITING_APP, "atelier")];
        out.write_all(&element(id::INFO, &info.concat()))?;
        let video = [
            uint(id::PIXEL_WIDTH, width.into()),
            uint(id::PIXEL_HEIGHT, height.into()),
            element(id::UNCOMPRESSED_FOURCC, RGB24),
        ];
        let mut track = vec![
            uint(id::TRACK_NUMBER, 1),
            uint(id::TRACK_UID, 1),
            uint(id::TRACK_TYPE, 1),
            text(id::CODEC_ID, "V_UNCOMPRESSED"),
        ];
        track.extend(frame_nanoseconds.map(|duration| uint(id::DEFAULT_DURATION, duration)));
        track.push(element(id::VIDEO, &video.concat()));
        out.write_all(&element(id::TRACKS, &element(id::TRACK_ENTRY, &track.concat())))?;
        Ok(Self { out })
    }

    /// Writes a picture, of as many bytes as its size asks for. Times do not go back.
    pub(crate) fn write(&mut self, nanoseconds: u64, rgb: &[u8]) -> io::Result<()> {
        /// Track 1, at the cluster's own time, a key frame.
        const BLOCK_HEAD: [u8; 4] = [0x81, 0, 0, 0x80];
        let time = uint(id::TIMESTAMP, nanoseconds);
        let block_length = BLOCK_HEAD.len() + rgb.len();
        let block = [id_bytes(id::SIMPLE_BLOCK), length_bytes(block_length), BLOCK_HEAD.to_vec()].concat();
        let length = time.len() + block.len() + rgb.len();
        let head = [id_bytes(id::CLUSTER), length_bytes(length), time, block].concat();
        self.out.write_all(&head)?;
        self.out.write_all(rgb)
    }

    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

fn element(id: u32, content: &[u8]) -> Vec<u8> {
    [&id_bytes(id)[..], &length_bytes(content.len()), content].concat()
}

fn uint(id: u32, value: u64) -> Vec<u8> {
    element(id, &value.to_be_bytes())
}

fn text(id: u32, value: &str) -> Vec<u8> {
    element(id, value.as_bytes())
}

/// An identifier, whose first byte says how long it is.
fn id_bytes(id: u32) -> Vec<u8> {
    let bytes = id.to_be_bytes();
    bytes[id.leading_zeros() as usize / 8..].to_vec()
}

/// A length, always as eight bytes.
fn length_bytes(length: usize) -> Vec<u8> {
    (length as u64 | 1 << 56).to_be_bytes().to_vec()
}
