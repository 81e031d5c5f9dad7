//! The training loop.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use common::loss::{LossValues, PerceptualLoss};
use common::lossnet::{LossNetError, Vgg};
use common::net::{Parameters, StyleNet};
use common::optim::Adam;
use common::space::{byte_rgb_from_interleaved, byte_rgb_from_picture};
use common::style_file::{self, Outcome, Painting, StyleCard, StyleFileError};
use common::tensor_file::StoredAs;
use datasets::{PhotoFolder, PhotoStream, SkippedPhoto, StreamConfig, StreamError, StreamPosition};
use pixel::{Filter, Picture};
use tch::{Device, Tensor};

use crate::recipe::Recipe;
use crate::run_folder::{RunFolder, RunFolderError};
use crate::validation::ValidationSet;

/// What a training works on and with.
pub struct TrainingInputs {
    /// What is known of the painting.
    pub painting: Painting,
    /// The painting.
    pub painting_picture: Picture,
    /// The photos to learn on.
    pub photos: PhotoFolder,
    /// A network of the recipe's shape to go on from, instead of a fresh one.
    pub from: Option<Parameters>,
    /// Photos to judge by at the end.
    pub validation: Option<ValidationSet>,
    /// The loss network's file.
    pub loss_net: PathBuf,
    /// Where to compute.
    pub device: Device,
    /// Threads that decode photos.
    pub decode_threads: usize,
    /// Number format of the style file.
    pub stored_as: StoredAs,
    /// Steps between two reports of the losses.
    pub log_every: u64,
    /// Steps between two writings of the style file.
    pub save_every: u64,
}

/// What a training tells while it runs.
pub enum TrainingEvent {
    /// The networks are ready; the first step comes.
    Started,
    /// A step was taken.
    Step {
        /// From 1.
        step: u64,
        /// What is known of it, on log steps.
        report: Option<StepReport>,
    },
    /// The steps are done and the validation photos are being painted.
    Validating,
}

/// What is known of a step.
#[derive(Clone, Debug)]
pub struct StepReport {
    /// The losses of its batch, before the parameters moved.
    pub losses: LossValues,
    /// Its learning rate.
    pub learning_rate: f64,
    /// Photos per second since the report before it.
    pub images_per_s: f64,
}

/// What a training ended with.
pub struct Trained {
    /// The style file.
    pub style_file: PathBuf,
    /// What came of it.
    pub outcome: Outcome,
    /// Photos that could not be used.
    pub skipped: Vec<SkippedPhoto>,
    /// Whether the observer ended it early.
    pub was_stopped: bool,
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
    /// The style file cannot be written.
    #[error(transparent)]
    StyleFile(#[from] StyleFileError),
    /// The painting is too small for the deepest style layer.
    #[error("the painting is {width}x{height} pixels; the style layers need at least {needed} a side")]
    PaintingTooSmall {
        /// Its width.
        width: u32,
        /// Its height.
        height: u32,
        /// The shortest side that will do.
        needed: u32,
    },
    /// The losses are no numbers any more.
    #[error("the loss is not a number at step {step}; lower the learning rate (it was {learning_rate:e})")]
    Diverged {
        /// The step.
        step: u64,
        /// Its learning rate.
        learning_rate: f64,
    },
}

/// A training that can start: the loss network is loaded and has seen the painting, photos are being decoded.
pub struct Training {
    recipe: Recipe,
    painting: Painting,
    from: Option<Parameters>,
    validation: Option<ValidationSet>,
    loss: PerceptualLoss,
    stream: PhotoStream,
    device: Device,
    stored_as: StoredAs,
    log_every: u64,
    save_every: u64,
}

impl Training {
    /// Loads what has to be loaded. Nothing is written yet.
    ///
    /// # Errors
    /// The loss network or the painting cannot be used, or no decode thread can be had.
    pub fn prepare(recipe: Recipe, inputs: TrainingInputs) -> Result<Self, TrainingError> {
        let loss = perceptual_loss(&recipe, &inputs)?;
        let stream = PhotoStream::new(
            inputs.photos,
            StreamConfig {
                seed: recipe.seed,
                crop: recipe.crop_px,
                batch: recipe.batch,
                augment: recipe.augment,
                decode_threads: inputs.decode_threads,
                start: StreamPosition::default(),
            },
        )?;
        let TrainingInputs { painting, from, validation, device, stored_as, log_every, save_every, .. } =
            inputs;
        Ok(Self {
            recipe,
            painting,
            from,
            validation,
            loss,
            stream,
            device,
            stored_as,
            log_every,
            save_every,
        })
    }

    /// Trains the network and writes its style file, at the end and every so often before.
    ///
    /// `observe` hears of every step and may end the training by [`ControlFlow::Break`]; what has been learnt is still
    /// written.
    ///
    /// # Errors
    /// No photo can be used, the losses are no numbers any more, or a file of the run cannot be written.
    pub fn run(
        self,
        run: &RunFolder,
        observe: &mut dyn FnMut(TrainingEvent) -> ControlFlow<()>,
    ) -> Result<Trained, TrainingError> {
        let Self {
            recipe,
            painting,
            from,
            validation,
            loss,
            mut stream,
            device,
            stored_as,
            log_every,
            save_every,
        } = self;
        let fresh = || Parameters::init(&recipe.net, recipe.start, recipe.seed, device);
        let net = StyleNet::new(recipe.net.clone(), from.unwrap_or_else(fresh).trainable());
        let mut adam = Adam::new(recipe.adam, net.parameters().flat())
            .with_rate_factors(net.parameters().rate_factors(recipe.output_rate_factor));
        let mut card = StyleCard::new(recipe.net.clone(), painting);
        card.recipe = serde_json::to_value(&recipe).expect("a recipe holds nothing that JSON cannot");

        let mut loss_table = run.start_losses()?;
        let mut clock = StepClock::start(recipe.batch);
        let mut steps_done = 0;
        let mut was_stopped = observe(TrainingEvent::Started).is_break();

        while !was_stopped && steps_done < recipe.steps {
            let step = steps_done + 1;
            let learning_rate = recipe.learning_rate.rate_at(step, recipe.steps);

            let batch = stream.next_batch()?;
            let photo =
                byte_rgb_from_interleaved(&batch.byte_rgb, batch.count, batch.height, batch.width, device);
            let painted = net.forward(&photo);
            let terms = loss.evaluate(&painted, &photo);
            let gradient = net.parameters().gradient_of(&terms.total);
            adam.step(net.parameters().flat(), &gradient, learning_rate);
            steps_done = step;

            let is_log_step = step % log_every == 0 || step == 1 || step == recipe.steps;
            let report = is_log_step.then(|| StepReport {
                losses: terms.values(), // synchronisation point, before the clock is read
                learning_rate,
                images_per_s: clock.lap(step),
            });
            if let Some(report) = &report {
                if !report.losses.total.is_finite() {
                    return Err(TrainingError::Diverged { step, learning_rate });
                }
                loss_table.add(step, report)?;
            }
            was_stopped = observe(TrainingEvent::Step { step, report }).is_break();

            if step % save_every == 0 && step < recipe.steps {
                card.outcome = Some(outcome(&recipe, step, clock.elapsed(), device));
                style_file::save(&run.style_file(), &card, &net, stored_as)?;
            }
        }

        let mut outcome = outcome(&recipe, steps_done, clock.elapsed(), device);
        if let Some(validation) = &validation {
            let _ = observe(TrainingEvent::Validating);
            outcome.validation_of_photos = Some(validation.mean_losses(&loss, device, Tensor::shallow_clone));
            outcome.validation = Some(validation.mean_losses(&loss, device, |photo| net.forward(photo)));
        }
        card.outcome = Some(outcome.clone());
        style_file::save(&run.style_file(), &card, &net, stored_as)?;
        let skipped = stream.skipped();
        run.write_skipped(&skipped)?;
        Ok(Trained { style_file: run.style_file(), outcome, skipped, was_stopped })
    }
}

fn perceptual_loss(recipe: &Recipe, inputs: &TrainingInputs) -> Result<PerceptualLoss, TrainingError> {
    let painting = reduced_painting(&inputs.painting_picture, recipe.painting_long_side_px);
    let (width, height) = (painting.width(), painting.height());
    let needed = recipe.loss.style_layers.iter().map(|&layer| Vgg::smallest_side(layer)).max().unwrap_or(1);
    if width.min(height) < needed {
        return Err(TrainingError::PaintingTooSmall { width, height, needed });
    }
    let network = Vgg::load(&inputs.loss_net, &recipe.loss.layers(), inputs.device)?;
    let painting_byte_rgb = byte_rgb_from_picture(&painting, inputs.device);
    Ok(PerceptualLoss::new(recipe.loss.clone(), network, &painting_byte_rgb))
}

/// The painting with its long side reduced to `long_side_px`; never enlarged, which would only blur its strokes.
fn reduced_painting(painting: &Picture, long_side_px: Option<u32>) -> Picture {
    let (width, height) = (painting.width(), painting.height());
    let long_side = width.max(height);
    match long_side_px {
        Some(target) if target < long_side => {
            let scaled = |side: u32| {
                ((f64::from(side) * f64::from(target) / f64::from(long_side)).round() as u32).max(1)
            };
            painting
                .resize(scaled(width), scaled(height), Filter::Lanczos3)
                .expect("both sides are at least one pixel")
        }
        _ => painting.clone(),
    }
}

fn outcome(recipe: &Recipe, steps: u64, elapsed: Duration, device: Device) -> Outcome {
    Outcome {
        steps,
        images: steps * recipe.batch as u64,
        seconds: elapsed.as_secs_f64().round(),
        device: match device {
            Device::Cuda(index) => format!("cuda:{index}"),
            _ => "cpu".to_owned(),
        },
        validation: None,
        validation_of_photos: None,
        software: concat!("atelier ", env!("CARGO_PKG_VERSION")).to_owned(),
    }
}

/// Times the steps between two reports.
struct StepClock {
    batch: usize,
    started: Instant,
    lap_started: Instant,
    lap_step: u64,
}

impl StepClock {
    fn start(batch: usize) -> Self {
        let now = Instant::now();
        Self { batch, started: now, lap_started: now, lap_step: 0 }
    }

    /// Since the start.
    fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Photos per second since the last call, which was after `lap_step`; starts the next lap.
    fn lap(&mut self, step: u64) -> f64 {
        let now = Instant::now();
        let images = (step - self.lap_step) * self.batch as u64;
        let images_per_s = images as f64 / (now - self.lap_started).as_secs_f64();
        (self.lap_started, self.lap_step) = (now, step);
        images_per_s
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_painting_is_reduced_by_its_long_side_and_never_enlarged() {
        let painting = Picture::from_rgb(20, 10, vec![9; 600]).unwrap();
        let size = |long_side| {
            let reduced = reduced_painting(&painting, long_side);
            (reduced.width(), reduced.height())
        };
        assert_eq!(size(Some(10)), (10, 5));
        assert_eq!(size(Some(1)), (1, 1));
        assert_eq!(size(Some(40)), (20, 10));
        assert_eq!(size(None), (20, 10));
    }
}
