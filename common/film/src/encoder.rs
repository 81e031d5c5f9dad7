//! Pictures to ffmpeg, which makes a film of them.

use std::io::{self, BufWriter};
use std::path::Path;
use std::process::{ChildStdin, Stdio};

use pixel::Picture;

use crate::child::FfmpegChild;
use crate::pictures_in_time::PictureStream;
use crate::programs::as_file;
use crate::{Container, Encoding, FilmError, FrameRate, Programs, SampleAspect, TimeBase};

/// The shape of all of a film's pictures in space and time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FilmShape {
    /// Pixels across and down.
    pub size: (u32, u32),
    /// Shape of a pixel.
    pub aspect: SampleAspect,
    /// The unit of the frames' times.
    pub time_base: TimeBase,
    /// Frames per second on average, if known: what encoders weigh bits by.
    pub rate: Option<FrameRate>,
}

/// What is written.
#[derive(Clone, Copy, Debug)]
pub enum EncodeTarget<'a> {
    /// A part of a film, to be assembled with others. Its times begin at nothing.
    Segment(&'a Path),
    /// A whole film of pictures alone.
    File(&'a Path, Container),
    /// The same to our own stdout.
    Stdout(Container),
}

/// The largest denominator of a time base that encoders are told.
const FINEST: u32 = 1_000_000;

/// An ffmpeg that encodes. Dropped before its end, it is stopped, and what it has written is of no use.
pub struct Encoder {
    stream: Option<PictureStream<BufWriter<ChildStdin>>>,
    child: FfmpegChild,
    shape: FilmShape,
    first_ticks: Option<i64>,
    begins_at_nothing: bool,
    /// A picture with even sides, where those of the film are odd.
    evened: Option<Vec<u8>>,
}

impl Encoder {
    /// Starts ffmpeg.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start(
        programs: &Programs,
        shape: FilmShape,
        encoding: &Encoding,
        target: EncodeTarget<'_>,
    ) -> Result<Self, FilmError> {
        let run = |cause| FilmError::Run { program: "ffmpeg", cause };
        let mut command = programs.ffmpeg();
        command.args(["-loglevel", "level+warning", "-probesize", "32", "-analyzeduration", "0"]);
        command.args(["-f", "matroska", "-copyts", "-i", "pipe:0", "-map", "0:v:0"]);
        let SampleAspect { width, height } = shape.aspect;
        command.args(["-vf", &format!("{},setsar={width}/{height}", encoding.filters())]);
        command.args(encoding.arguments());
        command.stdin(Stdio::piped()).stdout(Stdio::null());
        let plays_steadily = |container| matches!(container, Container::Y4m);
        match target {
            EncodeTarget::Segment(path) => {
                command.args(["-fps_mode", "passthrough"]);
                if shape.time_base.denominator <= FINEST {
                    command.args(["-enc_time_base", &shape.time_base.to_string()]);
                }
                command.args(["-f", "nut"]).arg(as_file(path));
            }
            EncodeTarget::File(_, container) | EncodeTarget::Stdout(container) => {
                command.args(["-fps_mode", if plays_steadily(container) { "cfr" } else { "vfr" }]);
                command.args(["-f", container.muxer()]);
                match target {
                    EncodeTarget::File(path, _) => command.arg(as_file(path)),
                    _ => command.arg("pipe:1").stdout(Stdio::inherit()),
                };
            }
        }
        let mut child = FfmpegChild::start(command, "was encoding", |_| false)?;
        let evened = (encoding.wants_even_sides() && even(shape.size) != shape.size).then(Vec::new);
        let stdin = BufWriter::new(child.take_stdin());
        let size = if evened.is_some() { even(shape.size) } else { shape.size };
        let stream =
            PictureStream::begin(stdin, size, shape.rate.map(FrameRate::frame_nanoseconds)).map_err(run)?;
        let begins_at_nothing = matches!(target, EncodeTarget::Segment(_));
        Ok(Self { stream: Some(stream), child, shape, first_ticks: None, begins_at_nothing, evened })
    }

    /// Hands over the next picture, of the film's size, at its time. Sides that have to be even and are not get their last
    /// column or row twice.
    ///
    /// # Errors
    /// ffmpeg has ended, for instance since the disk is full.
    ///
    /// # Panics
    /// The picture has another size.
    pub fn write(&mut self, picture: &Picture, ticks: i64) -> Result<(), FilmError> {
        assert_eq!(
            (picture.width(), picture.height()),
            self.shape.size,
            "pictures of a film are of one size"
        );
        let first = *self.first_ticks.get_or_insert(ticks);
        let since = if self.begins_at_nothing { ticks - first } else { ticks };
        let nanoseconds = self.shape.time_base.nanoseconds(since).max(0) as u64;
        let rgb = match &mut self.evened {
            None => picture.rgb(),
            Some(evened) => {
                make_even(picture, evened);
                evened
            }
        };
        let stream = self.stream.as_mut().expect("not finished");
        stream.write(nanoseconds, rgb).map_err(|cause| self.why(cause))
    }

    /// Waits until all of it is written.
    ///
    /// # Errors
    /// ffmpeg did not end well.
    pub fn finish(mut self) -> Result<(), FilmError> {
        let flushed = self.stream.take().map_or(Ok(()), |mut stream| stream.flush());
        self.child.finish()?;
        flushed.map_err(|cause| FilmError::Run { program: "ffmpeg", cause })
    }

    /// What broke the pipe: ffmpeg's own words where it has ended.
    fn why(&mut self, cause: io::Error) -> FilmError {
        self.stream = None;
        match self.child.finish() {
            Err(error) => error,
            Ok(_) => FilmError::Run { program: "ffmpeg", cause },
        }
    }
}

fn even((width, height): (u32, u32)) -> (u32, u32) {
    (width.next_multiple_of(2), height.next_multiple_of(2))
}

fn make_even(picture: &Picture, evened: &mut Vec<u8>) {
    evened.clear();
    let row_bytes = 3 * picture.width() as usize;
    for row in picture.rgb().chunks_exact(row_bytes) {
        evened.extend_from_slice(row);
        if picture.width() % 2 == 1 {
            evened.extend_from_slice(&row[row_bytes - 3..]);
        }
    }
    if picture.height() % 2 == 1 {
        let last = evened.len() - 3 * picture.width().next_multiple_of(2) as usize;
        evened.extend_from_within(last..);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_sides_get_their_last_pixels_twice() {
        let picture = Picture::from_rgb(1, 3, vec![1, 2, 3, 4, 5, 6, 7, 8, 9]).unwrap();
        let mut evened = vec![0; 5];
        make_even(&picture, &mut evened);
        let row = |a, b, c| [a, b, c, a, b, c];
        assert_eq!(evened, [row(1, 2, 3), row(4, 5, 6), row(7, 8, 9), row(7, 8, 9)].concat());
    }
}
