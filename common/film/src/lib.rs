//! Films in and out, by the programs `ffmpeg` and `ffprobe` over pipes; what is known of a film before it is decoded, and what
//! its colours mean.
//!
//! ```text
//! file --Decoder--> pictures with times --(somebody paints)--> Encoder --> segments --assemble--> file
//!   \________________________ sound, subtitles, chapters, tags _______________________/
//! ```
//!
//! A film is encoded in segments, each a whole file of its own, so that whatever ends the work leaves what was done. Times are
//! handed through as they are: nothing is ever resampled to a constant rate that the film does not have.
#![forbid(unsafe_code)]

mod assemble;
mod child;
mod colour;
mod container;
mod decoder;
mod encoder;
mod encoding;
mod error;
mod info;
mod pictures_in_time;
mod programs;
mod time;
mod y4m;

pub use assemble::{Assembly, Note, Original, Segment};
pub use child::end_all;
pub use colour::{ColourRule, Matrix, Range};
pub use container::Container;
pub use decoder::{DecodeOptions, Decoder, Frame, Input, ProbedInput, RawVideo, looks_flat};
pub use encoder::{EncodeTarget, Encoder, FilmShape};
pub use encoding::{Encoding, EncodingOptions};
pub use error::FilmError;
pub use info::{FilmInfo, OtherStream, StreamKind};
pub use programs::Programs;
pub use time::{FrameRate, SampleAspect, TimeBase};
