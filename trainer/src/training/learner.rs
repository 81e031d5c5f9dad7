//! The network being trained, and what moves it.

use common::loss::{LossTerms, PerceptualLoss};
use common::net::{Parameters, StyleNet};
use common::optim::{Adam, AdamState, Ema, clip_to_norm};
use common::precision::Precision;
use tch::{Device, Tensor};

use crate::checkpoint::{Checkpoint, Progress};
use crate::recipe::Recipe;

/// The network being trained, and what moves it. All of it lives on one device, in flat buffers.
pub(super) struct Learner {
    net: StyleNet,
    adam: Adam,
    average: Option<Average>,
    clip_norm: Option<f64>,
    precision: Precision,
}

/// The moving average, and a network around its memory.
struct Average {
    ema: Ema,
    net: StyleNet,
}

impl Learner {
    /// Starts afresh, or as the network `from`.
    pub(super) fn start(recipe: &Recipe, from: Option<Parameters>, device: Device) -> Self {
        let parameters =
            from.unwrap_or_else(|| Parameters::init(&recipe.net, recipe.start, recipe.seed, device));
        let adam = Adam::new(recipe.adam, parameters.flat());
        let ema = recipe.ema_decay.map(|decay| Ema::new(decay, parameters.flat()));
        Self::assemble(recipe, parameters, adam, ema)
    }

    /// Goes on where a checkpoint was written.
    pub(super) fn resume(recipe: &Recipe, checkpoint: Checkpoint) -> Self {
        let parameters = Parameters::around(&recipe.net, &checkpoint.parameters);
        let adam = Adam::from_state(recipe.adam, checkpoint.adam);
        let ema = recipe
            .ema_decay
            .zip(checkpoint.average)
            .map(|(decay, average)| Ema::from_average(decay, average));
        Self::assemble(recipe, parameters, adam, ema)
    }

    fn assemble(recipe: &Recipe, parameters: Parameters, adam: Adam, ema: Option<Ema>) -> Self {
        let adam = adam.with_rate_factors(parameters.rate_factors(recipe.output_rate_factor));
        let average = ema.map(|ema| {
            let net = StyleNet::new(recipe.net.clone(), Parameters::around(&recipe.net, ema.average()));
            Average { ema, net }
        });
        let net = StyleNet::new(recipe.net.clone(), parameters.trainable());
        Self { net, adam, average, clip_norm: recipe.clip_norm, precision: recipe.precision }
    }

    /// Takes step `step`, from 1, on these batches of `byte_rgb` photos. Nothing is read back from the device. Returns the
    /// loss of each batch, before the parameters moved.
    pub(super) fn step(
        &mut self,
        step: u64,
        batches: &[Tensor],
        loss: &PerceptualLoss,
        learning_rate: f64,
    ) -> Vec<LossTerms> {
        let mut terms = Vec::with_capacity(batches.len());
        let mut gradient: Option<Tensor> = None;
        for photo in batches {
            let (painted, recording) = self.net.record(photo, self.precision);
            let (batch_terms, painted_gradient) =
                loss.evaluate_with_gradient(&painted, photo, self.precision);
            let batch_gradient = recording.backward(&painted_gradient);
            terms.push(batch_terms);
            gradient = Some(match gradient {
                None => batch_gradient,
                Some(sum) => sum + batch_gradient,
            });
        }
        let Some(mut gradient) = gradient else { return terms };
        if batches.len() > 1 {
            gradient /= batches.len() as f64;
        }
        if let Some(max_norm) = self.clip_norm {
            gradient = clip_to_norm(&gradient, max_norm);
        }
        self.adam.step(self.net.parameters().flat(), &gradient, learning_rate);
        if let Some(average) = &mut self.average {
            average.ema.update(self.net.parameters().flat(), step);
        }
        terms
    }

    /// The network that is judged and saved: the average where there is one.
    pub(super) fn net(&self) -> &StyleNet {
        self.average.as_ref().map_or(&self.net, |average| &average.net)
    }

    /// Whether all parameters are numbers. Waits for the device: a synchronisation point.
    pub(super) fn is_finite(&self) -> bool {
        self.net.parameters().flat().isfinite().all().int64_value(&[]) == 1
    }

    /// Everything, to go on from; its tensors are this learner's own memory.
    pub(super) fn checkpoint(&self, progress: Progress) -> Checkpoint {
        let AdamState { steps, first_moment, second_moment } = self.adam.state();
        Checkpoint {
            parameters: self.net.parameters().flat().shallow_clone(),
            adam: AdamState {
                steps: *steps,
                first_moment: first_moment.shallow_clone(),
                second_moment: second_moment.shallow_clone(),
            },
            average: self.average.as_ref().map(|average| average.ema.average().shallow_clone()),
            progress,
        }
    }
}
