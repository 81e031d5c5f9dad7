//! Colours moved to other colours' mean and covariance, as a whole: what of a painting is hue is taken from it, what is
//! brushwork stays.
//!
//! Gatys, Bethge, Hertzmann and Shechtman 2016, "Preserving Color in Neural Artistic Style Transfer", section 4.1: each
//! pixel `p` becomes `A p + b`, so that the painting's mean and covariance become the photos'. Many `A` do that; the
//! paper names two of the three here.

use serde::{Deserialize, Serialize};
use tch::Tensor;

/// How colours are moved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColourMatch {
    /// Not at all.
    #[default]
    None,
    /// By the Cholesky factors of the covariances, `A = L_to L_from^-1`: red goes by red alone, green by red and green,
    /// blue by all three.
    Cholesky,
    /// By their symmetric square roots, `A = S_to S_from^-1` (Hertzmann's image analogies): no channel comes before another.
    Symmetric,
    /// By `A = S_from^-1 (S_from C_to S_from)^½ S_from^-1`, with the root `S` and the covariance `C`: the optimal transport between
    /// Gaussians (Olkin and Pukelsheim 1982), which moves colours the least of all.
    OptimalTransport,
}

/// Mean and covariance of colours, in `byte_rgb`: levels and levels squared.
#[derive(Clone, Debug, PartialEq)]
pub struct ColourStatistics {
    /// Of red, green and blue.
    pub mean: [f64; 3],
    /// Between each two of them.
    pub covariance: [[f64; 3]; 3],
}

/// Sums over pixels from which [`ColourStatistics`] are made; exact, so that the order of pictures does not matter.
#[derive(Clone, Debug, Default)]
pub struct ColourSums {
    pixels: u64,
    values: [u64; 3],
    products: [[u64; 3]; 3],
}

/// `A p + b` for a pixel `p`, in `byte_rgb`.
#[derive(Clone, Debug, PartialEq)]
pub struct ColourTransfer {
    matrix: [[f64; 3]; 3],
    offset: [f64; 3],
}

/// Variances below this, in levels squared, count as this. Along a colour in which a picture varies by less than a level
/// there is only noise, which would be blown up to what another picture shows there: grey photos have two such colours.
const LEAST_VARIANCE: f64 = 1.0;

impl ColourSums {
    /// Takes in the pixels of a picture, `[.., 3]` bytes.
    pub fn add(&mut self, interleaved: &[u8]) {
        let pixels = interleaved.as_chunks::<3>().0;
        self.pixels += pixels.len() as u64;
        for pixel in pixels {
            let pixel = pixel.map(u64::from);
            for (channel, &value) in pixel.iter().enumerate() {
                self.values[channel] += value;
                for (product, other) in self.products[channel].iter_mut().zip(pixel) {
                    *product += value * other;
                }
            }
        }
    }

    /// The statistics of all pixels so far; `None` of none.
    pub fn statistics(&self) -> Option<ColourStatistics> {
        let count = (self.pixels > 0).then_some(self.pixels as f64)?;
        let mean = self.values.map(|sum| sum as f64 / count);
        let covariance = std::array::from_fn(|i| {
            std::array::from_fn(|j| self.products[i][j] as f64 / count - mean[i] * mean[j])
        });
        Some(ColourStatistics { mean, covariance })
    }
}

impl ColourStatistics {
    /// Of the pixels of one picture, `[.., 3]` bytes; `None` of none.
    pub fn of_pixels(interleaved: &[u8]) -> Option<Self> {
        let mut sums = ColourSums::default();
        sums.add(interleaved);
        sums.statistics()
    }
}

impl ColourMatch {
    /// The transfer that gives colours of the statistics `from` the mean and covariance of `to`; `None` if nothing is to be
    /// done.
    pub fn transfer(self, from: &ColourStatistics, to: &ColourStatistics) -> Option<ColourTransfer> {
        let [from_axes, to_axes] = [from, to].map(|statistics| principal_axes(&statistics.covariance));
        let matrix = match self {
            Self::None => return None,
            Self::Symmetric => root(&to_axes).matmul(&root(&from_axes).inverse()),
            Self::Cholesky => {
                let factor = |axes| covariance(axes).linalg_cholesky(/* upper = */ false);
                factor(&to_axes).matmul(&factor(&from_axes).inverse())
            }
            Self::OptimalTransport => {
                let from_root = root(&from_axes);
                let inverse = from_root.inverse();
                let between = from_root.matmul(&covariance(&to_axes)).matmul(&from_root);
                let (variances, axes) = between.linalg_eigh("L");
                inverse.matmul(&root(&(variances.clamp_min(0.0), axes))).matmul(&inverse)
            }
        };
        let matrix = rows(&matrix);
        let moved = multiply(&matrix, from.mean);
        Some(ColourTransfer { matrix, offset: std::array::from_fn(|i| to.mean[i] - moved[i]) })
    }
}

impl ColourTransfer {
    /// Moves the colours of `byte_rgb` `[n, 3, h, w]`; they may then leave 0..255.
    pub fn apply(&self, byte_rgb: &Tensor) -> Tensor {
        let like = |values: &[f64], shape: &[i64]| {
            Tensor::from_slice(values).view(shape).to_kind(byte_rgb.kind()).to_device(byte_rgb.device())
        };
        let matrix = like(self.matrix.as_flattened(), &[3, 3]);
        let offset = like(&self.offset, &[1, 3, 1, 1]);
        Tensor::einsum("ij,njhw->nihw", &[&matrix, byte_rgb], None::<i64>) + offset
    }
}

/// The variances along the principal axes, `[3]`, none below [`LEAST_VARIANCE`], and the axes as columns, `[3, 3]`; f64,
/// on the CPU.
fn principal_axes(covariance: &[[f64; 3]; 3]) -> (Tensor, Tensor) {
    let covariance = Tensor::from_slice(covariance.as_flattened()).view([3, 3]);
    let (variances, axes) = covariance.linalg_eigh("L");
    (variances.clamp_min(LEAST_VARIANCE), axes)
}

/// The symmetric square root of the covariance with these variances along these axes.
fn root((variances, axes): &(Tensor, Tensor)) -> Tensor {
    axes.matmul(&variances.sqrt().diag(0)).matmul(&axes.tr())
}

/// The covariance with these variances along these axes.
fn covariance((variances, axes): &(Tensor, Tensor)) -> Tensor {
    axes.matmul(&variances.diag(0)).matmul(&axes.tr())
}

fn rows(matrix: &Tensor) -> [[f64; 3]; 3] {
    let at = |i: usize, j: usize| matrix.double_value(&[i as i64, j as i64]);
    std::array::from_fn(|i| std::array::from_fn(|j| at(i, j)))
}

fn multiply(matrix: &[[f64; 3]; 3], vector: [f64; 3]) -> [f64; 3] {
    matrix.map(|row| row.iter().zip(vector).map(|(a, b)| a * b).sum())
}

#[cfg(test)]
mod tests;
