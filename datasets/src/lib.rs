//! A folder of photos as an endless, shuffled, resumable stream of square 8-bit crops.
//!
//! [`PhotoFolder`] finds the files, [`PhotoStream`] decodes them on threads of its own and hands out
//! [`ByteBatch`]es in an order that depends on nothing but the folder, the seed and the position:
//! not on time, not on the number of threads. [`centre_crops`] is the plain walk for validation.
//!
//! Whoever can keep photos in memory takes a [`WholePhotoStream`], which decodes each once and says what to cut.
//!
//! A photo that is broken, blank ([`MIN_STANDARD_DEVIATION`]) or an icon ([`MIN_SHORT_SIDE`]) is skipped with a
//! [`SkipReason`]; one that is only smaller than the crop is enlarged.
//!
//! ```no_run
//! use datasets::{A_LITTLE_ZOOM, PhotoFolder, PhotoStream, StreamConfig, StreamPosition};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let folder = PhotoFolder::scan("photos")?;
//! let config = StreamConfig {
//!     seed: 1,
//!     crop: 256,
//!     batch: 4,
//!     augment: true,
//!     zoom: A_LITTLE_ZOOM,
//!     decode_threads: 2,
//!     start: StreamPosition::default(),
//! };
//! let mut stream = PhotoStream::new(folder, config)?;
//! let batch = stream.next_batch()?; // [4, 256, 256, 3]
//! let resume_at = stream.position(); // store it beside the weights
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

mod blank;
mod crop;
mod folder;
mod load;
mod order;
mod scan_cache;
mod schedule;
mod skip;
mod stream;
mod validation;
mod walk;
mod whole_stream;
mod workers;

pub use blank::MIN_STANDARD_DEVIATION;
pub use crop::CropPlan;
pub use folder::{PhotoFolder, ScanError};
pub use load::MIN_SHORT_SIDE;
pub use order::StreamPosition;
pub use schedule::{PlannedCrop, Schedule};
pub use skip::{KnownSkip, SkipReason, SkippedPhoto};
pub use stream::{A_LITTLE_ZOOM, ByteBatch, PhotoStream, StreamConfig, StreamError};
pub use validation::{ByteCrop, centre_crops, shuffled_centre_crops};
pub use whole_stream::{WholePhoto, WholePhotoStream, WholeTurn};
