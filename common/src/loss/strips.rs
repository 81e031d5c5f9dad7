//! The perceptual loss of a picture that is too large for the memory: strip by strip, with the same result.
//!
//! A strip is some rows of the picture that are its own and a margin on either side, as wide as the deepest layer looks. Features
//! in its own rows come out as in the whole picture. A first pass sums up what the losses are made of; a second one goes
//! back from each strip's own features, and what that leaves in the margins is added to the neighbours'. Each
//! strip is thus seen twice, which costs an additional forward pass, and margins cost what they are wide.

use std::collections::BTreeMap;
use std::ops::Range;

use tch::{Kind, Tensor};

use super::statistic::MomentSums;
use super::style_gradient::{MomentSlopes, counted_pixels, look_at_mean, loss_of_moments};
use super::{ContentTarget, LossTerms, PerceptualLoss};
use crate::lossnet::Layer;
use crate::precision::Precision;

/// How a picture is cut into strips of rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Strips {
    height: i64,
    own_rows: i64, // a multiple of `grain`
    margin: i64,   // a multiple of `grain`
    grain: i64,    // rows of the picture in one row of the deepest layer
}

struct Strip {
    own: Range<i64>,
    seen: Range<i64>,
}

impl Strips {
    /// Strips of about `rows` rows with their margins, for pictures of this height and a VGG network up to `deepest`; `None` for
    /// other networks, which look too far around.
    pub fn of_rows(rows: i64, height: i64, deepest: Layer, layers: &[Layer]) -> Option<Self> {
        let (deepest_block, _) = deepest.vgg_place()?;
        let grain = 1 << (deepest_block - 1);
        let reach: i64 = layers
            .iter()
            .map(|layer| {
                let (block, index) = layer.vgg_place()?;
                // Its own convolution, and the pooling before it.
                let pooling = if index == 1 && block > 1 { 1 << (block - 2) } else { 0 };
                Some((1 << (block - 1)) + pooling)
            })
            .sum::<Option<i64>>()?;
        let margin = reach.div_euclid(grain) * grain + grain;
        let own_rows = ((rows - 2 * margin) / grain * grain).max(grain);
        Some(Self { height, own_rows, margin, grain })
    }

    fn iter(&self) -> impl Iterator<Item = Strip> {
        let count = (self.height / self.own_rows).max(1);
        (0..count).map(move |place| {
            let start = place * self.own_rows;
            // What is left over goes to the last.
            let end = if place + 1 == count { self.height } else { start + self.own_rows };
            let seen = (start - self.margin).max(0)..(end + self.margin).min(self.height);
            Strip { own: start..end, seen }
        })
    }
}

impl Strip {
    fn rows_of(&self, picture: &Tensor) -> Tensor {
        picture.narrow(2, self.seen.start, self.seen.end - self.seen.start)
    }

    /// The strip's own rows of a layer: in the whole picture's features, of which there are `whole` rows, and in the strip's.
    fn own_rows(&self, layer: Layer, whole: i64, height: i64) -> (Range<i64>, i64) {
        let (block, _) = layer.vgg_place().expect("strips are for VGG");
        let scale = 1 << (block - 1);
        let end = if self.own.end == height { whole } else { self.own.end / scale };
        let start = self.own.start / scale;
        (start..end, start - self.seen.start / scale)
    }
}

/// Some rows of `[n, c, h, w]`.
fn rows(x: &Tensor, start: i64, count: i64) -> Tensor {
    x.narrow(2, start, count)
}

fn length(range: &Range<i64>) -> i64 {
    range.end - range.start
}

/// Rows of a layer's features of a picture of that height.
fn feature_rows(layer: Layer, height: i64) -> i64 {
    let (block, _) = layer.vgg_place().expect("strips are for VGG");
    (1..block).fold(height, |rows, _| rows / 2)
}

impl PerceptualLoss {
    /// How pictures of this height are cut into strips of about `rows` rows; `None` where the loss cannot be summed up over strips:
    /// networks other than VGG, statistics that are not of moments, and normalised gradients.
    pub fn strips(&self, rows: i64, height: i64) -> Option<Strips> {
        let deepest = self.spec.layers().into_iter().max()?;
        if !self.target.is_of_moments() || self.spec.normalize_gradients {
            return None;
        }
        let layers: Vec<Layer> = self.network.arch().layers().take_while(|&layer| layer <= deepest).collect();
        Strips::of_rows(rows, height, deepest, &layers)
    }

    /// [`PerceptualLoss::content_target`], strip by strip.
    pub fn content_target_in_strips(
        &self,
        photo_byte_rgb: &Tensor,
        strips: &Strips,
        precision: Precision,
    ) -> ContentTarget {
        let layers: Vec<Layer> = self.spec.content_layers.layers().collect();
        let mut parts: BTreeMap<Layer, Vec<Tensor>> = BTreeMap::new();
        tch::no_grad(|| {
            for strip in strips.iter() {
                let seen = strip.rows_of(photo_byte_rgb);
                for (layer, features) in self.network.features_in(&seen, &layers, precision) {
                    let (own, first) =
                        strip.own_rows(layer, feature_rows(layer, strips.height), strips.height);
                    parts.entry(layer).or_default().push(rows(&features, first, length(&own)).copy());
                }
            }
            ContentTarget(parts.into_iter().map(|(layer, parts)| (layer, Tensor::cat(&parts, 2))).collect())
        })
    }

    /// [`PerceptualLoss::evaluate_against`], strip by strip.
    ///
    /// # Panics
    /// As that, or if the strips are for another height.
    pub fn evaluate_in_strips(
        &self,
        painted_byte_rgb: &Tensor,
        content: &ContentTarget,
        strips: &Strips,
        precision: Precision,
    ) -> (LossTerms, Tensor) {
        assert_eq!(painted_byte_rgb.size()[2], strips.height, "strips and the picture's height");
        tch::no_grad(|| {
            let (losses, slopes) = self.sums_over_strips(painted_byte_rgb, content, strips, precision);
            let (content_losses, style_losses) = losses;
            let (surface, mut gradient) = self.surface_and_gradient(painted_byte_rgb);
            let terms = self.weigh(content_losses, style_losses, surface);
            for strip in strips.iter() {
                let of_strip =
                    self.gradient_of_strip(painted_byte_rgb, content, strips, precision, &strip, &slopes);
                let mut seen = strip.rows_of(&gradient);
                seen += of_strip;
            }
            gradient = gradient.contiguous();
            (terms, gradient)
        })
    }

    /// The guides of a layer's regions, whole, for features of this shape.
    fn guides(&self, layer: Layer, whole: &Tensor) -> Vec<Option<Tensor>> {
        self.target.layer(layer).map(|(region, _)| region.guide_for(whole)).collect()
    }

    fn sums_over_strips(
        &self,
        painted: &Tensor,
        content: &ContentTarget,
        strips: &Strips,
        precision: Precision,
    ) -> (LayerLosses, Slopes) {
        let mut content_sums: BTreeMap<Layer, Tensor> = BTreeMap::new();
        let mut moments: BTreeMap<Layer, Vec<Option<MomentSums>>> = BTreeMap::new();
        let mut guides: BTreeMap<Layer, Vec<Option<Tensor>>> = BTreeMap::new();
        let mut shapes: BTreeMap<Layer, [i64; 3]> = BTreeMap::new(); // channels, rows, columns
        for strip in strips.iter() {
            let features = self.network.features_in(&strip.rows_of(painted), &self.spec.layers(), precision);
            for (layer, features) in features {
                let whole_rows = feature_rows(layer, strips.height);
                let (own, first) = strip.own_rows(layer, whole_rows, strips.height);
                let features = rows(&features, first, length(&own));
                let (_, channels, _, columns) = features.size4().expect("features have four dimensions");
                shapes.insert(layer, [channels, whole_rows, columns]);
                if let Some(photo) = content.0.get(&layer) {
                    let difference = &features - rows(photo, own.start, length(&own));
                    let sum = difference.to_kind(Kind::Float).square().sum(Kind::Float);
                    content_sums.entry(layer).and_modify(|sums| *sums += &sum).or_insert(sum);
                }
                if !self.spec.style_layers.contains(layer) {
                    continue;
                }
                let guides = guides.entry(layer).or_insert_with(|| {
                    let like = (features.kind(), features.device());
                    self.guides(layer, &Tensor::empty([1, 1, whole_rows, columns], like))
                });
                let sums = moments.entry(layer).or_insert_with(|| guides.iter().map(|_| None).collect());
                let targets = self.target.layer(layer).map(|(_, targets)| targets);
                for ((sum, guide), targets) in sums.iter_mut().zip(guides.iter()).zip(targets) {
                    let guide = guide.as_ref().map(|guide| rows(guide, own.start, length(&own)));
                    let own = MomentSums::of(&features.contiguous(), guide.as_ref(), look_at_mean(targets));
                    *sum = Some(match sum.take() {
                        Some(sum) => sum.plus(own),
                        None => own,
                    });
                }
            }
        }
        let n = painted.size()[0];
        let content = content_sums
            .into_iter()
            .map(|(layer, sum)| {
                let [c, h, w] = shapes[&layer];
                (layer, sum * self.spec.content_reduction.factor((n * c * h * w) as usize))
            })
            .collect();
        let mut style = Vec::new();
        let mut slopes: Slopes = BTreeMap::new();
        for (layer, sums) in moments {
            let [channels, h, w] = shapes[&layer];
            let guides = guides.remove(&layer).expect("made with the sums");
            let mut loss = Tensor::from(0f32).to_device(painted.device());
            let regions =
                self.target.layer(layer).zip(sums).zip(guides).map(|(((_, targets), sums), guide)| {
                    let count = guide.as_ref().map_or((h * w) as f64, counted_pixels);
                    let sums = sums.expect("every strip has pixels");
                    let (of_region, slopes) = loss_of_moments(targets, sums, count, channels);
                    loss += of_region;
                    (slopes, guide)
                });
            slopes.insert(layer, regions.collect());
            style.push((layer, loss));
        }
        ((content, style), slopes)
    }

    /// The gradient that a strip's own features have, in all rows that it sees.
    fn gradient_of_strip(
        &self,
        painted: &Tensor,
        content: &ContentTarget,
        strips: &Strips,
        precision: Precision,
        strip: &Strip,
        slopes: &Slopes,
    ) -> Tensor {
        let weights = self.spec.weights;
        let recording = self.network.record(&strip.rows_of(painted), &self.spec.layers(), precision);
        recording.backward(|layer, features, gradient| {
            let photo = content.0.get(&layer);
            if photo.is_none() && !slopes.contains_key(&layer) {
                return gradient;
            }
            let whole_rows = feature_rows(layer, strips.height);
            let (own, first) = strip.own_rows(layer, whole_rows, strips.height);
            let own_features = rows(features, first, length(&own)).contiguous();
            let mut own_gradient = own_features.zeros_like();
            if let Some(photo) = photo {
                let (n, c, _, w) = features.size4().expect("features have four dimensions");
                let factor = self.spec.content_reduction.factor((n * c * whole_rows * w) as usize);
                let weight = 2.0 * factor * weights.content * self.spec.content_layers.weight(layer);
                own_gradient += (&own_features - rows(photo, own.start, length(&own))) * weight;
            }
            let weight = weights.style * self.spec.style_layers.weight(layer);
            for (slopes, guide) in slopes.get(&layer).into_iter().flatten() {
                let guide = guide.as_ref().map(|guide| rows(guide, own.start, length(&own)));
                own_gradient = slopes.add(own_gradient, &own_features, guide.as_ref(), weight);
            }
            let gradient = gradient.unwrap_or_else(|| features.zeros_like());
            let mut place = rows(&gradient, first, length(&own));
            place += own_gradient;
            Some(gradient)
        })
    }
}

/// Content losses and style losses by layer.
type LayerLosses = (Vec<(Layer, Tensor)>, Vec<(Layer, Tensor)>);

/// For each style layer and each region the slopes along its sums, and its guide.
type Slopes = BTreeMap<Layer, Vec<(MomentSlopes, Option<Tensor>)>>;

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use rand::SeedableRng as _;
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::loss::drawn::{network, photo};
    use crate::loss::{LossWeights, PerceptualLossSpec, StyleRegion, WeightedPainting};
    use crate::lossnet::Arch;
    use crate::space::LossInputSpace;

    #[test]
    fn strips_cover_every_row_once_and_see_what_the_deepest_layer_does() {
        let deepest: Layer = "relu3_1".parse().unwrap();
        let layers: Vec<Layer> = Arch::Vgg19.layers().take_while(|&layer| layer <= deepest).collect();
        let strips = Strips::of_rows(72, 203, deepest, &layers).unwrap();
        assert_eq!((strips.grain, strips.margin), (4, 16), "1 + 1 + (1 + 2) + 2 + (2 + 4) = 13");
        let mut next = 0;
        for strip in strips.iter() {
            assert_eq!(strip.own.start, next);
            assert!(strip.own.start % 4 == 0 && strip.seen.start % 4 == 0);
            assert!(strip.seen.start == 0 || strip.seen.start + 16 == strip.own.start);
            next = strip.own.end;
        }
        assert_eq!(next, 203);
    }

    #[test]
    fn in_strips_the_loss_and_its_gradient_are_those_of_the_whole() {
        let rng = RefCell::new(ChaCha8Rng::seed_from_u64(6));
        // The painting has fewer pixels than relu3_1 channels: along what it never shows, the roots of its covariance are those of
        // rounding, and with them the Wasserstein distance and its gradient.
        for (statistics, tolerance) in [("gram", 1e-4), ("gram,mean-std=0.5", 1e-4), ("gaussian-w2", 4e-3)] {
            for is_guided in [false, true] {
                let spec = PerceptualLossSpec {
                    weights: LossWeights { content: 1.0, style: 1e3, total_variation: 0.1 },
                    content_layers: "relu2_2".parse().unwrap(),
                    style_layers: "relu1_1,relu2_1=2,relu3_1".parse().unwrap(),
                    style_statistics: statistics.parse().unwrap(),
                    ..PerceptualLossSpec::default()
                };
                let network = network(&rng, Arch::Vgg19, LossInputSpace::oxford_bgr(), &spec.layers());
                let drawn = |size| photo(&mut rng.borrow_mut(), size);
                let guide = is_guided.then(|| drawn([1, 3, 101, 30]).narrow(1, 0, 1) / 255.0);
                let paintings = vec![WeightedPainting::whole(drawn([1, 3, 40, 40]), 1.0)];
                let loss =
                    PerceptualLoss::with_regions(spec, network, vec![StyleRegion { paintings, guide }]);
                let (shown, painted) = (drawn([1, 3, 101, 30]), drawn([1, 3, 101, 30]));
                let strips = loss.strips(56, 101).unwrap();
                assert!(strips.iter().count() >= 3);

                let whole = loss.content_target(&shown, Precision::F32);
                let content = loss.content_target_in_strips(&shown, &strips, Precision::F32);
                for (layer, features) in &whole.0 {
                    assert!(features.allclose(&content.0[layer], 1e-5, 1e-4, false), "{layer}");
                }
                let (terms, gradient) = loss.evaluate_against(&painted, &whole, Precision::F32);
                let (found, found_gradient) =
                    loss.evaluate_in_strips(&painted, &content, &strips, Precision::F32);
                let [expected, found] = [terms, found].map(|terms| terms.values(loss.spec()));
                let off = (found.style / expected.style - 1.0)
                    .abs()
                    .max((found.total / expected.total - 1.0).abs());
                assert!(off < tolerance / 10.0, "{statistics}: {found:?} {expected:?}");
                assert!((found.content / expected.content - 1.0).abs() < 1e-5);
                let error = (&found_gradient - &gradient).norm().double_value(&[]);
                let size = gradient.norm().double_value(&[]);
                assert!(error < tolerance * size, "{statistics} guided {is_guided}: {error} of {size}");
            }
        }
    }
}
