//! The header of a Y4M stream, which comes on stdin, where nobody can look twice.

use std::io::Read;

use crate::{FilmError, FrameRate, SampleAspect};

/// The longest header that is read.
const LONGEST: usize = 1024;

/// What a stream says of itself, and the bytes that said so.
#[derive(Debug, PartialEq)]
pub(crate) struct Y4mHeader {
    pub(crate) size: (u32, u32),
    pub(crate) rate: Option<FrameRate>,
    pub(crate) aspect: SampleAspect,
    pub(crate) bytes: Vec<u8>,
}

impl Y4mHeader {
    /// Takes the header's line, and nothing behind it.
    pub(crate) fn read(mut stream: impl Read) -> Result<Self, FilmError> {
        let mut bytes = Vec::new();
        let mut byte = [0];
        while bytes.last() != Some(&b'\n') {
            let read = stream.read(&mut byte).map_err(|_| FilmError::Y4m("it cannot be read"))?;
            if read == 0 || bytes.len() == LONGEST {
                return Err(FilmError::Y4m("there is no header"));
            }
            bytes.push(byte[0]);
            if bytes.len() == 10 && bytes != b"YUV4MPEG2 " {
                return Err(FilmError::Y4m("it begins otherwise"));
            }
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let field = |letter| text.split_whitespace().skip(1).find_map(|field| field.strip_prefix(letter));
        let pixels = |letter| field(letter)?.parse().ok().filter(|pixels| (1..=32_768).contains(pixels));
        let size = pixels('W').zip(pixels('H')).ok_or(FilmError::Y4m("its header has no size"))?;
        let rate = field('F').and_then(|rate| rate.replace(':', "/").parse().ok());
        let aspect = field('A').and_then(|aspect| aspect.parse().ok()).unwrap_or(SampleAspect::SQUARE);
        Ok(Self { size, rate, aspect, bytes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_and_nothing_behind_them() {
        let mut stream = &b"YUV4MPEG2 W640 H360 F30000:1001 Ip A4:3 C420jpeg\nFRAME\nabc"[..];
        let header = Y4mHeader::read(&mut stream).unwrap();
        assert_eq!(
            (header.size, header.rate),
            ((640, 360), Some(FrameRate { frames: 30000, seconds: 1001 }))
        );
        assert_eq!(header.aspect, SampleAspect { width: 4, height: 3 });
        assert_eq!(stream, b"FRAME\nabc");
        assert_eq!(header.bytes.len(), 49);
    }

    #[test]
    fn what_is_no_y4m_is_refused() {
        let endless = [&b"YUV4MPEG2 "[..], &[b'x'; 5000]].concat();
        for wrong in [&b""[..], b"\x89PNG\r\n\x1a\n0123", b"YUV4MPEG2 W640\n", b"YUV4MPEG2 W0 H4\n", &endless]
        {
            assert!(matches!(Y4mHeader::read(wrong), Err(FilmError::Y4m(_))), "{wrong:?}");
        }
    }
}
