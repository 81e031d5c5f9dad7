//! ffmpeg's pictures of a film, each with its time.

use std::io::{self, Read, Write as _};
use std::path::PathBuf;
use std::process::{ChildStdin, ChildStdout, Stdio};
use std::thread;

use crossbeam_channel::{Receiver, Sender, bounded};
use pixel::Picture;

use crate::child::FfmpegChild;
use crate::colour::{self, StatedColour};
use crate::programs::as_file;
use crate::y4m::Y4mHeader;
use crate::{ColourRule, FilmError, FilmInfo, FrameRate, Programs, SampleAspect, TimeBase};

/// Where a film comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// A file.
    File(PathBuf),
    /// Y4M on stdin, which says itself what it is.
    Y4mStdin,
    /// Raw pictures on stdin.
    RawStdin(RawVideo),
}

/// What raw pictures do not say of themselves.
#[derive(Clone, Debug, PartialEq)]
pub struct RawVideo {
    /// Pixels across and down.
    pub size: (u32, u32),
    /// Frames per second.
    pub rate: FrameRate,
    /// Pixel format as ffmpeg names it.
    pub pixels: String,
}

/// What is taken of a film.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct DecodeOptions {
    /// Seconds that are passed over.
    pub start_s: Option<f64>,
    /// Seconds that are taken.
    pub duration_s: Option<f64>,
    /// A constant rate, for which pictures are repeated or left out.
    pub rate: Option<FrameRate>,
    /// The size of the pictures, instead of the film's own.
    pub size: Option<(u32, u32)>,
}

/// A picture of a film.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    /// Upright, sRGB.
    pub picture: Picture,
    /// When it is shown, in the decoder's time base.
    pub ticks: i64,
}

/// An ffmpeg that decodes. Dropped before the film's end, it is stopped.
pub struct Decoder {
    child: FfmpegChild,
    stdout: ChildStdout,
    heard: Receiver<Heard>,
    size: (u32, u32),
    time_base: Option<TimeBase>,
    frames: u64,
    errors: u64,
}

/// Frames that ffmpeg may speak of before they are taken; it works ahead by far less.
const WORDS_AHEAD: usize = 1024;

/// What ffmpeg says of the pictures.
#[derive(Debug, PartialEq)]
enum Heard {
    TimeBase(TimeBase),
    /// Of the next picture; `None` if ffmpeg does not know.
    Time(Option<i64>),
}

impl Input {
    /// What is known of the film. Of a stream on stdin, the header is taken away; [`Decoder::start`] gives it back.
    ///
    /// # Errors
    /// It is no film.
    pub fn probe(&self, programs: &Programs) -> Result<(FilmInfo, ProbedInput), FilmError> {
        Ok(match self {
            Self::File(path) => (FilmInfo::probe(programs, path)?, ProbedInput(Feed::File(path.clone()))),
            Self::Y4mStdin => {
                let header = Y4mHeader::read(io::stdin().lock())?;
                let info = stdin_info(header.size, header.aspect, header.rate, "yuv420p");
                (
                    info,
                    ProbedInput(Feed::Stdin {
                        taken: header.bytes,
                        arguments: vec!["-f".into(), "yuv4mpegpipe".into()],
                    }),
                )
            }
            Self::RawStdin(RawVideo { size, rate, pixels }) => {
                let (width, height) = *size;
                let arguments =
                    ["-f", "rawvideo", "-pixel_format", pixels, "-video_size", &format!("{width}x{height}")]
                        .into_iter()
                        .chain(["-framerate", &rate.to_string()])
                        .map(str::to_owned)
                        .collect();
                let info = stdin_info(*size, SampleAspect::SQUARE, Some(*rate), pixels);
                (info, ProbedInput(Feed::Stdin { taken: Vec::new(), arguments }))
            }
        })
    }
}

/// An input of which it is known that it is a film.
#[derive(Debug)]
pub struct ProbedInput(Feed);

#[derive(Debug)]
enum Feed {
    File(PathBuf),
    Stdin { taken: Vec<u8>, arguments: Vec<String> },
}

fn stdin_info(size: (u32, u32), aspect: SampleAspect, rate: Option<FrameRate>, pixels: &str) -> FilmInfo {
    let stated = StatedColour { size, pixels: Some(pixels), matrix: None, range: None, transfer: None };
    FilmInfo {
        path: PathBuf::from("-"),
        stream: 0,
        size,
        aspect,
        rate,
        time_base: None,
        duration_s: None,
        frames: None,
        colour: ColourRule::of(&stated),
        others: Vec::new(),
    }
}

impl Decoder {
    /// Starts ffmpeg.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start(
        programs: &Programs,
        info: &FilmInfo,
        input: ProbedInput,
        options: &DecodeOptions,
    ) -> Result<Self, FilmError> {
        let size = options.size.unwrap_or(info.size);
        let mut command = programs.ffmpeg();
        command.args(["-loglevel", "level+info"]);
        for (option, seconds) in [("-ss", options.start_s), ("-t", options.duration_s)] {
            if let Some(seconds) = seconds {
                command.args([option, &format!("{seconds:.6}")]);
            }
        }
        let taken = match input.0 {
            Feed::File(path) => {
                command.arg("-i").arg(as_file(&path)).stdin(Stdio::null());
                None
            }
            Feed::Stdin { taken, arguments } => {
                command.args(arguments).args(["-i", "pipe:0"]).stdin(Stdio::piped());
                Some(taken)
            }
        };
        command.args(["-map", &format!("0:{}", info.stream)]);
        let rate = options.rate.map(|rate| format!("fps={rate},")).unwrap_or_default();
        let to_rgb = info.colour.filters_to_rgb(size, programs);
        command.args(["-vf", &format!("{rate}{to_rgb},showinfo=checksum=0")]);
        command.args(["-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "rgb24", "pipe:1"]);
        command.stdout(Stdio::piped());
        let (tell, heard) = bounded(WORDS_AHEAD);
        let mut child = FfmpegChild::start(command, "was decoding", move |line| hear(line, &tell))?;
        if let Some(taken) = taken {
            pass_on_stdin(taken, child.take_stdin())?;
        }
        let stdout = child.take_stdout();
        Ok(Self { child, stdout, heard, size, time_base: None, frames: 0, errors: 0 })
    }

    /// The next picture; `None` at the film's end.
    ///
    /// # Errors
    /// ffmpeg did not end well.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, FilmError> {
        let (width, height) = self.size;
        let mut rgb = vec![0; 3 * width as usize * height as usize];
        match self.stdout.read_exact(&mut rgb) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                self.errors = self.child.finish()?;
                return Ok(None);
            }
            Err(cause) => return Err(FilmError::Run { program: "ffmpeg", cause }),
        }
        let ticks = loop {
            match self.heard.recv() {
                Ok(Heard::TimeBase(base)) => self.time_base = Some(base),
                Ok(Heard::Time(Some(ticks))) => break ticks,
                // Neither has been seen; frames are then counted.
                Ok(Heard::Time(None)) | Err(_) => break self.frames as i64,
            }
        };
        self.frames += 1;
        let picture = Picture::from_rgb(width, height, rgb).expect("as many bytes as the size asks for");
        Ok(Some(Frame { picture, ticks }))
    }

    /// The unit of the frames' times; known with the first frame.
    pub fn time_base(&self) -> Option<TimeBase> {
        self.time_base
    }

    /// Errors in the film that ffmpeg got over; known at its end.
    pub fn errors(&self) -> u64 {
        self.errors
    }
}

/// Whether high dynamic range will look flat, since this ffmpeg lacks the filters.
pub fn looks_flat(info: &FilmInfo, programs: &Programs) -> bool {
    info.colour.is_hdr() && !colour::can_map_tones(programs)
}

/// Takes what `showinfo` says, and the film's progress and streams, which nobody needs.
fn hear(line: &str, tell: &Sender<Heard>) -> bool {
    let Some((part, text)) = line.split_once("] ").filter(|(part, _)| part.contains("Parsed_showinfo"))
    else {
        return line.starts_with("[info]");
    };
    debug_assert!(part.starts_with('['));
    if let Some((_, base)) = text.split_once("config in time_base: ") {
        let base = base.split(',').next().and_then(|base| base.parse().ok());
        // Fails only if the decoder is no more.
        let _ = base.map(|base| tell.send(Heard::TimeBase(base)));
    } else if let Some((before, after)) = text.split_once(" pts:")
        && before.contains("n:")
    {
        let _ = tell.send(Heard::Time(after.split_whitespace().next().and_then(|ticks| ticks.parse().ok())));
    }
    true
}

fn pass_on_stdin(taken: Vec<u8>, mut to: ChildStdin) -> Result<(), FilmError> {
    let pass = move || {
        // A broken pipe means that ffmpeg wants no more; its end tells why.
        let _ = to.write_all(&taken).and_then(|()| io::copy(&mut io::stdin().lock(), &mut to));
    };
    let started = thread::Builder::new().name("stdin".into()).spawn(pass);
    started.map(drop).map_err(|cause| FilmError::Run { program: "ffmpeg", cause })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_heard_among_other_words() {
        let (tell, heard) = bounded(WORDS_AHEAD);
        let lines = [
            ("[info] Input #0, mov, from 'a.mp4':", true),
            ("[Parsed_showinfo_2 @ 0x55] [info] config in time_base: 1/24000, frame_rate: 24000/1001", true),
            ("[Parsed_showinfo_2 @ 0x55] [info] config out time_base: 0/0, frame_rate: 0/0", true),
            (
                "[Parsed_showinfo_2 @ 0x55] [info] n:   0 pts:   1001 pts_time:0.04 pos: 48 fmt:rgb24 sar:1/1 s:4x4",
                true,
            ),
            ("[Parsed_showinfo_2 @ 0x55] [info]   side data - x", true),
            ("[Parsed_showinfo_2 @ 0x55] [info] n:   1 pts: NOPTS pts_time:NOPTS pos: 48", true),
            ("[h264 @ 0x55] [error] error while decoding MB", false),
        ];
        for (line, taken) in lines {
            assert_eq!(hear(line, &tell), taken, "{line}");
        }
        drop(tell);
        let base = TimeBase { numerator: 1, denominator: 24000 };
        let all: Vec<Heard> = heard.iter().collect();
        assert_eq!(all, [Heard::TimeBase(base), Heard::Time(Some(1001)), Heard::Time(None)]);
    }
}
