//! Where the optimisation starts.

use std::fmt;
use std::str::FromStr;

use pixel::Picture;
use rand::{Rng, RngExt as _};
use tch::{Device, Tensor};

/// Mean colour of ImageNet's photos, R, G, B: what the Oxford networks see as zero.
const MEAN_BYTE_RGB: [f32; 3] = [123.68, 116.779, 103.939];

/// Where the optimisation starts. Noise is in levels of 0..255, around the mean colour of photos.
#[derive(Clone, Debug, PartialEq)]
pub enum Start {
    /// The photo.
    Content,
    /// The first painting, brought to the result's size.
    Style,
    /// Noise of this deviation.
    Gaussian(f32),
    /// Noise evenly from minus to plus this.
    Uniform(f32),
    /// The photo, and this share of uniform noise of 20 levels either way.
    Blend(f32),
    /// Another picture, brought to the result's size.
    Picture(Picture),
}

/// A start that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}`: expected content, style, gaussian[:DEVIATION], uniform[:LEVELS], blend[:NOISE SHARE from 0 to 1] or a picture's file"
)]
pub struct ParseStartError(String);

/// The noise that the classic blend takes.
const BLEND_LEVELS: f32 = 20.0;

impl FromStr for Start {
    type Err = ParseStartError;

    /// Any but [`Start::Picture`].
    fn from_str(text: &str) -> Result<Self, ParseStartError> {
        let (name, number) = match text.split_once(':') {
            Some((name, number)) => (name, Some(number)),
            None => (text, None),
        };
        let number = |default: f32, most: f32| match number {
            None => Ok(default),
            Some(number) => number
                .trim()
                .parse()
                .ok()
                .filter(|number: &f32| (0.0..=most).contains(number))
                .ok_or_else(|| ParseStartError(text.to_owned())),
        };
        match (name, text.contains(':')) {
            ("content", false) => Ok(Self::Content),
            ("style", false) => Ok(Self::Style),
            ("gaussian", _) => number(40.0, 1e4).map(Self::Gaussian),
            ("uniform", _) => number(128.0, 1e4).map(Self::Uniform),
            ("blend", _) => number(0.6, 1.0).map(Self::Blend),
            _ => Err(ParseStartError(text.to_owned())),
        }
    }
}

impl fmt::Display for Start {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Content => f.write_str("content"),
            Self::Style => f.write_str("style"),
            Self::Gaussian(deviation) => write!(f, "gaussian:{deviation}"),
            Self::Uniform(levels) => write!(f, "uniform:{levels}"),
            Self::Blend(share) => write!(f, "blend:{share}"),
            Self::Picture(_) => f.write_str("a picture"),
        }
    }
}

impl Start {
    /// Noise as `byte_rgb` `[1, 3, height, width]`: of this start, or the amount that it adds to a photo.
    pub(super) fn noise(&self, (width, height): (u32, u32), rng: &mut impl Rng, device: Device) -> Tensor {
        let pixels = width as usize * height as usize;
        let values: Vec<f32> = MEAN_BYTE_RGB
            .iter()
            .flat_map(|&mean| std::iter::repeat_n(mean, pixels))
            .map(|mean| match self {
                Self::Gaussian(deviation) => mean + deviation * gaussian(rng),
                Self::Uniform(levels) => mean + levels * uniform(rng),
                _ => mean + BLEND_LEVELS * uniform(rng),
            })
            .collect();
        Tensor::from_slice(&values).view([1, 3, i64::from(height), i64::from(width)]).to_device(device)
    }
}

/// In ±1.
fn uniform(rng: &mut impl Rng) -> f32 {
    rng.random::<f32>() * 2.0 - 1.0
}

/// Of deviation 1 (Box and Muller).
fn gaussian(rng: &mut impl Rng) -> f32 {
    let radius = (-2.0 * (1.0 - rng.random::<f32>()).ln()).sqrt();
    radius * (std::f32::consts::TAU * rng.random::<f32>()).cos()
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;
    use rand_chacha::ChaCha8Rng;
    use tch::Kind;

    use super::*;

    #[test]
    fn starts_are_read_and_written_alike() {
        for text in ["content", "style", "gaussian:0.001", "uniform:20", "blend:0.25"] {
            assert_eq!(text.parse::<Start>().unwrap().to_string(), text);
        }
        assert_eq!("blend".parse(), Ok(Start::Blend(0.6)));
        for text in ["", "photo", "content:1", "gaussian:-1", "uniform:x", "blend:1.5", "gaussian:nan"] {
            assert!(text.parse::<Start>().is_err(), "{text}");
        }
    }

    #[test]
    fn noise_has_the_deviation_that_was_asked_for_and_comes_again() {
        let noise =
            |start: &Start, seed| start.noise((60, 50), &mut ChaCha8Rng::seed_from_u64(seed), Device::Cpu);
        for (start, expected) in [
            (Start::Gaussian(40.0), 40.0),
            (Start::Uniform(128.0), 128.0 / 3f64.sqrt()),
            (Start::Blend(0.6), 20.0 / 3f64.sqrt()),
        ] {
            let red = noise(&start, 1).select(1, 0);
            let (deviation, mean) =
                (red.std(true).double_value(&[]), red.mean(Kind::Double).double_value(&[]));
            assert!((deviation / expected - 1.0).abs() < 0.05, "{start}: {deviation}");
            assert!((mean - 123.68).abs() < expected / 10.0, "{start}: {mean}");
            assert!(noise(&start, 1).equal(&noise(&start, 1)) && !noise(&start, 1).equal(&noise(&start, 2)));
        }
    }
}
