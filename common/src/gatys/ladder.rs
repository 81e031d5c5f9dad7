//! From small to large: what is wide is settled where it is cheap, what is fine only at the end.

use std::fmt;
use std::str::FromStr;

use std::f64::consts::SQRT_2;

/// The sizes on the way to the result's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ladder {
    /// The result's size alone.
    Single,
    /// Steps of the square root of 2 in each side, from about 128 pixels on (crowsonkb/style-transfer-pytorch).
    Auto,
    /// These longest sides, in pixels, ascending; the result's own is added.
    LongSides(Vec<u32>),
}

/// One size, and how long it is worked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rung {
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// Evaluations of the loss.
    pub iterations: u32,
}

/// Where [`Ladder::Auto`] starts.
const FIRST_LONG_SIDE_PX: f64 = 128.0;
/// More than any picture has.
const MOST_RUNGS: i32 = 64;

impl Ladder {
    /// The rungs to a result of this size, none with a side below `smallest_side`: the last of so many iterations, the others of as
    /// many where there is no photo, else of a quarter: more there costs more than it saves later
    /// (docs/records/2026-11-21-gatys.md), while a texture finds its structure only where it is small.
    pub fn rungs(&self, size: (u32, u32), iterations: u32, smallest_side: u32, has_photo: bool) -> Vec<Rung> {
        let long_side = size.0.max(size.1);
        let mut shares: Vec<f64> = match self {
            Self::Single => Vec::new(),
            Self::Auto => (1..MOST_RUNGS)
                .map(|step| SQRT_2.powi(-step))
                .take_while(|share| f64::from(long_side) * share >= FIRST_LONG_SIDE_PX * 0.99)
                .collect(),
            Self::LongSides(sides) => {
                sides.iter().map(|&side| f64::from(side) / f64::from(long_side)).collect()
            }
        };
        shares.retain(|&share| share < 1.0);
        shares.push(1.0);
        shares.sort_by(f64::total_cmp);
        let scaled = |side: u32, share: f64| ((f64::from(side) * share).round() as u32).max(1);
        let rungs = shares.into_iter().map(|share| Rung {
            width: scaled(size.0, share),
            height: scaled(size.1, share),
            iterations: if share < 1.0 && has_photo { iterations.div_ceil(4) } else { iterations },
        });
        rungs
            .filter(|rung| rung.width.min(rung.height) >= smallest_side || (rung.width, rung.height) == size)
            .collect()
    }
}

impl FromStr for Ladder {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "none" => Ok(Self::Single),
            "auto" => Ok(Self::Auto),
            _ => text
                .split(',')
                .map(|side| side.trim().parse().ok().filter(|&side| side > 0))
                .collect::<Option<Vec<u32>>>()
                .map(Self::LongSides)
                .ok_or_else(|| "expected auto, none, or longest sides in pixels as in 128,256".to_owned()),
        }
    }
}

impl fmt::Display for Ladder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Single => f.write_str("none"),
            Self::Auto => f.write_str("auto"),
            Self::LongSides(sides) => {
                let sides: Vec<String> = sides.iter().map(u32::to_string).collect();
                f.write_str(&sides.join(","))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn auto_climbs_by_the_root_of_two() {
        let rungs = Ladder::Auto.rungs((512, 384), 50, 16, true);
        let sizes: Vec<(u32, u32)> = rungs.iter().map(|rung| (rung.width, rung.height)).collect();
        assert_eq!(sizes, [(128, 96), (181, 136), (256, 192), (362, 272), (512, 384)]);
        assert_eq!(rungs.iter().map(|rung| rung.iterations).collect::<Vec<_>>(), [13, 13, 13, 13, 50]);
        assert!(Ladder::Auto.rungs((512, 384), 50, 16, false).iter().all(|rung| rung.iterations == 50));
    }

    #[test]
    fn no_rung_is_too_small_but_the_last_always_stays() {
        assert_eq!(Ladder::Auto.rungs((512, 100), 9, 40, true).len(), 3, "100, 71, 50 pixels high");
        assert_eq!(
            Ladder::Auto.rungs((90, 60), 9, 16, true),
            [Rung { width: 90, height: 60, iterations: 9 }]
        );
        assert_eq!(Ladder::Single.rungs((900, 600), 9, 16, true).len(), 1);
        let own: Ladder = "256,128,4000".parse().unwrap();
        let sides: Vec<u32> = own.rungs((512, 512), 1, 16, true).iter().map(|rung| rung.width).collect();
        assert_eq!(sides, [128, 256, 512]);
    }

    #[test]
    fn ladders_are_read_and_written_alike() {
        for text in ["none", "auto", "128,256"] {
            assert_eq!(text.parse::<Ladder>().unwrap().to_string(), text);
        }
        for text in ["", "0", "x", "128,"] {
            assert!(text.parse::<Ladder>().is_err(), "{text}");
        }
    }
}
