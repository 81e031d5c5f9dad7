//! The matting Laplacian: how far a picture is from being, in each small window, an affine function of the photo's colours.
//!
//! Levin, Lischinski and Weiss 2008 (closed-form matting, <https://doi.org/10.1109/TPAMI.2007.1177>, equation 12), as Luan et
//! al. 2017 (Deep Photo Style Transfer, <https://arxiv.org/abs/1703.07511>, equation 2) use it: what a photo shows straight
//! and even stays so, and only colours move.

mod bands;
#[cfg(test)]
mod tests;

use tch::{Kind, Tensor};

use bands::Band;

/// 27 planes of so many windows, in f64, take a few megabytes, whatever the photo's size.
const WINDOWS_AT_ONCE: i64 = 1 << 14;

/// The matrix M of one photo, `[pixels, pixels]`, of which a row has 25 entries: those of the 5x5 pixels around its own.
///
/// Its rows sum to 0. So only what lies off its diagonal is kept, `w_ij = -M_ij`, and it is applied to differences of
/// pixels: `(M v)_i = sum over j of w_ij (v_i - v_j)`. Rounding to f32 then leaves it symmetric and constants free. It takes
/// 48 bytes for each pixel.
pub struct MattingLaplacian {
    height: i64,
    width: i64,
    bands: Vec<Band>,
}

impl MattingLaplacian {
    /// Epsilon as Levin et al. and Luan et al. choose it.
    pub const EPSILON: f64 = 1e-7;

    /// Of a photo `[1, 3, h, w]`, over all windows of 3x3 pixels that lie within it. `epsilon`, in squares of unit RGB,
    /// draws the affine functions towards constants; in even areas of the photo it decides.
    ///
    /// A photo with a side below 3 has no window, and its matrix is 0.
    ///
    /// # Panics
    /// If the photo has another shape or `epsilon` is not above 0.
    pub fn of(photo_byte_rgb: &Tensor, epsilon: f64) -> Self {
        let (count, channels, height, width) = photo_byte_rgb.size4().expect("byte_rgb has four dimensions");
        assert_eq!((count, channels), (1, 3), "one photo of three channels");
        assert!(epsilon > 0.0, "epsilon {epsilon}, expected above 0");
        // Window covariances are differences of 1e-8 and less between values of 1: in f64.
        let unit_rgb = photo_byte_rgb.detach().select(0, 0).to_kind(Kind::Double) / 255.0;
        let bands = tch::no_grad(|| bands::of_unit_rgb(&unit_rgb, epsilon, WINDOWS_AT_ONCE));
        Self { height, width, bands }
    }

    /// `M v` for each plane v of `planes` `[n, c, h, w]`.
    ///
    /// # Panics
    /// If the planes are not of the photo's size.
    pub fn apply(&self, planes: &Tensor) -> Tensor {
        let (_, _, height, width) = planes.size4().expect("planes have four dimensions");
        assert_eq!((height, width), (self.height, self.width), "planes of the photo's size");
        tch::no_grad(|| {
            let result = planes.zeros_like();
            for band in &self.bands {
                band.add_to(&result, planes);
            }
            result
        })
    }

    /// How unlike the photo `byte_rgb` `[1, 3, h, w]` is: `v^T M v`, summed over the three channels v in unit RGB and divided
    /// by the number of pixels, so that its weight means the same at every size; an f64 scalar. With it `weight` times the
    /// gradient with respect to `byte_rgb`.
    ///
    /// # Panics
    /// As [`MattingLaplacian::apply`].
    pub fn energy_and_gradient(&self, byte_rgb: &Tensor, weight: f64) -> (Tensor, Tensor) {
        let pixels = (self.height * self.width) as f64;
        let byte_rgb = byte_rgb.detach();
        let product = self.apply(&byte_rgb);
        let energy = (byte_rgb.to_kind(Kind::Double) * &product).sum(Kind::Double) / (255.0 * 255.0 * pixels);
        (energy, product * (2.0 * weight / (255.0 * 255.0 * pixels)))
    }
}
