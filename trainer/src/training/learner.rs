//! The network being trained, and what moves it.

use common::loss::{
    Look, LossTerms, Motion, MotionKey, PerceptualLoss, TemporalFactors, TemporalSpec,
    temporal_loss_and_gradients,
};
use common::net::{Parameters, StyleNet};
use common::optim::{Adam, AdamState, Ema, MatrixRange, clip_to_norm};
use common::precision::Precision;
use tch::{Device, Tensor};

use super::photos::PhotoBatch;
use crate::checkpoint::{Checkpoint, Progress};
use crate::recipe::{Optimizer, Recipe};

/// The network being trained, and what moves it. All of it lives on one device, in flat buffers.
pub(super) struct Learner {
    net: StyleNet,
    adam: Adam,
    average: Option<Average>,
    clip_norm: Option<f64>,
    precision: Precision,
    zoom_style_power: f64,
    temporal: TemporalSpec,
    steps: u64,
    seed: u64,
}

/// A motion for the photos of a batch, and the factors on the temporal losses.
struct Steadying {
    motion: Motion,
    factors: TemporalFactors,
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
        let adam = match recipe.optimizer {
            Optimizer::Adam => adam,
            Optimizer::Muon => adam.with_orthogonal_steps(hidden_kernels(&parameters)),
        };
        let average = ema.map(|ema| {
            let net = StyleNet::new(recipe.net.clone(), Parameters::around(&recipe.net, ema.average()));
            Average { ema, net }
        });
        let net = StyleNet::new(recipe.net.clone(), parameters.trainable());
        let Recipe { clip_norm, precision, zoom_style_power, temporal, steps, seed, .. } = *recipe;
        Self { net, adam, average, clip_norm, precision, zoom_style_power, temporal, steps, seed }
    }

    /// Takes step `step`, from 1, on these batches of photos. Nothing is read back from the device. Returns the
    /// loss of each batch, before the parameters moved.
    pub(super) fn step(
        &mut self,
        step: u64,
        batches: &[PhotoBatch],
        loss: &PerceptualLoss,
        learning_rate: f64,
    ) -> Vec<LossTerms> {
        let mut terms = Vec::with_capacity(batches.len());
        let mut gradient: Option<Tensor> = None;
        for (batch, photos) in batches.iter().enumerate() {
            let key = MotionKey { seed: self.seed, step, batch: batch as u64 };
            let steadying = self.steadying(key, &photos.byte_rgb);
            let (batch_terms, batch_gradient) = self.batch_gradient(photos, loss, steadying.as_ref());
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

    /// The losses of a batch of photos and their gradient, `[count]`, as in a step that looks at all of them.
    pub(super) fn gradient(&self, photos: &PhotoBatch, loss: &PerceptualLoss) -> (LossTerms, Tensor) {
        let key = MotionKey { seed: self.seed, step: self.steps, batch: 0 };
        self.batch_gradient(photos, loss, self.steadying(key, &photos.byte_rgb).as_ref())
    }

    /// The motion for a batch, where the temporal loss counts.
    fn steadying(&self, key: MotionKey, photo: &Tensor) -> Option<Steadying> {
        let factors = self.temporal.factors_at(key.step, self.steps)?;
        let (count, _, height, width) = photo.size4().expect("byte_rgb has four dimensions");
        let motion = Motion::draw(key, [count, height, width], self.temporal.noise, photo.device());
        Some(Steadying { motion, factors })
    }

    fn batch_gradient(
        &self,
        PhotoBatch { byte_rgb: photo, zooms }: &PhotoBatch,
        loss: &PerceptualLoss,
        steadying: Option<&Steadying>,
    ) -> (LossTerms, Tensor) {
        let precision = self.precision;
        let (painted, recording) = self.net.record(photo, precision);
        let kept = steadying.and_then(|_| self.temporal.feature_layer());
        let style_factors = self.style_factors(zooms);
        let look = Look { precision, kept, style_factors: style_factors.as_deref() };
        let (mut terms, mut of_painted, features) = loss.evaluate_looking(&painted, photo, look);
        let Some(Steadying { motion, factors }) = steadying else {
            return (terms, recording.backward(&of_painted));
        };
        let (painted_moved, moved_recording) = self.net.record(&motion.move_photos(photo), precision);
        let (temporal, [of_first, mut of_moved]) =
            temporal_loss_and_gradients(&painted, &painted_moved, motion, factors.pixels);
        terms.add_temporal(temporal, factors.pixels);
        of_painted += of_first;
        if let Some(features) = features {
            let (temporal, of_features) = loss.temporal_feature_loss_and_gradient(
                &features,
                &painted_moved,
                motion,
                factors.features,
                precision,
            );
            terms.add_temporal_features(temporal, factors.features);
            of_moved += of_features;
        }
        let of_second = moved_recording.backward(&of_moved);
        (terms, recording.backward(&of_painted) + of_second)
    }

    /// How many times the style of photos with these zooms counts; `None` where it is once for all.
    fn style_factors(&self, zooms: &[f64]) -> Option<Vec<f64>> {
        let power = self.zoom_style_power;
        (power != 0.0).then(|| zooms.iter().map(|zoom| zoom.powf(power)).collect())
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

/// The kernels of all convolutions but the first and the last, in the flat buffer. What sees colours and what makes them stays
/// with Adam, as Muon's author advises for the first and last layers.
fn hidden_kernels(parameters: &Parameters) -> Vec<MatrixRange> {
    let mut offset = 0;
    let mut matrices = Vec::new();
    for (name, tensor) in parameters.named() {
        let count = tensor.numel() as i64;
        let is_outer = ["conv1.", "deconv3."].iter().any(|outer| name.starts_with(outer));
        if let [rows, _, _, _] = tensor.size()[..]
            && !is_outer
        {
            matrices.push(MatrixRange { offset, rows, columns: count / rows });
        }
        offset += count;
    }
    matrices
}

#[cfg(test)]
mod tests {
    use common::net::NetConfig;

    use super::*;

    #[test]
    fn style_counts_by_the_zoom_where_it_is_asked_for() {
        let factors = |zoom_style_power| {
            let net = NetConfig { width: 2, residual_blocks: 1, ..NetConfig::default() };
            let recipe = Recipe { zoom_style_power, net, ..Recipe::default() };
            Learner::start(&recipe, None, Device::Cpu).style_factors(&[1.0, 2.0])
        };
        assert_eq!(factors(0.0), None);
        assert_eq!(factors(2.0), Some(vec![1.0, 4.0]));
    }

    #[test]
    fn hidden_kernels_are_where_the_buffer_has_them() {
        let recipe = Recipe {
            net: NetConfig { width: 2, residual_blocks: 1, ..NetConfig::default() },
            ..Recipe::default()
        };
        let parameters = Parameters::init(&recipe.net, recipe.start, 1, Device::Cpu);
        let matrices = hidden_kernels(&parameters);
        let shapes: Vec<[i64; 2]> = matrices.iter().map(|matrix| [matrix.rows, matrix.columns]).collect();
        assert_eq!(shapes, [[4, 18], [8, 36], [8, 72], [8, 72], [4, 72], [2, 36]]);
        let named: Vec<_> = parameters.named().collect();
        let (_, conv2) = named.iter().find(|(name, _)| *name == "conv2.conv2d.weight").unwrap();
        let in_buffer = parameters.flat().narrow(0, matrices[0].offset, 4 * 18);
        assert!(in_buffer.equal(&conv2.reshape([-1])));
    }
}
