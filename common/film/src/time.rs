//! Times of frames, exactly as files keep them.

use std::fmt;
use std::str::FromStr;

/// The unit that times are counted in: `numerator / denominator` seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeBase {
    /// Above the line.
    pub numerator: u32,
    /// Below the line.
    pub denominator: u32,
}

impl TimeBase {
    /// So many units as seconds.
    pub fn seconds(self, ticks: i64) -> f64 {
        ticks as f64 * f64::from(self.numerator) / f64::from(self.denominator)
    }

    /// So many units as nanoseconds, rounded to the nearest.
    pub fn nanoseconds(self, ticks: i64) -> i64 {
        let (numerator, denominator) = (i128::from(self.numerator), i128::from(self.denominator));
        let doubled = 2 * i128::from(ticks) * numerator * 1_000_000_000;
        (doubled + denominator).div_euclid(2 * denominator) as i64
    }
}

impl fmt::Display for TimeBase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.numerator, self.denominator)
    }
}

impl FromStr for TimeBase {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (numerator, denominator) = positive_ratio(text, '/').ok_or(())?;
        Ok(Self { numerator, denominator })
    }
}

/// Frames per second, as a fraction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameRate {
    /// Frames.
    pub frames: u32,
    /// In so many seconds.
    pub seconds: u32,
}

impl FrameRate {
    /// Frames per second.
    pub fn per_second(self) -> f64 {
        f64::from(self.frames) / f64::from(self.seconds)
    }

    /// How long a frame lasts, in nanoseconds.
    pub fn frame_nanoseconds(self) -> u64 {
        (1_000_000_000 * u64::from(self.seconds)).div_ceil(u64::from(self.frames))
    }
}

impl fmt::Display for FrameRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.seconds {
            1 => write!(f, "{}", self.frames),
            seconds => write!(f, "{}/{seconds}", self.frames),
        }
    }
}

impl FromStr for FrameRate {
    type Err = String;

    /// `25`, `23.976` or `24000/1001`.
    fn from_str(text: &str) -> Result<Self, String> {
        let rate = match text.split_once('.') {
            None => positive_ratio(text, '/').or_else(|| Some((text.parse().ok().filter(|&n| n > 0)?, 1))),
            Some((whole, part)) if part.len() <= 5 && part.bytes().all(|byte| byte.is_ascii_digit()) => {
                let scale = 10u32.pow(part.len() as u32);
                let frames = format!("{whole}{part}").parse().ok().filter(|&frames: &u32| frames > 0);
                frames.map(|frames| (frames, scale))
            }
            Some(_) => None,
        };
        let rate = rate.map(|(frames, seconds)| Self { frames, seconds });
        rate.filter(|rate| (0.01..=1000.0).contains(&rate.per_second()))
            .ok_or_else(|| "expected frames per second, as 25, 29.97 or 24000/1001".to_owned())
    }
}

/// How wide a stored pixel is shown for each height.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SampleAspect {
    /// The width's part.
    pub width: u32,
    /// The height's part.
    pub height: u32,
}

impl SampleAspect {
    /// Square pixels.
    pub const SQUARE: Self = Self { width: 1, height: 1 };
}

impl FromStr for SampleAspect {
    type Err = ();

    /// `4:3` or `4/3`; `0:1` is what ffmpeg says where a file says nothing, and means square.
    fn from_str(text: &str) -> Result<Self, ()> {
        if matches!(text, "0:1" | "0/1") {
            return Ok(Self::SQUARE);
        }
        let ratio = positive_ratio(text, ':').or_else(|| positive_ratio(text, '/'));
        let (width, height) = ratio.ok_or(())?;
        Ok(Self { width, height })
    }
}

fn positive_ratio(text: &str, separator: char) -> Option<(u32, u32)> {
    let (above, below) = text.split_once(separator)?;
    let (above, below) = (above.trim().parse().ok()?, below.trim().parse().ok()?);
    (above > 0 && below > 0).then_some((above, below))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_read_as_people_write_them() {
        let rate = |frames, seconds| Ok(FrameRate { frames, seconds });
        assert_eq!("25".parse(), rate(25, 1));
        assert_eq!("24000/1001".parse(), rate(24000, 1001));
        assert_eq!("29.97".parse(), rate(2997, 100));
        for wrong in ["", "0", "-1", "0/1", "1/0", "1e3", "5000", "1.0000000001", "NaN", ".", "2.-3"] {
            assert!(wrong.parse::<FrameRate>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn nanoseconds_are_the_nearest() {
        let base = TimeBase { numerator: 1, denominator: 24000 };
        assert_eq!(base.nanoseconds(1001), 41_708_333);
        assert_eq!(base.nanoseconds(-1001), -41_708_333);
        assert_eq!(base.nanoseconds(24000 * 100_000), 100_000_000_000_000);
        // Back to the same tick.
        for ticks in 0..5000 {
            let again = (base.nanoseconds(ticks) as f64 * 24000.0 / 1e9).round() as i64;
            assert_eq!(again, ticks);
        }
    }

    #[test]
    fn an_unknown_aspect_is_square() {
        assert_eq!("0:1".parse(), Ok(SampleAspect::SQUARE));
        assert_eq!("16/11".parse(), Ok(SampleAspect { width: 16, height: 11 }));
        assert!("16".parse::<SampleAspect>().is_err());
    }
}
