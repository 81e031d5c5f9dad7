//! What the user sees of a training.

use indicatif::{ProgressBar, ProgressStyle};
use tch::Device;
use trainer::training::{StepReport, TrainingEvent};

/// How many unusable photos are named on the terminal; all of them are in the run folder.
pub(crate) const SKIPPED_SHOWN: usize = 10;

/// The progress bar of a training, on stderr; where that is no terminal, a line for each report instead.
pub(crate) struct TrainingBar {
    bar: ProgressBar,
}

impl TrainingBar {
    pub(crate) fn new(steps: u64) -> Self {
        let bar = ProgressBar::new(steps);
        let template = "{bar:24} {pos}/{len} {elapsed_precise}, {eta} left  {msg}";
        bar.set_style(ProgressStyle::with_template(template).expect("the template is well formed"));
        Self { bar }
    }

    pub(crate) fn show(&self, event: &TrainingEvent) {
        match event {
            TrainingEvent::Started => {}
            TrainingEvent::Step { step, report } => {
                self.bar.set_position(*step);
                if let Some(report) = report {
                    self.show_report(*step, report);
                }
            }
            TrainingEvent::Validating => self.bar.set_message("painting the validation photos"),
        }
    }

    pub(crate) fn finish(&self) {
        self.bar.finish();
    }

    fn show_report(&self, step: u64, report: &StepReport) {
        let StepReport { losses, images_per_s, .. } = report;
        let message = format!(
            "content {:.3e} style {:.3e} tv {:.1}  {images_per_s:.2} images/s",
            losses.content, losses.style, losses.total_variation
        );
        if self.bar.is_hidden() {
            eprintln!("step {step}  {message}");
        } else {
            self.bar.set_message(message);
        }
    }
}

pub(crate) fn device_name(device: Device) -> String {
    match device {
        Device::Cuda(index) => format!("GPU {index}"),
        _ => format!("{} CPU threads", tch::get_num_threads()),
    }
}
