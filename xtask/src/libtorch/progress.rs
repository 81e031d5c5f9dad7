//! Progress bars for bytes: on stderr, and only where that is a terminal (indicatif sees to both).

use indicatif::{ProgressBar, ProgressStyle};

const WITH_TOTAL: &str = "{msg} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}";
const WITHOUT_TOTAL: &str = "{msg} {spinner} {bytes} {bytes_per_sec}";

pub(super) fn of_bytes(what: &str, total: Option<u64>) -> ProgressBar {
    let (bar, template) = match total {
        Some(total) => (ProgressBar::new(total), WITH_TOTAL),
        None => (ProgressBar::new_spinner(), WITHOUT_TOTAL),
    };
    let style = ProgressStyle::with_template(template).expect("the templates are sound");
    bar.with_style(style).with_message(what.to_owned())
}
