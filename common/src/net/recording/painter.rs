//! The whole network, layer by layer, there and back.

use tch::{Device, Kind, Tensor};

use super::border::{Border, Bordered};
use super::conv::RecordedConv;
use super::norm::{NormGradients, RecordedNorm};
use super::planar_block::PlanarBlock;
use super::{output, upsample};
use crate::channels_last::{channels_last, from_rows};
use crate::net::parameters::NamedViews;
use crate::net::style_net::{inner_side, reflect_to};
use crate::net::{InputSpace, OutputRange, Parameters, StyleNet};

const MIRRORED: Border = Border::Mirrored(1);
/// Half of the 9x9 kernels, rounded down.
const WIDE: Border = Border::Mirrored(4);
/// Side of the last convolution's kernel.
const OUTPUT_KERNEL: i64 = 9;

/// A pass through the network that can be gone back.
pub(super) struct PaintRecording {
    /// conv1 to conv3.
    down: Vec<NormedConv>,
    residual: Vec<ResidualBlock>,
    /// deconv1 and deconv2.
    up: Vec<NormedConv>,
    kernel_sums: Tensor,
    output: RecordedConv,
    kind: Kind,
    input_space: InputSpace,
    tanh: Option<Tensor>, // [n, h, w, 3], f32
    inner_size: [i64; 2],
}

impl PaintRecording {
    /// Paints `byte_rgb` `[n, 3, h, w]`; the result is f32 and of the same shape.
    pub(super) fn paint(net: &StyleNet, byte_rgb: &Tensor, kind: Kind) -> (Tensor, Self) {
        let config = net.config();
        let (_, _, height, width) = byte_rgb.size4().expect("byte_rgb has four dimensions");
        let pass = Pass {
            kind,
            eps: config.norm_eps,
            weights: net.parameters().flat().to_kind(kind),
            parameters: net.parameters(),
        };
        let kernel_sums = net.kernel_sums();

        let x = pass.input(byte_rgb, config.input);
        let inner_size = [2, 3].map(|dimension| x.inside().size()[dimension]);
        let before_up = Border::Repeated;
        let after_down = if config.residual_blocks == 0 { before_up } else { MIRRORED };
        let (conv1, x) = pass.normed(&x, ["conv1", "in1"], 1, MIRRORED);
        let (conv2, x) = pass.normed(&x, ["conv2", "in2"], 2, MIRRORED);
        let (conv3, mut x) = pass.normed(&x, ["conv3", "in3"], 2, after_down);
        let mut residual = Vec::new();
        if kind == Kind::Float && net.device() == Device::Cpu && config.residual_blocks > 0 {
            let masters = net.parameters().views_into(net.parameters().flat());
            let mut planar = x.inside().contiguous();
            for block in 1..=config.residual_blocks {
                let (recorded, sum) = PlanarBlock::forward(&planar, block, &masters, pass.eps);
                residual.push(ResidualBlock::Planar(Box::new(recorded)));
                planar = sum;
            }
            x = Bordered::around(&planar, before_up, kind);
        } else {
            for block in 1..=config.residual_blocks {
                let border = if block == config.residual_blocks { before_up } else { MIRRORED };
                let (halves, sum) = pass.residual_block(&x, block, border);
                residual.push(ResidualBlock::ChannelsLast(Box::new(halves)));
                x = sum;
            }
        }
        let (deconv1, x) = pass.enlarged(&x, ["deconv1", "in4"], &kernel_sums, before_up);
        let (deconv2, x) = pass.enlarged(&x, ["deconv2", "in5"], &kernel_sums, WIDE);

        let kernels = output::row_kernels(&pass.weight("deconv3"), kind);
        let (output, rows) = RecordedConv::forward(&x.buffer, &kernels, 1, true);
        let y = output::sum_of_rows(&rows, OUTPUT_KERNEL) + pass.master("deconv3.conv2d.bias");
        let (painted, tanh) = match config.output {
            OutputRange::Linear => (y, None),
            OutputRange::Tanh150 => {
                let tanh = y.tanh();
                (&tanh * 150.0 + 127.5, Some(tanh))
            }
        };
        let painted = in_order(&from_rows(&painted), config.input).narrow(2, 0, height).narrow(3, 0, width);
        let recording = Self {
            down: vec![conv1, conv2, conv3],
            residual,
            up: vec![deconv1, deconv2],
            kernel_sums,
            output,
            kind,
            input_space: config.input,
            tanh,
            inner_size,
        };
        (painted, recording)
    }

    /// The gradient with respect to all `parameters`, `[count]`, from that with respect to what was painted.
    pub(super) fn parameter_gradient(self, parameters: &Parameters, painted_gradient: &Tensor) -> Tensor {
        let flat = parameters.flat().zeros_like();
        let gradients = parameters.views_into(&flat);

        let mut gradient = self.output_gradient(painted_gradient);
        if let Some(tanh) = &self.tanh {
            gradient = Tensor::tanh_backward(&gradient, tanh) * 150.0;
        }
        let of_bias = gradient.sum_dim_intlist([0i64, 1, 2].as_slice(), false, Kind::Float);
        gradients.get("deconv3.conv2d.bias").copy_(&of_bias);
        let of_rows = output::row_gradient(&gradient, OUTPUT_KERNEL, self.kind);
        let (of_kernels, of_input) = self.output.backward(&of_rows);
        gradients.get("deconv3.conv2d.weight").copy_(&output::weight_gradient(&of_kernels));
        drop(of_rows);

        let mut gradient = WIDE.fold(&of_input.expect("asked for"));
        for layer in self.up.into_iter().rev() {
            gradient = layer.backward(gradient, &gradients, Some(&self.kernel_sums));
        }
        for block in self.residual.into_iter().rev() {
            gradient = match block {
                ResidualBlock::Planar(block) => block.backward(&gradient, &gradients),
                ResidualBlock::ChannelsLast(halves) => {
                    let [first, second] = *halves;
                    let of_inner = second.backward(gradient.shallow_clone(), &gradients, None);
                    first.backward(of_inner, &gradients, None) + gradient
                }
            };
        }
        let mut gradient = channels_last(&gradient, self.kind);
        for layer in self.down.into_iter().rev() {
            gradient = layer.backward(gradient, &gradients, None);
        }
        flat
    }

    /// The gradient with respect to what was painted, as `[n, h, w, 3]` of the size that the network works on: what was cut
    /// off has none.
    fn output_gradient(&self, painted_gradient: &Tensor) -> Tensor {
        let (n, channels, height, width) = painted_gradient.size4().expect("four dimensions");
        let ordered = in_order(painted_gradient, self.input_space).permute([0, 2, 3, 1]);
        if [height, width] == self.inner_size {
            return ordered;
        }
        let [inner_height, inner_width] = self.inner_size;
        let inner = painted_gradient
            .new_zeros([n, inner_height, inner_width, channels], (Kind::Float, painted_gradient.device()));
        inner.narrow(1, 0, height).narrow(2, 0, width).copy_(&ordered);
        inner
    }
}

/// A residual block that was passed.
enum ResidualBlock {
    Planar(Box<PlanarBlock>),
    ChannelsLast(Box<[NormedConv; 2]>),
}

/// Turns colours from R, G, B into the network's order, or back.
fn in_order(picture: &Tensor, input_space: InputSpace) -> Tensor {
    match input_space {
        InputSpace::ByteBgr => picture.flip([1]),
        InputSpace::ByteRgb | InputSpace::UnitRgb => picture.shallow_clone(),
    }
}

/// What the layers of a forward pass share.
struct Pass<'net> {
    kind: Kind,
    eps: f64,
    parameters: &'net Parameters,
    weights: Tensor, // the flat buffer in `kind`
}

impl Pass<'_> {
    fn weight(&self, layer: &str) -> Tensor {
        self.parameters.views_into(&self.weights).get(&format!("{layer}.conv2d.weight"))
    }

    /// A parameter in f32.
    fn master(&self, name: &str) -> Tensor {
        self.parameters.views_into(self.parameters.flat()).get(name)
    }

    fn input(&self, byte_rgb: &Tensor, input_space: InputSpace) -> Bordered {
        let (_, _, height, width) = byte_rgb.size4().expect("four dimensions");
        let padded = reflect_to(&reflect_to(byte_rgb, 2, inner_side(height)), 3, inner_side(width));
        let ordered = in_order(&padded, input_space);
        let scaled = if input_space == InputSpace::UnitRgb { ordered / 255.0 } else { ordered };
        Bordered::around(&scaled, WIDE, self.kind)
    }

    fn normed(&self, x: &Bordered, names: [&str; 2], stride: i64, border: Border) -> (NormedConv, Bordered) {
        let [conv, norm] = names;
        // Nobody asks for the photo's own gradient.
        let needs_input_gradient = conv != "conv1";
        let weight = channels_last(&self.weight(conv), self.kind);
        let (recorded, y) = RecordedConv::forward(&x.buffer, &weight, stride, needs_input_gradient);
        let (norm_recorded, out) = self.norm(y, norm, border, /*rectifies=*/ true);
        out.fill_border();
        let layer = NormedConv {
            names: names.map(str::to_owned),
            conv: recorded,
            norm: norm_recorded,
            input_border: x.border,
            rectified: Some(out.inside()),
        };
        (layer, out)
    }

    fn norm(&self, y: Tensor, name: &str, border: Border, rectifies: bool) -> (RecordedNorm, Bordered) {
        let size = <[i64; 4]>::try_from(y.size()).expect("four dimensions");
        let out = Bordered::empty(size, border, self.kind, y.device());
        let (scale, shift) = (self.master(&format!("{name}.weight")), self.master(&format!("{name}.bias")));
        (RecordedNorm::forward(y, [&scale, &shift], self.eps, &out.inside(), rectifies), out)
    }

    /// Two convolutions around a shortcut.
    fn residual_block(&self, x: &Bordered, block: usize, border: Border) -> ([NormedConv; 2], Bordered) {
        let [conv1, in1, conv2, in2] =
            ["conv1", "in1", "conv2", "in2"].map(|name| format!("res{block}.{name}"));
        let (first, inner) = self.normed(x, [&conv1, &in1], 1, MIRRORED);
        let weight = channels_last(&self.weight(&conv2), self.kind);
        let (recorded, y) = RecordedConv::forward(&inner.buffer, &weight, 1, true);
        let (norm, out) = self.norm(y, &in2, border, /*rectifies=*/ false);
        let mut sum = out.inside();
        sum += x.inside();
        out.fill_border();
        let second = NormedConv {
            names: [conv2, in2],
            conv: recorded,
            norm,
            input_border: inner.border,
            rectified: None,
        };
        ([first, second], out)
    }

    /// Doubles the resolution.
    fn enlarged(
        &self,
        x: &Bordered,
        names: [&str; 2],
        kernel_sums: &Tensor,
        border: Border,
    ) -> (NormedConv, Bordered) {
        let [conv, norm] = names;
        let weight = self.master(&format!("{conv}.conv2d.weight"));
        let kernels = upsample::four_kernels(&weight, kernel_sums, self.kind);
        let (recorded, parts) = RecordedConv::forward(&x.buffer, &kernels, 1, true);
        let (norm_recorded, out) =
            self.norm(upsample::interleave(&parts), norm, border, /*rectifies=*/ true);
        out.fill_border();
        let layer = NormedConv {
            names: names.map(str::to_owned),
            conv: recorded,
            norm: norm_recorded,
            input_border: x.border,
            rectified: Some(out.inside()),
        };
        (layer, out)
    }
}

/// A convolution with a norm behind it, and perhaps ReLU.
struct NormedConv {
    names: [String; 2],
    conv: RecordedConv,
    norm: RecordedNorm,
    input_border: Border,
    rectified: Option<Tensor>, // the result, if ReLU follows
}

impl NormedConv {
    /// From the gradient with respect to its result that with respect to its input; those of its parameters go into
    /// `gradients`. With `kernel_sums` it is one that doubles the resolution.
    fn backward(self, gradient: Tensor, gradients: &NamedViews<'_>, kernel_sums: Option<&Tensor>) -> Tensor {
        let [conv, norm] = self.names;
        let NormGradients { input, scale, shift } = self.norm.backward(&gradient, self.rectified.as_ref());
        drop(gradient);
        gradients.get(&format!("{norm}.weight")).copy_(&scale);
        gradients.get(&format!("{norm}.bias")).copy_(&shift);

        let of_conv = if kernel_sums.is_some() { upsample::part_gradient(&input) } else { input };
        let (of_weight, of_input) = self.conv.backward(&of_conv);
        let of_weight = match kernel_sums {
            Some(kernel_sums) => upsample::weight_gradient(&of_weight, kernel_sums),
            None => of_weight,
        };
        gradients.get(&format!("{conv}.conv2d.weight")).copy_(&of_weight);
        // Of the first layer there is none, and nobody asks.
        of_input.map_or_else(Tensor::new, |of_input| self.input_border.fold(&of_input))
    }
}
