//! A style as an ONNX graph, for programs that are not ours: the same forward pass as [`StyleNet::forward`], in ONNX's operators.

use std::path::Path;

use super::{METADATA_KEY, StyleCard, StyleFileError};
use crate::net::{
    InputSpace, NetConfig, OutputRange, Padding, Parameters, SHORTEST_SIDE, SIDE_MULTIPLE, StyleNet, Upsample,
};
use crate::onnx_file::{Attribute, Graph, Side, Value};
use crate::tensor_file::{StoredAs, TensorFileError};

/// Name and sides of a graph's input, f32, R, G, B in 0..255; and of its output, which are the same.
const INPUT: &str = "byte_rgb";
const OUTPUT: &str = "painting";
const SIDES: [Side<'_>; 4] = [Side::Any("n"), Side::Fixed(3), Side::Any("h"), Side::Any("w")];

/// Writes the style as ONNX, operator set 17, at once or not at all: `byte_rgb` f32 `[n, 3, h, w]` in, `painting` out, which
/// has the same sides whatever they are and is limited to 0..255. The card is in the metadata, under the key of style files.
///
/// Weights keep the names that they have in a style file. Those stored as f16 are made f32 by the graph itself, which then
/// computes what a style of f16 weights does.
///
/// # Errors
/// The file cannot be written; what was there before is untouched.
pub fn save_onnx(
    path: &Path,
    card: &StyleCard,
    net: &StyleNet,
    stored_as: StoredAs,
) -> Result<(), StyleFileError> {
    let json = serde_json::to_string(card).expect("a card holds nothing that JSON cannot");
    let mut export =
        Export { graph: Graph::default(), parameters: net.parameters(), config: net.config(), stored_as };
    let input = Graph::input(INPUT);
    let painting = export.painting(&input);
    let sides = SIDES.as_slice();
    let metadata = [(METADATA_KEY, json.as_str())];
    let bytes = export.graph.into_bytes((&input, sides), (&painting, sides), &card.caption(), &metadata);
    Ok(pixel::atomic_file::write(path, &bytes).map_err(TensorFileError::from)?)
}

/// A network on its way into a graph. What a method adds is named after the layer.
struct Export<'a> {
    graph: Graph,
    parameters: &'a Parameters,
    config: &'a NetConfig,
    stored_as: StoredAs,
}

impl Export<'_> {
    fn painting(&mut self, byte_rgb: &Value) -> Value {
        let [height, width] =
            [("height", 2), ("width", 3)].map(|(name, axis)| self.side(name, byte_rgb, axis));
        let x = self.continued("rows", byte_rgb, 2, &height);
        let x = self.continued("columns", &x, 3, &width);
        let x = match self.config.input {
            InputSpace::ByteRgb => x,
            InputSpace::ByteBgr => self.reversed("input.bgr", &x),
            InputSpace::UnitRgb => {
                let unit = self.graph.float("input.unit", 1.0 / 255.0);
                self.graph.node("input.scaled", "Mul", &[&x, &unit], &[])
            }
        };
        let y = self.network(&x);
        let y = if self.config.input == InputSpace::ByteBgr { self.reversed("output.rgb", &y) } else { y };
        let y = self.cut_back(&y, [&height, &width]);
        let [black, white] =
            [("black", 0.0), ("white", 255.0)].map(|(name, level)| self.graph.float(name, level));
        self.graph.node(OUTPUT, "Clip", &[&y, &black, &white], &[])
    }

    fn network(&mut self, input: &Value) -> Value {
        let mut x = input.clone();
        for (conv, norm, stride) in [("conv1", "in1", 1), ("conv2", "in2", 2), ("conv3", "in3", 2)] {
            x = self.conv(conv, &x, stride);
            x = self.norm(norm, &x);
            x = self.relu(norm, &x);
        }
        for block in 1..=self.config.residual_blocks {
            x = self.residual_block(block, &x);
        }
        for (conv, norm) in [("deconv1", "in4"), ("deconv2", "in5")] {
            x = self.enlarging_conv(conv, &x);
            x = self.norm(norm, &x);
            x = self.relu(norm, &x);
        }
        let mut y = self.conv("deconv3", &x, 1);
        if self.config.last_norm {
            y = self.norm("in6", &y);
        }
        match self.config.output {
            OutputRange::Linear => y,
            OutputRange::Tanh150 => {
                let y = self.graph.node("output.tanh", "Tanh", &[&y], &[]);
                let factor = self.graph.float("output.factor", 150.0);
                let grey = self.graph.float("output.grey", 127.5);
                let y = self.graph.node("output.spread", "Mul", &[&y, &factor], &[]);
                self.graph.node("output.shifted", "Add", &[&y, &grey], &[])
            }
        }
    }

    fn residual_block(&mut self, block: usize, x: &Value) -> Value {
        let parts = self.config.residual.convolutions();
        let mut made = x.clone();
        for part in 1..=parts {
            let norm = format!("res{block}.in{part}");
            made = self.conv(&format!("res{block}.conv{part}"), &made, 1);
            made = self.norm(&norm, &made);
            if part < parts {
                made = self.relu(&norm, &made);
            }
        }
        self.graph.node(&format!("res{block}"), "Add", &[x, &made], &[])
    }

    /// A convolution that keeps its input's size, or halves it; sides are even where it does.
    fn conv(&mut self, name: &str, x: &Value, stride: i64) -> Value {
        let (weight, bias, kernel) = self.kernel(name);
        let margin = kernel / 2;
        // Top, left, bottom, right.
        let (padded, zeros) = match self.config.padding {
            Padding::Reflect if margin == 0 => (x.clone(), [0; 4]),
            Padding::Reflect => {
                let margins = [0, 0, margin, margin, 0, 0, margin, margin];
                let margins = self.graph.ints(&format!("{name}.margins"), &[8], &margins);
                let mode = [Attribute::Text("mode", "reflect")];
                (self.graph.node(&format!("{name}.padded"), "Pad", &[x, &margins], &mode), [0; 4])
            }
            // TensorFlow's SAME: of an even side the strided convolution needs one less, at the start.
            Padding::ZeroSame => (x.clone(), [margin + 1 - stride, margin + 1 - stride, margin, margin]),
        };
        let attributes = [
            Attribute::Ints("kernel_shape", &[kernel, kernel]),
            Attribute::Ints("strides", &[stride, stride]),
            Attribute::Ints("pads", &zeros),
        ];
        self.graph.node(name, "Conv", &[&padded, &weight, &bias], &attributes)
    }

    /// Doubles the resolution.
    fn enlarging_conv(&mut self, name: &str, x: &Value) -> Value {
        if self.config.upsample == Upsample::Nearest {
            let scales = self.graph.floats(&format!("{name}.scales"), &[1.0, 1.0, 2.0, 2.0]);
            let attributes = [
                Attribute::Text("mode", "nearest"),
                Attribute::Text("coordinate_transformation_mode", "asymmetric"),
                Attribute::Text("nearest_mode", "floor"),
            ];
            let inputs = [x, &Graph::absent(), &scales];
            let larger = self.graph.node(&format!("{name}.larger"), "Resize", &inputs, &attributes);
            return self.conv(name, &larger, 1);
        }
        let (weight, bias, kernel) = self.kernel(name);
        // Of the full 2n + 1 rows and columns PyTorch's padding leaves out the first, TensorFlow's SAME the last.
        let cut = match self.config.padding {
            Padding::Reflect => [1, 1, 0, 0],
            Padding::ZeroSame => [0, 0, 1, 1],
        };
        let attributes = [
            Attribute::Ints("kernel_shape", &[kernel, kernel]),
            Attribute::Ints("strides", &[2, 2]),
            Attribute::Ints("pads", &cut),
        ];
        self.graph.node(name, "ConvTranspose", &[x, &weight, &bias], &attributes)
    }

    /// Weight, bias and side of a convolution's kernel.
    fn kernel(&mut self, name: &str) -> (Value, Value, i64) {
        let weight = format!("{name}.conv2d.weight");
        let side = self.parameters.get(&weight).size()[3];
        (self.weights(&weight), self.weights(&format!("{name}.conv2d.bias")), side)
    }

    fn norm(&mut self, name: &str, x: &Value) -> Value {
        let (scale, shift) = (self.weights(&format!("{name}.weight")), self.weights(&format!("{name}.bias")));
        let epsilon = [Attribute::Float("epsilon", self.config.norm_eps as f32)];
        self.graph.node(name, "InstanceNormalization", &[x, &scale, &shift], &epsilon)
    }

    fn relu(&mut self, name: &str, x: &Value) -> Value {
        self.graph.node(&format!("{name}.relu"), "Relu", &[x], &[])
    }

    fn weights(&mut self, name: &str) -> Value {
        self.graph.weights(name, &self.parameters.get(name), self.stored_as)
    }

    /// The channels in the other order.
    fn reversed(&mut self, name: &str, x: &Value) -> Value {
        let order = self.graph.ints(&format!("{name}.order"), &[3], &[2, 1, 0]);
        self.graph.node(name, "Gather", &[x, &order], &[Attribute::Int("axis", 1)])
    }

    /// The length of a side, as a scalar.
    fn side(&mut self, name: &str, x: &Value, axis: i64) -> Value {
        let sides = self.graph.node(&format!("{name}.sides"), "Shape", &[x], &[]);
        let axis = self.graph.ints(&format!("{name}.axis"), &[], &[axis]);
        self.graph.node(name, "Gather", &[&sides, &axis], &[Attribute::Int("axis", 0)])
    }

    /// A side continued at its end by its own reflection, back and forth, to the length that the network works on. Where each
    /// row or column comes from is counted as [`crate::net::reflected`] does it.
    fn continued(&mut self, name: &str, x: &Value, axis: i64, length: &Value) -> Value {
        let graph = &mut self.graph;
        let mut count = 0;
        let mut integer = |graph: &mut Graph, value: i64| {
            count += 1;
            graph.ints(&format!("{name}.number{count}"), &[], &[value])
        };
        let node = |graph: &mut Graph, what: &str, operator: &str, inputs: &[&Value]| {
            graph.node(&format!("{name}.{what}"), operator, inputs, &[])
        };
        let (zero, one, two) = (integer(graph, 0), integer(graph, 1), integer(graph, 2));
        let rounding = integer(graph, SIDE_MULTIPLE - 1);
        let multiple = integer(graph, SIDE_MULTIPLE);
        let shortest = integer(graph, SHORTEST_SIDE);
        let raised = node(graph, "raised", "Add", &[length, &rounding]);
        let multiples = node(graph, "multiples", "Div", &[&raised, &multiple]);
        let rounded = node(graph, "rounded", "Mul", &[&multiples, &multiple]);
        let inner = node(graph, "inner", "Max", &[&rounded, &shortest]);
        let last = node(graph, "last", "Sub", &[length, &one]);
        let there_and_back = node(graph, "there_and_back", "Mul", &[&last, &two]);
        // One row or column is its own reflection.
        let period = node(graph, "period", "Max", &[&there_and_back, &one]);
        let places = node(graph, "places", "Range", &[&zero, &inner, &one]);
        let there = node(graph, "there", "Mod", &[&places, &period]);
        let back = node(graph, "back", "Sub", &[&period, &there]);
        let from = node(graph, "from", "Min", &[&there, &back]);
        self.graph.node(&format!("{name}.continued"), "Gather", &[x, &from], &[Attribute::Int("axis", axis)])
    }

    /// The part that the photo itself covers.
    fn cut_back(&mut self, y: &Value, [height, width]: [&Value; 2]) -> Value {
        let graph = &mut self.graph;
        let start = graph.ints("cut.start", &[2], &[0, 0]);
        let axes = graph.ints("cut.axes", &[2], &[2, 3]);
        let first = graph.ints("cut.first", &[1], &[0]);
        let [height, width] = [("cut.height", height), ("cut.width", width)]
            .map(|(name, side)| graph.node(name, "Unsqueeze", &[side, &first], &[]));
        let end = graph.node("cut.end", "Concat", &[&height, &width], &[Attribute::Int("axis", 0)]);
        graph.node("cut", "Slice", &[y, &start, &end, &axes], &[])
    }
}
