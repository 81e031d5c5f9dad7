//! Mean and second moment of features: all that the Gram matrix and its relatives look at.

use tch::{Kind, Tensor};

use crate::channels_last::{pixel_sums, pixels};

/// Added to variances before the root is taken, whose slope at 0 has no end.
const LEAST_VARIANCE: f64 = 1e-5;

/// Moments of features over the pixels of a picture, or of the part of it that a guide shows.
pub(in crate::loss) struct Moments {
    /// `[n, c, 1]`.
    pub(in crate::loss) mean: Tensor,
    /// Of the products of channels, not centred: `[n, c, c]`.
    pub(in crate::loss) second: Tensor,
}

impl Moments {
    /// Of features `[n, c, h, w]`, where a pixel counts the square of the guide `[1, 1, h, w]`; differentiable.
    pub(super) fn of(features: &Tensor, guide: Option<&Tensor>) -> Self {
        let f = features.flatten(2, 3); // [n, c, h*w]
        match guide {
            None => {
                let pixels = f.size()[2] as f64;
                Self {
                    mean: f.mean_dim([2i64].as_slice(), /*keepdim=*/ true, None::<Kind>),
                    second: f.bmm(&f.transpose(1, 2)) / pixels,
                }
            }
            Some(guide) => {
                let counts = guide.square().flatten(2, 3); // [1, 1, h*w]
                let pixels = counts.sum(Kind::Float);
                let counted = &f * counts;
                Self {
                    mean: counted.sum_dim_intlist([2i64].as_slice(), true, None::<Kind>) / &pixels,
                    second: counted.bmm(&f.transpose(1, 2)) / &pixels,
                }
            }
        }
    }

    /// `[n, 2, c]`: the mean of each channel and its standard deviation.
    pub(super) fn mean_and_deviation(&self) -> Tensor {
        let mean = self.mean.squeeze_dim(2);
        // What rounding takes below zero was zero.
        let variance: Tensor = self.second.diagonal(0, 1, 2) - mean.square();
        let deviation = (variance.clamp_min(0.0) + LEAST_VARIANCE).sqrt();
        Tensor::stack(&[mean, deviation], 1)
    }

    /// `[n, c, c]`.
    pub(super) fn covariance(&self) -> Tensor {
        &self.second - self.mean.bmm(&self.mean.transpose(1, 2))
    }
}

/// Moments before they are divided by the number of pixels, by hand: in any precision, accumulated in f32; nothing of it can be
/// differentiated. Those over parts of a picture add up to those over all of it.
pub(in crate::loss) struct MomentSums {
    /// `[n, c, c]`.
    pub(in crate::loss) second: Tensor,
    /// `[n, c, 1]`, where anybody looks at it: it takes a pass of its own over the features.
    pub(in crate::loss) first: Option<Tensor>,
}

impl MomentSums {
    /// Over features `[n, c, h, w]`, where a pixel counts the square of the guide `[1, 1, h, w]`.
    pub(in crate::loss) fn of(features: &Tensor, guide: Option<&Tensor>, with_first: bool) -> Self {
        let guided = guide.map(|guide| features * guide);
        let first = with_first.then(|| {
            let sums = match (&guided, guide) {
                (Some(guided), Some(guide)) => pixel_sums(&(guided * guide)),
                _ => pixel_sums(features),
            };
            sums.flatten(2, 3)
        });
        Self { second: accumulated_products(guided.as_ref().unwrap_or(features)), first }
    }

    /// The sums over both of two parts.
    pub(in crate::loss) fn plus(self, other: Self) -> Self {
        let first = self.first.zip(other.first).map(|(one, other)| one + other);
        Self { second: self.second + other.second, first }
    }
}

/// `F Fᵀ` of features `[n, c, h, w]`: `[n, c, c]`, f32.
fn accumulated_products(features: &Tensor) -> Tensor {
    /// Pixels of which the products are summed up before the sum is rounded to the features' precision.
    const PIXELS: i64 = 256;
    let f = pixels(features); // [n, h*w, c]
    if f.kind() == Kind::Float {
        return f.transpose(1, 2).bmm(&f);
    }
    if f.device().is_cuda()
        && let Ok(products) = f.transpose(1, 2).f_bmm_dtype(&f, Kind::Float)
    {
        return products;
    }
    // Where a product of bf16 matrices cannot be had in f32, it is taken in parts that are summed up in f32.
    let (n, count, c) = f.size3().expect("three dimensions");
    let parts = count / PIXELS;
    let products_of_parts = |f: &Tensor, parts: i64| {
        let f = f.reshape([n * parts, -1, c]);
        let products = f.transpose(1, 2).bmm(&f).view([n, parts, c, c]);
        products.to_kind(Kind::Float).sum_dim_intlist([1i64].as_slice(), /*keepdim=*/ false, Kind::Float)
    };
    let rest = count - parts * PIXELS;
    match (parts, rest) {
        (0, _) => products_of_parts(&f, 1),
        (_, 0) => products_of_parts(&f, parts),
        _ => {
            products_of_parts(&f.narrow(1, 0, count - rest), parts)
                + products_of_parts(&f.narrow(1, count - rest, rest), 1)
        }
    }
}
