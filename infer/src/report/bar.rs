//! The progress bar, on stderr.

use indicatif::{ProgressBar, ProgressState, ProgressStyle};

/// Progress over a number of pictures. The bar is hidden for one picture, and where stderr is no terminal.
pub(crate) struct PictureBar {
    bar: ProgressBar,
}

impl PictureBar {
    pub(crate) fn new(count: usize, is_quiet: bool) -> Self {
        if is_quiet || count == 1 {
            return Self { bar: ProgressBar::hidden() };
        }
        let bar = ProgressBar::new(count as u64);
        let template = "{bar:24} {pos}/{len}  {rate}, {eta} left";
        let style = ProgressStyle::with_template(template).expect("the template is well formed");
        let rate = |state: &ProgressState, text: &mut dyn std::fmt::Write| {
            let _ = write!(text, "{:.2} pictures/s", state.per_sec());
        };
        bar.set_style(style.with_key("rate", rate));
        Self { bar }
    }

    /// Does `work`, which may print, with the bar out of the way.
    pub(crate) fn suspend<Done>(&self, work: impl FnOnce() -> Done) -> Done {
        self.bar.suspend(work)
    }

    pub(crate) fn advance(&self) {
        self.bar.inc(1);
    }

    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
