//! Value spaces, and the only doors between pictures and tensors.
//!
//! | name in code  | channels | range                     | used by |
//! |---------------|----------|---------------------------|---------|
//! | `byte_rgb`    | R, G, B  | 0..255, float             | the style network's input and output, total variation |
//! | `loss_input`  | as the loss network's weights want | as they want | the loss network's first convolution |
//!
//! All tensors are `[n, 3, height, width]`.

use pixel::Picture;
use serde::{Deserialize, Serialize};
use tch::{Device, Kind, Tensor};

/// One picture as `byte_rgb`, `[1, 3, height, width]`; transparency is left behind.
pub fn byte_rgb_from_picture(picture: &Picture, device: Device) -> Tensor {
    byte_rgb_from_interleaved(picture.rgb(), 1, picture.height(), picture.width(), device)
}

/// Bytes of a picture as `byte_rgb` values, in the same order.
///
/// # Panics
/// If there are more bytes than values.
pub(crate) fn byte_rgb_from_bytes(bytes: &[u8], values: &mut [f32]) {
    for (value, &byte) in values[..bytes.len()].iter_mut().zip(bytes) {
        *value = f32::from(byte);
    }
}

/// Planes of `byte_rgb`, `[3, pixels]`, as interleaved bytes `[pixels, 3]`, rounded to the nearest; what lies outside
/// 0..255 is clamped and NaN becomes 0.
///
/// # Panics
/// If the lengths differ.
pub fn bytes_from_planes(planes: &[f32], bytes: &mut [u8]) {
    assert_eq!(planes.len(), bytes.len(), "as many bytes as values");
    let (red, others) = planes.split_at(planes.len() / 3);
    let (green, blue) = others.split_at(red.len());
    for (pixel, ((&red, &green), &blue)) in
        bytes.as_chunks_mut::<3>().0.iter_mut().zip(red.iter().zip(green).zip(blue))
    {
        *pixel = [red, green, blue].map(byte_from_byte_rgb);
    }
}

/// `count` pictures of one size, stored as `[count, height, width, 3]` bytes, as `byte_rgb`.
///
/// # Panics
/// If `interleaved` does not hold exactly `count * height * width * 3` bytes.
pub fn byte_rgb_from_interleaved(
    interleaved: &[u8],
    count: usize,
    height: u32,
    width: u32,
    device: Device,
) -> Tensor {
    let (height, width) = (i64::from(height), i64::from(width));
    assert_eq!(interleaved.len() as i64, count as i64 * height * width * 3, "bytes of the batch");
    // Bytes cross to the device, not floats: a quarter of the traffic.
    let bytes = Tensor::from_data_size(interleaved, &[count as i64, height, width, 3], Kind::Uint8);
    upload(&bytes, device).permute([0, 3, 1, 2]).to_kind(Kind::Float).contiguous()
}

/// One picture, stored as `[height, width, 3]` bytes, as bytes `[3, height, width]` on the device: a quarter of the memory
/// of `byte_rgb`, for keeping.
///
/// # Panics
/// If `interleaved` does not hold exactly `height * width * 3` bytes.
pub fn kept_bytes_from_interleaved(interleaved: &[u8], height: u32, width: u32, device: Device) -> Tensor {
    let (height, width) = (i64::from(height), i64::from(width));
    assert_eq!(interleaved.len() as i64, height * width * 3, "bytes of the picture");
    let bytes = Tensor::from_data_size(interleaved, &[height, width, 3], Kind::Uint8);
    upload(&bytes, device).permute([2, 0, 1]).contiguous()
}

/// Moves a tensor from the host to the device. To a GPU it goes through pinned memory, so that neither waits for the other;
/// the host's tensor may be dropped at once.
pub fn upload(host: &Tensor, device: Device) -> Tensor {
    match device {
        Device::Cuda(_) => {
            // Where no memory can be pinned the copy is only slower.
            let pinned = host.f_internal_pin_memory(device).unwrap_or_else(|_| host.shallow_clone());
            pinned.to_device_(device, host.kind(), /* non_blocking = */ true, /* copy = */ false)
        }
        _ => host.to_device(device),
    }
}

/// The first picture of a `byte_rgb` batch, rounded to the nearest byte; what lies outside 0..255 is clamped and
/// NaN becomes 0.
///
/// # Panics
/// If the tensor is not `[n >= 1, 3, height >= 1, width >= 1]`.
pub fn picture_from_byte_rgb(byte_rgb: &Tensor) -> Picture {
    let (_, channels, height, width) = byte_rgb.size4().expect("byte_rgb has four dimensions");
    assert_eq!(channels, 3, "byte_rgb has three channels");
    let interleaved = byte_rgb
        .select(0, 0)
        .nan_to_num(0.0, 255.0, 0.0)
        .clamp(0.0, 255.0)
        .round()
        .to_kind(Kind::Uint8)
        .permute([1, 2, 0])
        .contiguous()
        .to_device(Device::Cpu);
    let mut bytes = vec![0; (height * width * 3) as usize];
    let count = bytes.len();
    interleaved.copy_data_u8(&mut bytes, count);
    Picture::from_rgb(width as u32, height as u32, bytes).expect("as many bytes as pixels ask for")
}

/// What shows of a value of `byte_rgb`: itself within 0..255, the nearer end outside, 0 for NaN.
#[inline]
#[expect(clippy::manual_clamp, reason = "clamp would let NaN through, max makes it 0")]
pub fn visible(value: f32) -> f32 {
    value.max(0.0).min(255.0)
}

/// Beside 2^23 a float has no room for fractions: a sum with it is rounded to nearest, ties to even as tensors are, and its
/// last bits are the value. Unlike a call of `round`, this goes eight values at a time.
const NO_FRACTIONS: f32 = 8_388_608.0;

/// One value of `byte_rgb` as a byte, as [`picture_from_byte_rgb`] rounds it.
///
/// This is the only place outside of tensors where values become bytes.
#[inline]
pub fn byte_from_byte_rgb(value: f32) -> u8 {
    (visible(value) + NO_FRACTIONS).to_bits() as u8
}

/// One value of `byte_rgb` in 16 bits, where 255 is 65535: [`byte_from_byte_rgb`] with 257 times finer steps.
#[inline]
pub fn u16_from_byte_rgb(value: f32) -> u16 {
    (visible(value) * 257.0 + NO_FRACTIONS).to_bits() as u16
}

/// The order of colour channels that a loss network's first convolution was trained with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChannelOrder {
    /// Red first (torchvision).
    Rgb,
    /// Blue first (Caffe, the Oxford weights).
    Bgr,
}

/// What a loss network wants at its input: `(byte_rgb in channel_order * scale - mean) / std`.
#[derive(Clone, Debug, PartialEq)]
pub struct LossInputSpace {
    /// Order of the channels, which `mean` and `std` follow.
    pub channel_order: ChannelOrder,
    /// Factor from 0..255 to the range that `mean` and `std` are given in: 1 or 1/255.
    pub scale_from_byte: f64,
    /// Mean of each channel, subtracted.
    pub mean: [f64; 3],
    /// Standard deviation of each channel, divided by.
    pub std: [f64; 3],
}

impl LossInputSpace {
    /// The Oxford group's own: BGR in 0..255 with the training set's mean subtracted (Simonyan and Zisserman 2014).
    pub fn oxford_bgr() -> Self {
        Self {
            channel_order: ChannelOrder::Bgr,
            scale_from_byte: 1.0,
            mean: [103.939, 116.779, 123.68],
            std: [1.0, 1.0, 1.0],
        }
    }

    /// torchvision's: RGB in 0..1, normalised by ImageNet's mean and standard deviation.
    pub fn torchvision_rgb() -> Self {
        Self {
            channel_order: ChannelOrder::Rgb,
            scale_from_byte: 1.0 / 255.0,
            mean: [0.485, 0.456, 0.406],
            std: [0.229, 0.224, 0.225],
        }
    }

    /// Converts `byte_rgb` `[n, 3, h, w]`; differentiable.
    pub fn loss_input_from_byte_rgb(&self, byte_rgb: &Tensor) -> Tensor {
        let ordered = match self.channel_order {
            ChannelOrder::Rgb => byte_rgb.shallow_clone(),
            ChannelOrder::Bgr => byte_rgb.flip([1]),
        };
        let (factor, offset) = self.factor_and_offset();
        let like = (byte_rgb.device(), byte_rgb.kind());
        let (factor, offset) =
            (factor.to_device(like.0).to_kind(like.1), offset.to_device(like.0).to_kind(like.1));
        ordered * factor + offset
    }

    /// `(x * scale - mean) / std` as one multiplication and one addition: `[1, 3, 1, 1]` each, in the channel order,
    /// f32, on the CPU.
    pub(crate) fn factor_and_offset(&self) -> (Tensor, Tensor) {
        let per_channel =
            |values: [f64; 3]| Tensor::from_slice(&values).to_kind(Kind::Float).view([1, 3, 1, 1]);
        let factor = per_channel(self.std.map(|std| self.scale_from_byte / std));
        let offset = per_channel([0, 1, 2].map(|channel| -self.mean[channel] / self.std[channel]));
        (factor, offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture() -> Picture {
        Picture::from_rgb(3, 2, (0..18).map(|value| value * 14).collect()).unwrap()
    }

    #[test]
    fn a_picture_survives_both_doors() {
        let byte_rgb = byte_rgb_from_picture(&picture(), Device::Cpu);
        assert_eq!(byte_rgb.size(), [1, 3, 2, 3]);
        assert_eq!(picture_from_byte_rgb(&byte_rgb).rgb(), picture().rgb());
    }

    #[test]
    fn channels_keep_their_places() {
        let byte_rgb = byte_rgb_from_picture(&picture(), Device::Cpu);
        // Row 1, column 2 holds bytes 15, 16, 17 of the interleaved picture.
        let at = |channel: i64| byte_rgb.double_value(&[0, channel, 1, 2]);
        assert_eq!([at(0), at(1), at(2)], [15.0 * 14.0, 16.0 * 14.0, 17.0 * 14.0]);
    }

    #[test]
    fn kept_bytes_are_the_bytes_of_byte_rgb() {
        let kept = kept_bytes_from_interleaved(picture().rgb(), 2, 3, Device::Cpu);
        assert_eq!((kept.kind(), kept.size()), (Kind::Uint8, vec![3, 2, 3]));
        let byte_rgb = byte_rgb_from_picture(&picture(), Device::Cpu);
        assert!(kept.to_kind(Kind::Float).equal(&byte_rgb.squeeze_dim(0)));
    }

    #[test]
    fn the_door_back_rounds_and_clamps() {
        let byte_rgb = Tensor::from_slice(&[-3.0f32, 0.49, 0.51, 254.6, 300.0, f32::NAN]).view([1, 3, 1, 2]);
        let picture = picture_from_byte_rgb(&byte_rgb);
        assert_eq!(picture.rgb(), [0, 1, 255, 0, 255, 0]);
    }

    #[test]
    fn both_doors_back_are_one() {
        let mut values: Vec<f32> = (-40..=2100).map(|eighth| eighth as f32 / 8.0).collect();
        values.extend([
            0.499_999_97,
            254.500_02,
            f32::MAX,
            f32::MIN,
            f32::INFINITY,
            f32::NEG_INFINITY,
            f32::NAN,
        ]);
        values.extend(vec![0.0; 3 - values.len() % 3]);
        let tensor = Tensor::from_slice(&values).view([1, 3, 1, -1]);
        let picture = picture_from_byte_rgb(&tensor);
        let interleaved = tensor.view([3, -1]).transpose(0, 1).flatten(0, 1).contiguous();
        let interleaved = Vec::<f32>::try_from(interleaved).unwrap();
        let bytes: Vec<u8> = interleaved.iter().copied().map(byte_from_byte_rgb).collect();
        assert_eq!(bytes, picture.rgb());
    }

    #[test]
    fn sixteen_bits_are_257_times_finer() {
        for byte in 0..=u8::MAX {
            assert_eq!(u16_from_byte_rgb(byte.into()), u16::from(byte) * 257);
        }
        for deep in 0..=u16::MAX {
            assert_eq!(u16_from_byte_rgb(f32::from(deep) / 257.0), deep, "each step has its value");
        }
        let outside = [-1.0, 255.1, f32::INFINITY, f32::NEG_INFINITY, f32::NAN];
        assert_eq!(outside.map(u16_from_byte_rgb), [0, 65_535, 65_535, 0, 0]);
        assert_eq!([0.49 / 257.0, 0.51 / 257.0].map(u16_from_byte_rgb), [0, 1], "rounded to nearest");
    }

    #[test]
    fn oxford_space_is_blue_first_and_mean_free() {
        let byte_rgb = Tensor::from_slice(&[123.68f32, 116.779, 104.939]).view([1, 3, 1, 1]);
        let loss_input = LossInputSpace::oxford_bgr().loss_input_from_byte_rgb(&byte_rgb).flatten(0, 3);
        let values = Vec::<f32>::try_from(loss_input).unwrap();
        for (value, expected) in values.iter().zip([1.0, 0.0, 0.0]) {
            assert!((value - expected).abs() < 1e-4, "{values:?}");
        }
    }

    #[test]
    fn torchvision_space_is_red_first_and_normalised() {
        let byte_rgb = Tensor::from_slice(&[255.0f32, 0.0, 0.406 * 255.0]).view([1, 3, 1, 1]);
        let loss_input = LossInputSpace::torchvision_rgb().loss_input_from_byte_rgb(&byte_rgb).flatten(0, 3);
        let values = Vec::<f32>::try_from(loss_input).unwrap();
        for (value, expected) in values.iter().zip([0.515 / 0.229, -0.456 / 0.224, 0.0]) {
            assert!((value - expected).abs() < 1e-4, "{values:?}");
        }
    }
}
