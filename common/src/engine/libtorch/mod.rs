//! Painting by libtorch, on a GPU: in half precision, and in bands where the whole picture does not fit.
//!
//! Networks of other families than the default one are painted by the plain pass, whole. Frames of one size share a pass, in
//! which each has statistics of its own.

mod fitting;
mod layers;
mod norms;
mod pass;

#[cfg(test)]
mod tests;

use std::cell::Cell;
use std::ops::Range;

use pixel::Picture;
use tch::{Device, Kind, Tensor};

use self::fitting::{Portion, Refusal};
use self::layers::{Conv, DoublingConv, Norm, Part};
use self::norms::BatchNorms;
use self::pass::Pass;
use super::{Band, PaintError, SharedNorms};
use crate::channels_last::channels_last;
use crate::net::{InputSpace, OutputRange, StyleNet, inner_side, reflect_to};
use crate::space::byte_rgb_from_picture;
use crate::{fast, memory};

/// A style network on a GPU.
pub(super) struct LibtorchEngine {
    net: StyleNet,
    kind: Kind,
    layers: Option<Layers>,
    /// The fewest pixels of several frames that memory did not hold: not tried again.
    refused_pixels: Cell<u64>,
    /// Where results arrive, kept from picture to picture: fresh memory costs time, and pinning it more.
    host: Cell<Option<Tensor>>,
}

/// Those of the default family.
struct Layers {
    conv1: (Conv, Norm),
    conv2: (Conv, Norm),
    conv3: (Conv, Norm),
    blocks: Vec<[(Conv, Norm); 2]>,
    up1: (DoublingConv, Norm),
    up2: (DoublingConv, Norm),
    last: Conv,
    bias: Tensor,
}

/// The fewest rows of a band, at quarter resolution: below that the picture is too large.
const SMALLEST_BAND: i64 = 8;

/// Pixels that are best painted in one pass: eight frames of 1080p. A GPU is busy with fewer; more only take memory.
const BATCH_PIXELS: u64 = 8 * 1920 * 1080;

/// Most frames of a batch: what is shown of a film lags behind by as many.
const MOST_FRAMES: u64 = 16;

/// Receives rows of frames, counted from the first of those that are painted together.
type Receive<'a> = &'a mut dyn FnMut(usize, Band<'_>);

impl LibtorchEngine {
    /// Computes in `kind`, with the statistics of norms in f32 or better.
    pub(super) fn new(net: StyleNet, kind: Kind) -> Self {
        let layers = net.config().is_default_family().then(|| Layers::prepare(&net, kind));
        Self { net, kind, layers, refused_pixels: Cell::new(u64::MAX), host: Cell::default() }
    }

    /// How many frames of this size are best painted at once.
    pub(super) fn preferred_batch(&self, width: u32, height: u32) -> usize {
        let pixels = u64::from(width) * u64::from(height);
        let frames = (BATCH_PIXELS / pixels.max(1)).clamp(1, MOST_FRAMES) as usize;
        frames.min(self.most_frames(pixels))
    }

    /// How many frames of so many pixels have not been too many so far.
    fn most_frames(&self, pixels: u64) -> usize {
        ((self.refused_pixels.get() - 1) / pixels.max(1)).max(1) as usize
    }

    /// Paints photos of one size, as many at once as memory allows.
    pub(super) fn paint(
        &self,
        photos: &[Picture],
        mut norms: Option<&mut SharedNorms>,
        receive: Receive<'_>,
    ) -> Result<(), PaintError> {
        let Some(first) = photos.first() else {
            return Ok(());
        };
        let _guard = tch::no_grad_guard();
        let pixels = u64::from(first.width()) * u64::from(first.height());
        let whole = (inner_side(i64::from(first.height())) / 4).max(SMALLEST_BAND);
        let most = Portion {
            frames: photos.len().min(self.most_frames(pixels)),
            band: if self.layers.is_some() { whole } else { SMALLEST_BAND },
        };
        let mut paint = |frames: Range<usize>, band: i64| {
            let mut is_handed_over = false;
            let mut counted = |frame: usize, rows: Band<'_>| {
                is_handed_over = true;
                receive(frames.start + frame, rows);
            };
            let photos = &photos[frames.clone()];
            let attempt =
                memory::catching(|| self.paint_batch(photos, band, norms.as_deref_mut(), &mut counted));
            attempt.map_err(|words| {
                if photos.len() > 1 {
                    let refused = photos.len() as u64 * pixels;
                    self.refused_pixels.set(refused.min(self.refused_pixels.get()));
                }
                Refusal { words, is_handed_over }
            })
        };
        fitting::in_portions(photos.len(), most, SMALLEST_BAND, &mut paint).map_err(|words| {
            PaintError::Device {
                width: first.width(),
                height: first.height(),
                reason: words.lines().next().unwrap_or_default().to_owned(),
            }
        })
    }

    /// In one pass, in bands of `band` rows at quarter resolution if the network is of the default family.
    fn paint_batch(
        &self,
        photos: &[Picture],
        band: i64,
        norms: Option<&mut SharedNorms>,
        receive: Receive<'_>,
    ) {
        let mut norms = BatchNorms::new(norms);
        let device = self.net.device();
        let frames: Vec<Tensor> = photos.iter().map(|photo| byte_rgb_from_picture(photo, device)).collect();
        let byte_rgb =
            if let [frame] = &frames[..] { frame.shallow_clone() } else { Tensor::cat(&frames, 0) };
        drop(frames);
        if let Some(layers) = &self.layers {
            self.paint_in_bands(layers, &byte_rgb, band, &mut norms, receive);
        } else {
            let painted = self.net.forward_settled(&byte_rgb, &mut |own| norms.settle(own));
            self.hand_over(&painted, 0, &byte_rgb, receive);
        }
        norms.keep();
    }

    /// What is larger than quarter resolution is made again for each norm that needs it, if there are several bands.
    fn paint_in_bands(
        &self,
        layers: &Layers,
        byte_rgb: &Tensor,
        band: i64,
        norms: &mut BatchNorms<'_>,
        receive: Receive<'_>,
    ) {
        let config = self.net.config();
        let (_, _, photo_height, width) = byte_rgb.size4().expect("four dimensions");
        let inner = reflect_to(&reflect_to(byte_rgb, 2, inner_side(photo_height)), 3, inner_side(width));
        let inner = match config.input {
            InputSpace::ByteRgb => inner,
            InputSpace::ByteBgr => inner.flip([1]),
            InputSpace::UnitRgb => inner / 255.0,
        };
        let height = inner.size()[2];
        let input = Part { values: channels_last(&inner, self.kind), rows: 0..height, height };
        let pass = Pass { layers, kind: self.kind, quarter_height: height / 4, band };
        let shrunk = pass.shrink(&input, norms);
        let quarter = pass.blocks(shrunk, norms);
        let mut paint = |rows: Range<i64>, full: &Part| {
            let y = layers.last.forward(full, rows.clone()).values.to_kind(Kind::Float) + &layers.bias;
            let painted = match config.output {
                OutputRange::Linear => y,
                OutputRange::Tanh150 => y.tanh() * 150.0 + 127.5,
            };
            let painted = if config.input == InputSpace::ByteBgr { painted.flip([1]) } else { painted };
            self.hand_over(&painted, rows.start, byte_rgb, receive);
        };
        pass.enlarge(&quarter, norms, photo_height, &mut paint);
    }

    /// Hands rows `[n, 3, rows, inner width]` over, cut to the photos' size.
    fn hand_over(&self, painted: &Tensor, first_row: i64, byte_rgb: &Tensor, receive: Receive<'_>) {
        let (frames, _, height, width) = byte_rgb.size4().expect("four dimensions");
        let rows = painted.size()[2].min(height - first_row);
        let planes = painted.narrow(2, 0, rows).narrow(3, 0, width);
        let host = self.host_memory(3 * rows * width);
        for frame in 0..frames {
            let on_host = host.narrow(0, 0, 3 * rows * width);
            on_host.view([3, rows, width]).copy_(&planes.get(frame));
            receive(
                frame as usize,
                Band {
                    first_row: first_row as u32,
                    rows: rows as u32,
                    width: width as u32,
                    planes: fast::values(&on_host),
                },
            );
        }
        self.host.set(Some(host));
    }

    /// At least so many values; those of the last time where they are enough.
    fn host_memory(&self, values: i64) -> Tensor {
        if let Some(host) = self.host.take().filter(|host| host.numel() as i64 >= values) {
            return host;
        }
        let host = Tensor::empty([values], (Kind::Float, Device::Cpu));
        match self.net.device() {
            // Where no memory can be pinned the copy is only slower.
            device @ Device::Cuda(_) => host.f_internal_pin_memory(device).unwrap_or(host),
            _ => host,
        }
    }
}

impl Layers {
    fn prepare(net: &StyleNet, kind: Kind) -> Self {
        let (parameters, eps) = (net.parameters(), net.config().norm_eps);
        let normed = |conv: &str, norm: &str, stride| {
            (Conv::new(parameters, conv, stride, kind), Norm::new(parameters, norm, eps))
        };
        let blocks = (1..=net.config().residual_blocks).map(|block| {
            [1, 2].map(|half| normed(&format!("res{block}.conv{half}"), &format!("res{block}.in{half}"), 1))
        });
        let doubling = |conv: &str, norm: &str| {
            (DoublingConv::new(parameters, conv, kind), Norm::new(parameters, norm, eps))
        };
        Self {
            conv1: normed("conv1", "in1", 1),
            conv2: normed("conv2", "in2", 2),
            conv3: normed("conv3", "in3", 2),
            blocks: blocks.collect(),
            up1: doubling("deconv1", "in4"),
            up2: doubling("deconv2", "in5"),
            last: Conv::new(parameters, "deconv3", 1, kind),
            bias: parameters.get("deconv3.conv2d.bias").view([1, 3, 1, 1]),
        }
    }
}
