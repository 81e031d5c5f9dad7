//! What shows of an optimisation while it goes on.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use common::gatys::GatysProgress;
use indicatif::{ProgressBar, ProgressStyle};
use pixel::Format;
use serde_json::json;
use trainer::tensorboard::TensorBoardLog;

use super::super::stdout::print;
use crate::plan::GatysPlan;

/// Positions of the bar.
const BAR_STEPS: u64 = 10_000;
/// How often the output is renewed with `--preview`.
const PREVIEW_EVERY: Duration = Duration::from_secs(5);
/// How often a line is written where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(10);
/// Iterations between two pictures in TensorBoard.
const TENSORBOARD_PICTURE_EVERY: u32 = 50;

/// The bar, snapshots, the preview, TensorBoard and lines of JSON.
pub(super) struct Shown {
    bar: ProgressBar,
    is_quiet: bool,
    prints_json: bool,
    save_every: Option<u32>,
    preview: Option<Instant>,
    output: PathBuf,
    format: Format,
    tensorboard: Option<TensorBoardLog>,
    last_line: Instant,
}

impl Shown {
    pub(super) fn new(plan: &GatysPlan, label: &str) -> anyhow::Result<Self> {
        let seeing = &plan.seeing;
        let is_quiet = seeing.quiet || seeing.json;
        let bar = if is_quiet { ProgressBar::hidden() } else { ProgressBar::new(BAR_STEPS) };
        let template = "{prefix}{bar:24} {percent}% {elapsed_precise}, {eta} left  {msg}";
        bar.set_style(ProgressStyle::with_template(template).expect("the template is well formed"));
        bar.set_prefix(label.to_owned());
        let tensorboard = seeing.tensorboard.as_deref().map(|folder| TensorBoardLog::start(folder, None));
        Ok(Self {
            bar,
            is_quiet,
            prints_json: seeing.json,
            save_every: seeing.save_every,
            preview: seeing.preview.then(Instant::now),
            output: plan.output.clone(),
            format: plan.format,
            tensorboard: tensorboard.transpose()?,
            last_line: Instant::now(),
        })
    }

    pub(super) fn show(&mut self, progress: &GatysProgress<'_>) -> anyhow::Result<()> {
        let GatysProgress { rung, evaluation, done, losses, .. } = progress;
        self.bar.set_position((done * BAR_STEPS as f64) as u64);
        let mut message = format!(
            "{}x{} loss {:.3e} content {:.3e} style {:.3e}",
            rung.width, rung.height, losses.total, losses.content, losses.style
        );
        if losses.total_variation > 0.0 {
            let _ = write!(message, " tv {:.1e}", losses.total_variation);
        }
        if let Some(photorealism) = losses.photorealism {
            let _ = write!(message, " photorealism {photorealism:.2e}");
        }
        if !self.bar.is_hidden() {
            self.bar.set_message(message);
        } else if !self.is_quiet && self.last_line.elapsed() >= LINE_EVERY {
            self.last_line = Instant::now();
            eprintln!("{}{:.0} %  {message}", self.bar.prefix(), done * 100.0);
        }
        if self.prints_json {
            let line = json!({
                "iteration": evaluation, "width": rung.width, "height": rung.height, "losses": losses,
            });
            print(&format!("{line}\n"))?;
        }
        if let Some(log) = &mut self.tensorboard {
            log.add_losses(u64::from(*evaluation), losses)?;
            if *evaluation == 1 || evaluation % TENSORBOARD_PICTURE_EVERY == 0 {
                log.add_preview(u64::from(*evaluation), &progress.picture())?;
            }
        }
        if self.save_every.is_some_and(|every| evaluation % every == 0) {
            let suffix = self.output.extension().unwrap_or_default().to_string_lossy();
            let path = self.output.with_extension(format!("{evaluation:06}.{suffix}"));
            pixel::write_file(&progress.picture(), &path, self.format)?;
        }
        if self.preview.is_some_and(|last| last.elapsed() >= PREVIEW_EVERY) {
            self.preview = Some(Instant::now());
            pixel::write_file(&progress.picture(), &self.output, self.format)?;
        }
        Ok(())
    }

    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
