//! The pictures, and what becomes of them at each size.

use pixel::{Filter, Grey, Picture};
use tch::{Device, Kind, Tensor};

use super::Colours;
use crate::colour_match::ColourStatistics;
use crate::space::byte_rgb_from_picture;

/// The pictures to go by.
pub struct GatysInputs {
    /// What the result should show; without it, it shows nothing but texture.
    pub content: Option<Picture>,
    /// What it should be painted like.
    pub styles: Vec<GatysStyle>,
    /// The hole to fill: white is painted, what is black stays as it is in the photo, bit for bit at the photo's own size. Of the photo's size. The styles are then
    /// looked at outside of the hole, where one of them is the photo.
    pub hole: Option<Grey>,
    /// Size of the result where there is no photo; the first painting's without it.
    pub size: Option<(u32, u32)>,
}

/// A painting.
pub struct GatysStyle {
    /// The picture.
    pub picture: Picture,
    /// How much it counts beside the others of the same mask, above 0.
    pub weight: f64,
    /// Where it paints: white does, black does not. Of the photo's size. Without it, everywhere.
    pub mask: Option<Grey>,
    /// Whether it is the photo with the hole, which is not to be learnt from.
    pub has_hole: bool,
}

impl GatysInputs {
    /// The size of the result whose longest side is to be `long_side_px` at most; 0 for as large as the photo.
    pub(super) fn result_size(&self, long_side_px: u32) -> Option<(u32, u32)> {
        let own = match (&self.content, self.size, self.styles.first()) {
            (Some(content), ..) => (content.width(), content.height()),
            (None, Some(size), _) => size,
            (None, None, Some(style)) => (style.picture.width(), style.picture.height()),
            (None, None, None) => return None,
        };
        let scale = f64::from(long_side_px) / f64::from(own.0.max(own.1));
        Some(if long_side_px == 0 || scale >= 1.0 { own } else { scaled(own, scale) })
    }
}

/// `size` with both sides times `scale`, at least one pixel.
pub(super) fn scaled((width, height): (u32, u32), scale: f64) -> (u32, u32) {
    let side = |side: u32| ((f64::from(side) * scale).round() as u32).max(1);
    (side(width), side(height))
}

/// A picture at a size, as `byte_rgb` `[1, 3, height, width]`.
pub(super) fn at_size(picture: &Picture, (width, height): (u32, u32), device: Device) -> Tensor {
    let resized = if (picture.width(), picture.height()) == (width, height) {
        picture.clone()
    } else {
        picture.resize(width, height, Filter::Lanczos3).expect("both sides are at least one pixel")
    };
    byte_rgb_from_picture(&resized, device)
}

/// A mask at a size, `[1, 1, height, width]` from 0 to 1.
pub(super) fn guide_at_size(mask: &Grey, (width, height): (u32, u32), device: Device) -> Tensor {
    let resized = mask.resize(width, height, Filter::Bilinear).expect("both sides are at least one pixel");
    let values = Tensor::from_slice(resized.values()).view([1, 1, i64::from(height), i64::from(width)]);
    (values.to_kind(Kind::Float) / 255.0).to_device(device)
}

/// The size at which a painting is looked at: `style_scale` times the result's long side, but never enlarged.
pub(super) fn style_size(picture: &Picture, result: (u32, u32), style_scale: f64) -> (u32, u32) {
    let own = (picture.width(), picture.height());
    let scale = style_scale * f64::from(result.0.max(result.1)) / f64::from(own.0.max(own.1));
    if scale >= 1.0 { own } else { scaled(own, scale) }
}

/// Light and dark alone: luma in all three channels, `[1, 3, h, w]`.
pub(super) fn luma(byte_rgb: &Tensor) -> Tensor {
    let weights = Tensor::from_slice(&crate::photo_colours::LUMA_WEIGHTS).view([1, 3, 1, 1]);
    let weights = weights.to_device(byte_rgb.device()).to_kind(byte_rgb.kind());
    (byte_rgb * weights)
        .sum_dim_intlist([1i64].as_slice(), true, None::<Kind>)
        .expand([1, 3, -1, -1], true)
        .contiguous()
}

/// A painting's `byte_rgb` with the colours it is to be looked at with.
pub(super) fn recoloured(
    painting: &Tensor,
    picture: &Picture,
    content: Option<(&Picture, &Tensor)>,
    colours: Colours,
) -> Tensor {
    let Some((content, content_byte_rgb)) = content else { return painting.shallow_clone() };
    match colours {
        Colours::Style => painting.shallow_clone(),
        Colours::Matched(method) => {
            let of =
                |picture: &Picture| ColourStatistics::of_pixels(picture.rgb()).expect("a picture has pixels");
            match method.transfer(&of(picture), &of(content)) {
                Some(transfer) => transfer.apply(painting),
                None => painting.shallow_clone(),
            }
        }
        // The painting's luma gets the mean and deviation of the photo's, else a dark painting could not be matched.
        Colours::Luminance => {
            let (style, photo) = (luma(painting), luma(content_byte_rgb));
            let (mean, deviation) =
                (|x: &Tensor| x.mean(Kind::Float), |x: &Tensor| x.std(/*unbiased=*/ true));
            (&style - mean(&style)) * (deviation(&photo) / deviation(&style).clamp_min(1.0)) + mean(&photo)
        }
    }
}
