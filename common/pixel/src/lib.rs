//! Pictures as the rest of Atelier sees them: 8-bit sRGB, upright, three interleaved channels.
//!
//! Everything odd about a file (palettes, 16 bits, CMYK, turned cameras, colour profiles) is settled
//! here, between [`decode_file`] and [`Picture`], so that nobody downstream has to know about it:
//!
//! ```text
//! bytes --FileKind--> Raster (any layout) --colour--> sRGB --orientation--> Picture --encode--> bytes
//! ```
//!
//! ```no_run
//! use pixel::{DecodeLimits, Filter, Format};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let photo = pixel::decode_file("holiday.jpg", &DecodeLimits::default())?;
//! let small = photo.resize(photo.width().div_ceil(2), photo.height().div_ceil(2), Filter::Lanczos3)?;
//! pixel::write_file(&small, "small.png", Format::from_path("small.png")?)?;
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

pub mod atomic_file;
mod contact_sheet;
mod decode;
mod deep_picture;
mod encode;
mod exif;
mod file_kind;
mod format;
mod grey;
mod header;
mod in_place;
mod metadata;
mod picture;
mod resize;
mod riff;
mod tiff_structure;
mod webp_animation;

pub use contact_sheet::{SheetCell, contact_sheet, reduced_to};
pub use decode::{
    DecodeError, DecodeLimits, decode_bytes, decode_bytes_with_metadata, decode_file,
    decode_file_with_metadata,
};
pub use deep_picture::DeepPicture;
pub use encode::{EncodeError, EncodeOptions, WriteError, encode, encode_deep, write_deep_file, write_file};
pub use file_kind::{FileKind, PICTURE_SUFFIXES, has_picture_suffix};
pub use format::{DEFAULT_JPEG_QUALITY, Format, UnknownFormat, UnknownSuffix};
pub use grey::Grey;
pub use header::Header;
pub use metadata::{BitDepth, Decoded, Metadata};
pub use picture::{Picture, PictureError};
pub use resize::{Filter, Region};
pub use webp_animation::{AnimationFrame, WebpAnimation};
