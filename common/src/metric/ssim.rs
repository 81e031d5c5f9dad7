//! Structural similarity (Wang, Bovik, Sheikh and Simoncelli, "Image Quality Assessment: From Error Visibility to
//! Structural Similarity", IEEE Transactions on Image Processing 13(4), 2004).

use tch::{Kind, Tensor};

/// Pixels a side of the window, and so the shortest side of a picture that can be judged.
const WINDOW: i64 = 11;
/// Standard deviation of the window, in pixels.
const SIGMA: f64 = 1.5;
/// The paper's K1 and K2 times the range of the values, squared: they keep the quotients finite.
const C1: f64 = (0.01 * 255.0) * (0.01 * 255.0);
const C2: f64 = (0.03 * 255.0) * (0.03 * 255.0);

/// The luma (ITU-R BT.601) of `byte_rgb` `[n, 3, h, w]`, `[n, 1, h, w]` in 0..255: what [`ssim`] is taken of.
pub fn luma(byte_rgb: &Tensor) -> Tensor {
    let weights = Tensor::from_slice(&[0.299, 0.587, 0.114]).to_device(byte_rgb.device()).view([1, 3, 1, 1]);
    (byte_rgb.to_kind(Kind::Double) * weights).sum_dim_intlist(
        [1].as_slice(),
        /*keepdim=*/ true,
        Kind::Double,
    )
}

/// The mean structural similarity of two pictures of one channel `[n, 1, h, w]` in 0..255, a scalar: 1 for equal
/// ones, about 0 for unlike ones (equations 13 to 17, with the paper's window and constants, population variances, and
/// only where the whole window lies inside the picture). Calculated in f64: variances are small differences of large
/// numbers.
///
/// # Panics
/// If the shapes differ or a side is shorter than the window's 11 pixels.
pub fn ssim(a: &Tensor, b: &Tensor) -> Tensor {
    assert_eq!(a.size(), b.size(), "the pictures' shapes");
    let window = gaussian_window().to_device(a.device());
    let local_mean = |x: &Tensor| {
        let rows = x.conv2d::<Tensor>(&window.view([1, 1, 1, WINDOW]), None, 1, 0, 1, 1);
        rows.conv2d::<Tensor>(&window.view([1, 1, WINDOW, 1]), None, 1, 0, 1, 1)
    };
    let (a, b) = (a.to_kind(Kind::Double), b.to_kind(Kind::Double));
    let (mean_a, mean_b) = (local_mean(&a), local_mean(&b));
    let covariance =
        |x: &Tensor, y: &Tensor, mean_x: &Tensor, mean_y: &Tensor| local_mean(&(x * y)) - mean_x * mean_y;
    let (variance_a, variance_b) =
        (covariance(&a, &a, &mean_a, &mean_a), covariance(&b, &b, &mean_b, &mean_b));
    let luminance: Tensor = (&mean_a * &mean_b * 2.0 + C1) / (mean_a.square() + mean_b.square() + C1);
    let contrast_and_structure: Tensor =
        (covariance(&a, &b, &mean_a, &mean_b) * 2.0 + C2) / (variance_a + variance_b + C2);
    (luminance * contrast_and_structure).mean(Kind::Double)
}

/// `[11]`, of sum 1.
fn gaussian_window() -> Tensor {
    let middle = WINDOW / 2;
    let weights: Vec<f64> =
        (0..WINDOW).map(|place| (-((place - middle) as f64 / SIGMA).powi(2) / 2.0).exp()).collect();
    let sum: f64 = weights.iter().sum();
    Tensor::from_slice(&weights) / sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_like_itself() {
        let picture = Tensor::rand([2, 1, 20, 17], tch::kind::FLOAT_CPU) * 255.0;
        assert!((ssim(&picture, &picture).double_value(&[]) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn two_plain_pictures_differ_by_luminance_only() {
        let plain = |value: f64| Tensor::full([1, 1, 11, 11], value, tch::kind::DOUBLE_CPU);
        let expected = (2.0 * 100.0 * 50.0 + C1) / (100.0 * 100.0 + 50.0 * 50.0 + C1);
        assert!((ssim(&plain(100.0), &plain(50.0)).double_value(&[]) - expected).abs() < 1e-9);
    }

    #[test]
    fn white_has_the_greatest_luma_and_green_counts_most() {
        let colours = Tensor::from_slice(&[255.0f32, 255.0, 255.0]).view([1, 3, 1, 1]);
        assert!((luma(&colours).double_value(&[]) - 255.0).abs() < 1e-9);
        let green = Tensor::from_slice(&[0.0f32, 100.0, 0.0]).view([1, 3, 1, 1]);
        assert!((luma(&green).double_value(&[]) - 58.7).abs() < 1e-9);
    }
}
