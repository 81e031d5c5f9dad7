//! The training loop.

mod clock;
mod colours;
mod learner;
mod memory;
mod paintings;
mod photos;

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use common::loss::{LossTerms, LossValues, PerceptualLoss};
use common::lossnet::LossNetError;
use common::net::Parameters;
use common::style_file::{self, Outcome, StyleCard, StyleFileError, sha256_hex};
use datasets::{PhotoFolder, SkippedPhoto, StreamError};
use tch::{Device, Tensor};

pub use self::paintings::StylePicture;

use self::clock::StepClock;
use self::learner::Learner;
use self::paintings::perceptual_loss;
use self::photos::{CutFrom, PhotoBatch, PhotoSource};
use crate::checkpoint::{
    BestValidation, Checkpoint, CheckpointError, CheckpointPolicy, InputsFingerprint, Progress,
};
use crate::config::RunSettings;
use crate::journal::JournalEntry;
use crate::preview::PreviewPhotos;
use crate::recipe::Recipe;
use crate::report::{self, ReportError};
use crate::run_folder::{RunFolder, RunFolderError};
use crate::run_log::{RunLog, RunLogError};
use crate::run_record::{RunRecord, RunRecordError};
use crate::validation::ValidationSet;

/// What a training works on and with.
pub struct TrainingInputs {
    /// What the style file will say, as far as it is known before.
    pub card: StyleCard,
    /// The paintings, at least one.
    pub paintings: Vec<StylePicture>,
    /// The photos to learn on.
    pub photos: PhotoFolder,
    /// A network of the recipe's shape to go on from, instead of a fresh one.
    pub from: Option<Parameters>,
    /// Photos to judge by.
    pub validation: Option<ValidationSet>,
    /// The loss network's file.
    pub loss_net: PathBuf,
    /// Where to compute.
    pub device: Device,
    /// Threads that decode photos.
    pub decode_threads: usize,
}

/// What a training tells while it runs. Whoever hears of it may end the training by [`ControlFlow::Break`].
pub enum TrainingEvent<'a> {
    /// A step was taken, from 1. On log steps, the journal's entry follows.
    Step {
        /// The step.
        step: u64,
    },
    /// The validation photos are being painted.
    Validating {
        /// How many are done.
        done: usize,
        /// How many there are.
        total: usize,
    },
    /// Something was written into the journal.
    Recorded(&'a JournalEntry),
    /// A checkpoint and the style file were written.
    Saved {
        /// After which step.
        step: u64,
    },
}

/// Hears what a training tells.
pub type Observer<'a> = dyn FnMut(TrainingEvent<'_>) -> ControlFlow<()> + 'a;

/// What a training ended with.
pub struct Trained {
    /// The style file.
    pub style_file: PathBuf,
    /// What came of it.
    pub outcome: Outcome,
    /// Photos that could not be used.
    pub skipped: Vec<SkippedPhoto>,
    /// Why it ended.
    pub ending: Ending,
}

/// Why a training ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// All steps were taken.
    Complete,
    /// Validation had stopped improving; the style file holds the network of the best validation.
    NoLongerImproving,
    /// The observer ended it.
    Stopped,
}

/// Why a training cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum TrainingError {
    /// The loss network cannot be used.
    #[error(transparent)]
    LossNet(#[from] LossNetError),
    /// The photos cannot be used.
    #[error(transparent)]
    Photos(#[from] StreamError),
    /// The run folder cannot be written.
    #[error(transparent)]
    RunFolder(#[from] RunFolderError),
    /// A checkpoint cannot be written or gone on from.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The style file cannot be written.
    #[error(transparent)]
    StyleFile(#[from] StyleFileError),
    /// What happens cannot be written down.
    #[error(transparent)]
    Log(#[from] RunLogError),
    /// The run cannot be read back for the report.
    #[error(transparent)]
    RunRecord(#[from] RunRecordError),
    /// The report cannot be written.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// A painting is too small for the deepest style layer.
    #[error("the painting is {width}x{height} pixels; the style layers need at least {needed} a side")]
    PaintingTooSmall {
        /// Its width.
        width: u32,
        /// Its height.
        height: u32,
        /// The shortest side that will do.
        needed: u32,
    },
    /// A step does not fit into memory.
    #[error("{batch} photos of {crop_px} pixels at a time do not fit into memory; {advice}")]
    OutOfMemory {
        /// Photos that pass through the networks together.
        batch: usize,
        /// The side of each.
        crop_px: u32,
        /// What would fit.
        advice: String,
    },
    /// The losses are no numbers any more.
    #[error(
        "the loss is not a number at step {step}; the last checkpoint is untouched, start again with a lower learning \
         rate (it was {learning_rate:e})"
    )]
    Diverged {
        /// The step.
        step: u64,
        /// Its learning rate.
        learning_rate: f64,
    },
}

impl TrainingInputs {
    /// What the run works on, for telling whether it is still the same when it is continued.
    pub fn fingerprint(&self) -> InputsFingerprint {
        let names: Vec<&[u8]> =
            self.photos.relative_paths().iter().map(|path| path.as_os_str().as_encoded_bytes()).collect();
        InputsFingerprint {
            photos_sha256: sha256_hex(&names.join(&b'\n')),
            paintings_sha256: self.paintings.iter().map(|painting| painting.sha256.clone()).collect(),
        }
    }
}

/// A training that can start: the loss network is loaded and has seen the paintings, photos are being decoded.
pub struct Training {
    recipe: Recipe,
    settings: RunSettings,
    card: StyleCard,
    fingerprint: InputsFingerprint,
    validation: Option<ValidationSet>,
    loss: PerceptualLoss,
    photos: PhotoSource,
    learner: Learner,
    progress: Progress,
    device: Device,
}

impl Training {
    /// Loads what has to be loaded. Nothing is written yet. With a checkpoint, the training goes on where that was
    /// written; on the CPU, with as many threads, it then learns the same, bit for bit, as if it had never stopped.
    ///
    /// # Errors
    /// The loss network or a painting cannot be used, or no decode thread can be had.
    pub fn prepare(
        recipe: Recipe,
        settings: RunSettings,
        inputs: TrainingInputs,
        checkpoint: Option<Checkpoint>,
    ) -> Result<Self, TrainingError> {
        memory::check_room(&recipe, inputs.device)?;
        let loss = perceptual_loss(&recipe, &inputs)?;
        let progress =
            checkpoint.as_ref().map_or_else(Progress::start, |checkpoint| checkpoint.progress.clone());
        let fingerprint = inputs.fingerprint();
        let cut_from = if recipe.reduce_photos_first {
            CutFrom::ReducedPhotos { room_bytes: settings.resident_gb.bytes(inputs.device) }
        } else {
            CutFrom::Photos
        };
        let photos = PhotoSource::start(
            inputs.photos,
            recipe.stream_config(progress.position(), inputs.decode_threads),
            &progress.skipped,
            cut_from,
            inputs.device,
        )?;
        let learner = match checkpoint {
            Some(checkpoint) => Learner::resume(&recipe, checkpoint),
            None => Learner::start(&recipe, inputs.from, inputs.device),
        };
        let mut card = inputs.card;
        card.recipe = serde_json::to_value(&recipe).expect("a recipe holds nothing that JSON cannot");
        Ok(Self {
            recipe,
            settings,
            card,
            fingerprint,
            validation: inputs.validation,
            loss,
            photos,
            learner,
            progress,
            device: inputs.device,
        })
    }

    /// Trains the network; writes checkpoints, records and the style file on the way and at the end.
    ///
    /// `observe` hears of everything and may end the training; what has been learnt is then saved, to go on from.
    ///
    /// # Errors
    /// No photo can be used, the losses are no numbers any more, or a file of the run cannot be written.
    pub fn run(mut self, run: &RunFolder, observe: &mut Observer<'_>) -> Result<Trained, TrainingError> {
        let policy = CheckpointPolicy::of(&self.settings);
        let mut log = self.start_log(run, observe)?;
        let preview_photos = self.preview_photos();
        let mut clock = StepClock::start(
            self.recipe.images_per_step(),
            self.progress.step,
            Duration::from_secs_f64(self.progress.seconds),
        );
        let mut last_saved = Instant::now();
        let mut ending = Ending::Complete;

        if self.recipe.steps == 0 {
            // The network that it goes on from is the result; it is judged all the same.
            let (_, is_stopped) = self.validate(&mut log, observe)?;
            self.save(run, &policy)?;
            if is_stopped {
                ending = Ending::Stopped;
            }
        }
        while ending == Ending::Complete && self.progress.step < self.recipe.steps {
            let step = self.progress.step + 1;
            let learning_rate = self.recipe.learning_rate.rate_at(step, self.recipe.steps);
            let batches = self.next_batches()?;
            let terms =
                memory::guarded(&self.recipe, &mut self.learner, &self.loss, self.device, |learner| {
                    learner.step(step, &batches, &self.loss, learning_rate)
                })?;
            self.note_step(step);

            let is_last = step == self.recipe.steps;
            let report = if self.is_due(self.settings.log_every) || step == 1 {
                let losses = self.losses_of(&terms); // synchronisation point, before the clock is read
                if !losses.total.is_finite() {
                    return Err(TrainingError::Diverged { step, learning_rate });
                }
                let images_per_s = clock.images_per_s(step);
                Some(JournalEntry::Step { step, learning_rate, images_per_s, losses })
            } else {
                None
            };
            self.progress.seconds = clock.elapsed().as_secs_f64();

            clock.pause();
            let mut is_stopped = observe(TrainingEvent::Step { step }).is_break();
            if let Some(report) = report {
                log.record(&report)?;
                is_stopped |= observe(TrainingEvent::Recorded(&report)).is_break();
            }
            let mut is_best = false;
            if !is_stopped && self.validation.is_some() && self.is_due(self.settings.validate_every) {
                (is_best, is_stopped) = self.validate(&mut log, observe)?;
            }
            if self.settings.preview_every > 0
                && self.is_due(self.settings.preview_every)
                && let Some(sheet) =
                    preview_photos.sheet(self.device, |photo| self.learner.net().forward(photo))
            {
                let preview = log.record_preview(step, &sheet)?;
                is_stopped |= observe(TrainingEvent::Recorded(&preview)).is_break();
            }
            if is_best || is_last || is_stopped || policy.is_due(step, last_saved.elapsed()) {
                self.save(run, &policy)?;
                last_saved = Instant::now();
                is_stopped |= observe(TrainingEvent::Saved { step }).is_break();
            }
            if is_stopped && !is_last {
                ending = Ending::Stopped;
            } else if self.has_stopped_improving() && !is_last {
                ending = Ending::NoLongerImproving;
            }
            clock.go_on();
        }

        if ending == Ending::NoLongerImproving {
            self.return_to_best(run)?;
        }
        // Even after a run that was complete: it may have been killed between its last checkpoint and its style file.
        let outcome = self.write_style_file(run)?;
        let skipped = self.photos.skipped().to_vec();
        run.write_skipped(&skipped)?;
        report::write(&RunRecord::read(run.path(), run.name())?)?;
        Ok(Trained { style_file: run.style_file(), outcome, skipped, ending })
    }

    /// Starts the run's log, or goes on with it.
    fn start_log(&self, run: &RunFolder, observe: &mut Observer<'_>) -> Result<RunLog, TrainingError> {
        let (step, device) = (self.progress.step, device_name(self.device));
        let (mut log, entry) = if step == 0 {
            let (software, painting) = (SOFTWARE.to_owned(), self.card.caption());
            (RunLog::start(run.path())?, JournalEntry::Started { device, software, painting })
        } else {
            (RunLog::resume(run.path(), step)?, JournalEntry::Resumed { step, device })
        };
        log.record(&entry)?;
        // Whoever wants to stop before the first step can do so after it.
        let _ = observe(TrainingEvent::Recorded(&entry));
        Ok(log)
    }

    /// A handful of photos that the training does not see, if it knows of any.
    fn preview_photos(&self) -> PreviewPhotos {
        match &self.validation {
            _ if self.settings.preview_every == 0 => PreviewPhotos::among(&[]),
            Some(validation) => PreviewPhotos::among(validation.crops()),
            None => PreviewPhotos::of_folder(self.photos.folder(), self.recipe.crop_px),
        }
    }

    /// Whether something that is done every so many steps, and after the last, is done now.
    fn is_due(&self, every: u64) -> bool {
        let step = self.progress.step;
        step == self.recipe.steps || every > 0 && step.is_multiple_of(every)
    }

    /// The photos of a step.
    fn next_batches(&mut self) -> Result<Vec<PhotoBatch>, TrainingError> {
        (0..self.recipe.accumulate).map(|_| Ok(self.photos.next_batch()?)).collect()
    }

    fn note_step(&mut self, step: u64) {
        let position = self.photos.position();
        self.progress.step = step;
        (self.progress.epoch, self.progress.index) = (position.epoch, position.index);
    }

    fn losses_of(&self, terms: &[LossTerms]) -> LossValues {
        let values: Vec<LossValues> = terms.iter().map(|terms| terms.values(self.loss.spec())).collect();
        LossValues::mean(&values)
    }

    /// Paints the validation photos. Tells whether the total loss is the lowest so far, and whether the observer wants to
    /// stop, in which case the validation may have been broken off and does not count.
    fn validate(
        &mut self,
        log: &mut RunLog,
        observe: &mut Observer<'_>,
    ) -> Result<(bool, bool), TrainingError> {
        let Some(validation) = &self.validation else { return Ok((false, false)) };
        let (net, photos) = (self.learner.net(), validation.len());
        let mut mean_losses = |paint: &dyn Fn(&Tensor) -> Tensor| {
            validation.mean_losses(
                &self.loss,
                self.recipe.temporal,
                self.device,
                paint,
                &mut |done, total| observe(TrainingEvent::Validating { done, total }),
            )
        };
        if self.progress.validation_of_photos.is_none() {
            let ControlFlow::Continue(losses) = mean_losses(&Tensor::shallow_clone) else {
                return Ok((false, true));
            };
            log.record(&JournalEntry::Validation { step: 0, losses: losses.clone(), photos })?;
            self.progress.validation_of_photos = Some(losses);
        }
        let ControlFlow::Continue(losses) = mean_losses(&|photo| net.forward(photo)) else {
            return Ok((false, true));
        };

        let step = self.progress.step;
        let is_best = self.progress.best.as_ref().is_none_or(|best| losses.total < best.losses.total);
        if is_best {
            self.progress.best = Some(BestValidation { step, losses: losses.clone() });
            self.progress.validations_since_best = 0;
        } else {
            self.progress.validations_since_best += 1;
        }
        self.progress.last_validation = Some(losses.clone());
        let entry = JournalEntry::Validation { step, losses, photos };
        log.record(&entry)?;
        Ok((is_best, observe(TrainingEvent::Recorded(&entry)).is_break()))
    }

    fn has_stopped_improving(&self) -> bool {
        self.settings.patience.is_some_and(|patience| self.progress.validations_since_best >= patience)
    }

    /// Writes a checkpoint and the style file, and removes checkpoints that are no longer needed.
    fn save(&mut self, run: &RunFolder, policy: &CheckpointPolicy) -> Result<(), TrainingError> {
        let step = self.progress.step;
        // A network that is lost must not replace one that is not.
        if !self.learner.is_finite() {
            let learning_rate = self.recipe.learning_rate.rate_at(step, self.recipe.steps);
            return Err(TrainingError::Diverged { step, learning_rate });
        }
        self.progress.skipped = self.photos.known_skips().to_vec();
        let file = run.new_checkpoint_file(step)?;
        self.learner.checkpoint(self.progress.clone()).write(&file, &self.recipe, &self.fingerprint)?;
        let best = self.progress.best.as_ref().map(|best| best.step);
        for step in policy.superseded(&run.checkpoint_steps()?, best) {
            run.remove_checkpoint(step)?;
        }
        self.write_style_file(run)?;
        Ok(())
    }

    fn write_style_file(&mut self, run: &RunFolder) -> Result<Outcome, TrainingError> {
        let outcome = self.outcome();
        self.card.outcome = Some(outcome.clone());
        style_file::save(&run.style_file(), &self.card, self.learner.net(), self.settings.store)?;
        Ok(outcome)
    }

    /// Takes back what was learnt after the best validation.
    fn return_to_best(&mut self, run: &RunFolder) -> Result<(), TrainingError> {
        let Some(best) = &self.progress.best else { return Ok(()) };
        let file = run.checkpoint_file(best.step);
        self.progress.last_validation = Some(best.losses.clone());
        let checkpoint = Checkpoint::read(&file, &self.recipe, &self.fingerprint, self.device)?;
        self.learner = Learner::resume(&self.recipe, checkpoint);
        Ok(())
    }

    /// What has come of it so far, with the last validation.
    fn outcome(&self) -> Outcome {
        Outcome {
            steps: self.progress.step,
            images: self.progress.step * self.recipe.images_per_step(),
            seconds: self.progress.seconds.round(),
            device: device_name(self.device),
            validation: self.progress.last_validation.clone(),
            validation_of_photos: self.progress.validation_of_photos.clone(),
            software: SOFTWARE.to_owned(),
        }
    }
}

/// Name and version of this software.
const SOFTWARE: &str = concat!("atelier ", env!("CARGO_PKG_VERSION"));

fn device_name(device: Device) -> String {
    match device {
        Device::Cuda(index) => format!("cuda:{index}"),
        _ => "cpu".to_owned(),
    }
}
