//! What of the features of a layer makes the style: the switch between the statistics of the literature.

mod gaussian;
mod moments;
mod names;
mod samples;
mod shifted;

use tch::{Kind, Reduction, Tensor};

pub(super) use moments::{MomentSums, Moments};
pub use names::{ParseStatisticsError, StyleStatistics};
pub use shifted::Shifts;

/// A statistic of features over the places in a picture. Pictures whose statistics agree are painted alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StyleStatistic {
    /// The Gram matrix: what appears together (Gatys et al. 2015; normalised as in Johnson et al. 2016, equation 3).
    Gram,
    /// The mean and standard deviation of each channel (Li et al. 2017, "Demystifying Neural Style Transfer", section 4.2;
    /// Huang and Belongie 2017, equation 12).
    MeanStd,
    /// Mean and covariance, compared as Gaussian distributions by the squared 2-Wasserstein distance: Dowson and Landau 1982,
    /// equation 4.
    GaussianW2,
    /// Gram matrices between the features and the same features moved along: what stands at which distance from what, in both
    /// directions (Berger and Memisevic 2016, "Incorporating Long-Range Consistency", section 3).
    ShiftedGram(Shifts),
    /// The Gram matrix between the features and their mirror image, left and right: symmetry (the same paper, section 3).
    MirroredGram,
    /// The distribution of each channel by itself: the distance to the features after histogram matching (Risser, Wilmot and Barnes
    /// 2017, equation 8, with exact histograms instead of binned ones).
    Histogram,
    /// The distributions along random directions: the sliced Wasserstein distance (Heitz et al. 2021, "A Sliced Wasserstein Loss
    /// for Neural Texture Synthesis", equation 5). As many directions as channels, drawn once and kept, so that the loss is
    /// a function that a line search can trust; the paper draws them anew for each step.
    SlicedWasserstein,
}

impl StyleStatistic {
    /// Whether it is a function of mean and second moment alone, so that it can be summed up over parts of a picture.
    pub fn is_of_moments(&self) -> bool {
        matches!(self, Self::Gram | Self::MeanStd | Self::GaussianW2)
    }

    /// Whether it looks at the mean, of those that are of moments.
    pub(super) fn is_of_mean(&self) -> bool {
        matches!(self, Self::MeanStd | Self::GaussianW2)
    }

    /// The statistic of features `[n, c, h, w]`; its shape is its own business. `guide` `[1, 1, h, w]`, from 0 to 1, says where to
    /// look (Gatys et al. 2016, "Controlling Perceptual Factors", section 4). Differentiable in the features.
    pub fn measure(&self, features: &Tensor, guide: Option<&Tensor>) -> Tensor {
        match self {
            Self::Gram | Self::MeanStd | Self::GaussianW2 => {
                self.measure_moments(&Moments::of(features, guide), features.size()[1])
            }
            Self::ShiftedGram(shifts) => shifted::shifted_grams(features, guide, shifts),
            Self::MirroredGram => shifted::mirrored_gram(features, guide),
            Self::Histogram => samples::sorted_channels(features, guide),
            Self::SlicedWasserstein => samples::sorted_projections(features, guide),
        }
    }

    /// [`StyleStatistic::measure`] from the moments of features of that many channels.
    pub(super) fn measure_moments(&self, moments: &Moments, channels: i64) -> Tensor {
        match self {
            Self::Gram => &moments.second / channels as f64,
            Self::MeanStd => moments.mean_and_deviation(),
            Self::GaussianW2 => gaussian::covariance_and_mean(moments),
            _ => unreachable!("{self:?} is not of moments"),
        }
    }

    /// What is kept of a painting's measure to be compared with.
    pub fn target(&self, measured: Tensor) -> Tensor {
        match self {
            Self::GaussianW2 => gaussian::with_root(&measured),
            _ => measured,
        }
    }

    /// How far a measure is from a [target](StyleStatistic::target), a scalar; differentiable in the measure. But for
    /// [`StyleStatistic::GaussianW2`] the mean squared difference.
    pub fn distance(&self, measured: &Tensor, target: &Tensor) -> Tensor {
        match self {
            Self::GaussianW2 => gaussian::squared_distance(measured, target),
            Self::ShiftedGram(_) => {
                // Large shifts fit into the larger of the two pictures alone.
                let common = measured.size()[1].min(target.size()[1]);
                if common == 0 {
                    return measured.sum(measured.kind()); // none fits, and an empty sum is 0
                }
                mean_squared_difference(&measured.narrow(1, 0, common), &target.narrow(1, 0, common))
            }
            Self::Histogram | Self::SlicedWasserstein => {
                let target = samples::resampled(target, measured.size()[2]);
                mean_squared_difference(measured, &target)
            }
            Self::Gram | Self::MeanStd | Self::MirroredGram => mean_squared_difference(measured, target),
        }
    }

    /// The distance of a picture without any features from a target: the size of the target, in the statistic's own unit.
    pub fn distance_of_nothing(&self, target: &Tensor) -> f64 {
        let distance = match self {
            Self::GaussianW2 => gaussian::squared_size(target),
            _ => target.square().mean(Kind::Double),
        };
        distance.double_value(&[])
    }

    /// Whether the distance is a squared Euclidean one between measures whose shapes do not depend on the picture's size, so that the
    /// weighted sum of distances to several targets is, but for a constant, that to their weighted mean.
    pub(super) fn blends_by_mean(&self) -> bool {
        matches!(self, Self::Gram | Self::MeanStd | Self::MirroredGram)
    }
}

/// One target for all pictures of the batch.
fn mean_squared_difference(measured: &Tensor, target: &Tensor) -> Tensor {
    measured.mse_loss(&target.expand_as(measured), Reduction::Mean)
}

#[cfg(test)]
mod tests;
