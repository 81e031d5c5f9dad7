//! One file -> one crop or one whole photo, or the reason why not.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use pixel::{DecodeLimits, Picture, decode_file};

use crate::blank::check_not_blank;
use crate::crop::CropPlan;
use crate::skip::SkipReason;

/// Photos with a shorter side than this many pixels are skipped: icons and tracking dots teach nothing.
pub const MIN_SHORT_SIDE: u32 = 16;

/// `[side, side, 3]` bytes of the planned square.
pub(crate) fn load_crop(path: &Path, plan: &CropPlan) -> Result<Vec<u8>, SkipReason> {
    Ok(plan.cut(&load_usable(path)?)?)
}

/// The upright photo, unless there is nothing to learn from it. Depends on nothing but the file.
pub(crate) fn load_usable(path: &Path) -> Result<Picture, SkipReason> {
    let photo = decode_file(path, &DecodeLimits::default())?;
    let (width, height) = (photo.width(), photo.height());
    if width.min(height) < MIN_SHORT_SIDE {
        return Err(SkipReason::TooSmall { width, height });
    }
    check_not_blank(&photo)?;
    Ok(photo.without_alpha())
}

/// Runs `load`; where it panics, which only a bug in a decoder can bring about, the photo is skipped.
pub(crate) fn skip_on_panic<Loaded>(
    load: impl FnOnce() -> Result<Loaded, SkipReason>,
) -> Result<Loaded, SkipReason> {
    // Nothing is shared between two photos that a panic could leave half done.
    catch_unwind(AssertUnwindSafe(load)).unwrap_or_else(|panic| Err(SkipReason::Crashed(message_of(&*panic))))
}

/// The first line, since reasons are listed one a line.
fn message_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message");
    text.lines().next().unwrap_or_default().to_owned()
}
