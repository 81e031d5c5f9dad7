//! Which style paints when.

use common::exit_status::UsageError;

use crate::cli::Time;

/// Styles one after the other, each fading into the next.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Schedule {
    /// When each style takes over, in seconds; the first at 0.
    starts_s: Vec<f64>,
    fade_s: f64,
}

/// What paints a frame: one style, or two of which the second comes in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Mix {
    pub(super) style: usize,
    /// The next style and its share, above 0 and below 1.
    pub(super) next: Option<(usize, f32)>,
}

/// `NAME@TIME`: a style, and when it takes over. An `@` that no time follows belongs to the name.
pub(super) fn style_and_start(typed: &str) -> (&str, Option<f64>) {
    match typed.rsplit_once('@').map(|(name, time)| (name, time.parse::<Time>())) {
        Some((name, Ok(Time(seconds)))) if !name.is_empty() => (name, Some(seconds)),
        _ => (typed, None),
    }
}

impl Schedule {
    /// # Errors
    /// A style after the first does not say when it takes over, or the times do not rise.
    pub(super) fn new(starts_s: &[Option<f64>], fade_s: f64) -> Result<Self, UsageError> {
        if !(0.0..=3600.0).contains(&fade_s) {
            return Err(UsageError(format!("--fade {fade_s}: expected 0 to 3600 seconds")));
        }
        let mut starts = Vec::with_capacity(starts_s.len());
        for (index, start) in starts_s.iter().enumerate() {
            let start = match (index, start) {
                (0, start) => start.unwrap_or(0.0),
                (_, Some(start)) => *start,
                (_, None) => {
                    let message = "several styles follow each other: say when each takes over, as -s NAME@12.5, or give \
                                   each a --mask";
                    return Err(UsageError(message.to_owned()));
                }
            };
            let is_later = starts.last().is_none_or(|&before| start > before);
            if !is_later || (index == 0 && start != 0.0) {
                return Err(UsageError(format!(
                    "styles take over at rising times, the first at 0; style {} at {start}",
                    index + 1
                )));
            }
            starts.push(start);
        }
        Ok(Self { starts_s: starts, fade_s })
    }

    /// What paints the frame at this time. A style that comes too soon for its fade cuts the one before short.
    pub(super) fn at(&self, seconds: f64) -> Mix {
        let style = self.starts_s.iter().rposition(|&start| start <= seconds).unwrap_or(0);
        let since = seconds - self.starts_s[style];
        if style > 0 && since < self.fade_s {
            let share = (since / self.fade_s) as f32;
            if share > 0.0 {
                return Mix { style: style - 1, next: Some((style, share)) };
            }
            return Mix { style: style - 1, next: None };
        }
        Mix { style, next: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(starts: &[Option<f64>], fade_s: f64) -> Result<Schedule, UsageError> {
        Schedule::new(starts, fade_s)
    }

    #[test]
    fn styles_fade_into_each_other() {
        let schedule = schedule(&[None, Some(10.0), Some(20.0)], 2.0).unwrap();
        assert_eq!(schedule.at(-1.0), Mix { style: 0, next: None });
        assert_eq!(schedule.at(10.0), Mix { style: 0, next: None });
        assert_eq!(schedule.at(11.0), Mix { style: 0, next: Some((1, 0.5)) });
        assert_eq!(schedule.at(12.0), Mix { style: 1, next: None });
        assert_eq!(schedule.at(99.0), Mix { style: 2, next: None });
    }

    #[test]
    fn without_a_fade_styles_cut() {
        let schedule = schedule(&[None, Some(10.0)], 0.0).unwrap();
        assert_eq!(schedule.at(9.99), Mix { style: 0, next: None });
        assert_eq!(schedule.at(10.0), Mix { style: 1, next: None });
    }

    #[test]
    fn times_rise() {
        for wrong in [&[None, None][..], &[None, Some(0.0)], &[Some(1.0)], &[None, Some(5.0), Some(5.0)]] {
            assert!(schedule(wrong, 1.0).is_err(), "{wrong:?}");
        }
        assert!(schedule(&[None], -1.0).is_err() && schedule(&[None], f64::NAN).is_err());
    }

    #[test]
    fn an_at_sign_without_a_time_is_the_names() {
        assert_eq!(style_and_start("a@1:30"), ("a", Some(90.0)));
        assert_eq!(style_and_start("me@home.safetensors"), ("me@home.safetensors", None));
        assert_eq!(style_and_start("me@home.safetensors@2"), ("me@home.safetensors", Some(2.0)));
        assert_eq!(style_and_start("@2"), ("@2", None));
    }
}
