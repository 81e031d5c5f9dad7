//! The bar: frames, frames a second, time left, and where in the film we are.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressState, ProgressStyle};

/// Progress through a film, on stderr; hidden where that is no terminal.
pub(super) struct FilmBar {
    bar: ProgressBar,
}

impl FilmBar {
    /// `frames` is how many there are, if known; `done` of them were painted before.
    pub(super) fn new(frames: Option<u64>, done: u64, is_quiet: bool) -> Self {
        if is_quiet {
            return Self { bar: ProgressBar::hidden() };
        }
        let template = match frames {
            Some(_) => "{bar:24} {pos}/{len} frames  {rate}, {eta} left  at {msg}",
            None => "{spinner} {pos} frames  {rate}  at {msg}",
        };
        let bar = frames.map_or_else(ProgressBar::no_length, ProgressBar::new).with_position(done);
        let style = ProgressStyle::with_template(template).expect("the template is well formed");
        let rate = |state: &ProgressState, text: &mut dyn std::fmt::Write| {
            let _ = write!(text, "{:.1} frames/s", state.per_sec());
        };
        bar.set_style(style.with_key("rate", rate));
        bar.reset_eta();
        Self { bar }
    }

    /// A frame that is shown at this time is done.
    pub(super) fn advance(&self, seconds: f64) {
        self.bar.set_message(clock(seconds));
        self.bar.inc(1);
    }

    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

/// `1:02:03.4`
fn clock(seconds: f64) -> String {
    let tenths = Duration::from_secs_f64(seconds.clamp(0.0, 1e9)).as_millis() / 100;
    let (seconds, minutes, hours) = (tenths / 10 % 60, tenths / 600 % 60, tenths / 36_000);
    format!("{hours}:{minutes:02}:{seconds:02}.{}", tenths % 10)
}

#[cfg(test)]
mod tests {
    #[test]
    fn clocks_show_hours_minutes_seconds() {
        assert_eq!(super::clock(3723.46), "1:02:03.4");
        assert_eq!(super::clock(-1.0), "0:00:00.0");
    }
}
