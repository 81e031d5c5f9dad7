//! What the user sees of a training.

use common::loss::LossValues;
use indicatif::{ProgressBar, ProgressStyle};
use tch::Device;
use trainer::journal::JournalEntry;
use trainer::training::TrainingEvent;

/// How many unusable photos are named on the terminal; all of them are in the run folder.
pub(crate) const SKIPPED_SHOWN: usize = 10;

/// The progress bar of a training, on stderr; where that is no terminal, a line for each report instead.
pub(crate) struct TrainingBar {
    bar: ProgressBar,
    is_quiet: bool,
}

impl TrainingBar {
    pub(crate) fn new(steps: u64, is_quiet: bool) -> Self {
        let bar = if is_quiet { ProgressBar::hidden() } else { ProgressBar::new(steps) };
        let template = "{bar:24} {pos}/{len} {elapsed_precise}, {eta} left  {msg}";
        bar.set_style(ProgressStyle::with_template(template).expect("the template is well formed"));
        Self { bar, is_quiet }
    }

    pub(crate) fn show(&self, event: &TrainingEvent<'_>) {
        match event {
            TrainingEvent::Step { step } => self.bar.set_position(*step),
            TrainingEvent::Validating { done, total } => {
                self.bar.set_message(format!("validation photo {}/{total}", done + 1));
            }
            TrainingEvent::Recorded(entry) => self.show_entry(entry),
            TrainingEvent::Saved { .. } => {}
        }
    }

    fn show_entry(&self, entry: &JournalEntry) {
        match entry {
            JournalEntry::Started { .. } | JournalEntry::Preview { .. } => {}
            JournalEntry::Resumed { step, .. } => {
                // Steps of an earlier stretch say nothing about the time left.
                self.bar.set_position(*step);
                self.bar.reset_eta();
                self.say(&format!("going on after step {step}"));
            }
            JournalEntry::Step { step, images_per_s, losses, .. } => {
                let LossValues { content, style, total_variation, .. } = losses;
                let message = format!(
                    "content {content:.3e} style {style:.3e} tv {total_variation:.1}{}  {images_per_s:.2} images/s",
                    optional(losses)
                );
                if self.bar.is_hidden() {
                    self.say(&format!("step {step}  {message}"));
                } else {
                    self.bar.set_message(message);
                }
            }
            JournalEntry::Validation { step, losses, .. } => {
                let LossValues { content, style, .. } = losses;
                self.say(&format!(
                    "step {step}  validation: content {content:.3e} style {style:.3e}{}",
                    optional(losses)
                ));
            }
        }
    }

    pub(crate) fn finish(&self) {
        self.bar.finish();
    }

    /// A line that stays, above the bar where there is one.
    fn say(&self, line: &str) {
        if !self.is_quiet {
            self.bar.suspend(|| eprintln!("{line}"));
        }
    }
}

/// The losses that not all trainings have, where there are any, to be put behind the others.
fn optional(losses: &LossValues) -> String {
    let LossValues { grid_pattern, temporal, temporal_features, .. } = losses;
    let terms = [("grid", grid_pattern), ("temporal", temporal), ("features", temporal_features)];
    terms.iter().filter_map(|(name, loss)| loss.map(|loss| format!(" {name} {loss:.3e}"))).collect()
}

pub(crate) fn device_name(device: Device) -> String {
    match device {
        Device::Cuda(index) => format!("GPU {index}"),
        _ => format!("{} CPU threads", tch::get_num_threads()),
    }
}
