//! How much is painted at once: as much as memory holds.

use std::ops::Range;

/// What one pass paints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Portion {
    /// Most frames.
    pub(super) frames: usize,
    /// Rows of a band, at quarter resolution.
    pub(super) band: i64,
}

/// Memory did not hold a portion.
#[derive(Debug)]
pub(super) struct Refusal {
    /// What libtorch said.
    pub(super) words: String,
    /// Whether rows had been handed over, which cannot be taken back.
    pub(super) is_handed_over: bool,
}

/// Paints `frames` frames in portions of at most `portion`. Where memory does not hold one, fewer frames are painted at once,
/// then smaller bands of one frame: bands are made several times, frames are not.
///
/// # Errors
/// What libtorch said to the smallest portion.
pub(super) fn in_portions(
    frames: usize,
    mut portion: Portion,
    smallest_band: i64,
    paint: &mut dyn FnMut(Range<usize>, i64) -> Result<(), Refusal>,
) -> Result<(), String> {
    let mut done = 0;
    while done < frames {
        let count = portion.frames.min(frames - done);
        match paint(done..done + count, portion.band) {
            Ok(()) => done += count,
            // Once rows have been handed over, memory was enough for the largest part.
            Err(Refusal { words, is_handed_over: true }) => return Err(words),
            Err(_) if count > 1 => portion.frames = count / 2,
            Err(_) if portion.band > smallest_band => portion.band = (portion.band / 2).max(smallest_band),
            Err(Refusal { words, .. }) => return Err(words),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is painted by memory for so many rows of all frames at once.
    fn painted(frames: usize, band: i64, most_rows: i64) -> Result<Vec<(Range<usize>, i64)>, String> {
        let mut painted = Vec::new();
        in_portions(frames, Portion { frames, band }, 8, &mut |frames, band| {
            if frames.len() as i64 * band > most_rows {
                return Err(Refusal { words: "no memory".to_owned(), is_handed_over: false });
            }
            painted.push((frames, band));
            Ok(())
        })?;
        Ok(painted)
    }

    #[test]
    fn batches_are_halved_before_bands() {
        assert_eq!(painted(3, 100, 300).unwrap(), [(0..3, 100)]);
        assert_eq!(painted(7, 100, 300).unwrap(), [(0..3, 100), (3..6, 100), (6..7, 100)]);
        assert_eq!(painted(2, 100, 60).unwrap(), [(0..1, 50), (1..2, 50)]);
        assert_eq!(painted(1, 100, 9).unwrap(), [(0..1, 8)]);
        assert_eq!(painted(5, 100, 7).unwrap_err(), "no memory");
        assert_eq!(painted(0, 100, 7).unwrap(), []);
    }

    #[test]
    fn what_was_handed_over_is_not_painted_again() {
        let mut attempts = 0;
        let refused = in_portions(4, Portion { frames: 4, band: 64 }, 8, &mut |_, _| {
            attempts += 1;
            Err(Refusal { words: "no memory".to_owned(), is_handed_over: true })
        });
        assert_eq!((refused.unwrap_err().as_str(), attempts), ("no memory", 1));
    }
}
