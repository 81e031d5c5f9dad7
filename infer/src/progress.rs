//! What the user sees while pictures are painted: a bar on stderr, the finished files' names on stdout.

use std::path::Path;

use indicatif::{ProgressBar, ProgressStyle};

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
        let template = "{bar:24} {pos}/{len} pictures  {per_sec}, {eta} left";
        bar.set_style(ProgressStyle::with_template(template).expect("the template is well formed"));
        Self { bar }
    }

    pub(crate) fn painted(&self, output: &Path) {
        self.bar.suspend(|| println!("{}", output.display()));
        self.bar.inc(1);
    }

    pub(crate) fn failed(&self, error: &anyhow::Error) {
        self.bar.suspend(|| eprintln!("error: {error:#}"));
        self.bar.inc(1);
    }

    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
