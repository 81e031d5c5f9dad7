//! A graph in the making.

use tch::Tensor;

use super::data_type;
use super::message::Message;
use crate::tensor_file::StoredAs;

/// The set of operators that graphs are of, and the version of the format that brought it.
const OPERATOR_SET: i64 = 17;
const FORMAT_VERSION: i64 = 8;

/// A graph: nodes in the order of their computation, and the tensors that they know.
#[derive(Default)]
pub struct Graph {
    nodes: Vec<Message>,
    initialisers: Vec<Message>,
}

/// What a node gives, or an input, or a known tensor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value(String);

/// What a node is told beside its inputs.
#[derive(Clone, Copy, Debug)]
pub enum Attribute<'a> {
    /// A whole number.
    Int(&'a str, i64),
    /// Several.
    Ints(&'a str, &'a [i64]),
    /// A number.
    Float(&'a str, f32),
    /// A word.
    Text(&'a str, &'a str),
}

impl Graph {
    /// An input of the graph, which [`Graph::into_bytes`] declares.
    pub fn input(name: &str) -> Value {
        Value(name.to_owned())
    }

    /// Adds a node of one output, which has the node's name.
    pub fn node(
        &mut self,
        name: &str,
        operator: &str,
        inputs: &[&Value],
        attributes: &[Attribute<'_>],
    ) -> Value {
        let inputs = inputs.iter().fold(Message::default(), |node, input| node.text(1, &input.0));
        let attributes: Vec<Message> = attributes.iter().map(Attribute::encoded).collect();
        self.nodes.push(inputs.text(2, name).text(3, name).text(4, operator).messages(5, &attributes));
        Value(name.to_owned())
    }

    /// An optional input that is left out.
    pub fn absent() -> Value {
        Value(String::new())
    }

    /// Whole numbers: of one dimension, or a scalar.
    pub fn ints(&mut self, name: &str, shape: &[i64], values: &[i64]) -> Value {
        let raw: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.initialiser(name, shape, data_type::INT64, &raw)
    }

    /// A scalar.
    pub fn float(&mut self, name: &str, value: f32) -> Value {
        self.initialiser(name, &[], data_type::FLOAT, &value.to_le_bytes())
    }

    /// Numbers of one dimension.
    pub fn floats(&mut self, name: &str, values: &[f32]) -> Value {
        let raw: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.initialiser(name, &[values.len() as i64], data_type::FLOAT, &raw)
    }

    /// Weights, by which the graph computes in f32 however they are stored.
    pub fn weights(&mut self, name: &str, tensor: &Tensor, stored_as: StoredAs) -> Value {
        let data_type = match stored_as {
            StoredAs::F32 => data_type::FLOAT,
            StoredAs::F16 => data_type::FLOAT16,
        };
        let value = self.initialiser(name, &tensor.size(), data_type, &stored_as.bytes_of(tensor));
        match stored_as {
            StoredAs::F32 => value,
            StoredAs::F16 => self.node(
                &format!("{name}.f32"),
                "Cast",
                &[&value],
                &[Attribute::Int("to", data_type::FLOAT)],
            ),
        }
    }

    fn initialiser(&mut self, name: &str, shape: &[i64], data_type: i64, raw: &[u8]) -> Value {
        let tensor = shape.iter().fold(Message::default(), |tensor, &side| tensor.int(1, side));
        self.initialisers.push(tensor.int(2, data_type).text(8, name).bytes(9, raw));
        Value(name.to_owned())
    }

    /// The whole file. Input and output are f32, their sides given by a name or by a number; `metadata` are keys and values,
    /// and `description` is for people.
    pub fn into_bytes(
        self,
        input: (&Value, &[Side<'_>]),
        output: (&Value, &[Side<'_>]),
        description: &str,
        metadata: &[(&str, &str)],
    ) -> Vec<u8> {
        let graph = Message::default()
            .messages(1, &self.nodes)
            .text(2, "style")
            .messages(5, &self.initialisers)
            .message(11, &declared(input))
            .message(12, &declared(output));
        let operator_set = Message::default().text(1, "").int(2, OPERATOR_SET);
        let metadata: Vec<Message> =
            metadata.iter().map(|(key, value)| Message::default().text(1, key).text(2, value)).collect();
        Message::default()
            .int(1, FORMAT_VERSION)
            .text(2, env!("CARGO_PKG_NAME"))
            .text(3, env!("CARGO_PKG_VERSION"))
            .text(6, description)
            .message(7, &graph)
            .message(8, &operator_set)
            .messages(14, &metadata)
            .into_bytes()
    }
}

/// A side of an input or an output: always the same, or of any length under a name.
#[derive(Clone, Copy, Debug)]
pub enum Side<'a> {
    /// Always this long.
    Fixed(i64),
    /// Of any length; sides of the same name are of the same one.
    Any(&'a str),
}

impl Attribute<'_> {
    /// The number after the value is the attribute's type.
    fn encoded(&self) -> Message {
        let named = |name| Message::default().text(1, name);
        match *self {
            Self::Float(name, value) => named(name).float(2, value).int(20, 1),
            Self::Int(name, value) => named(name).int(3, value).int(20, 2),
            Self::Text(name, text) => named(name).text(4, text).int(20, 3),
            Self::Ints(name, values) => {
                values.iter().fold(named(name), |attribute, &value| attribute.int(8, value)).int(20, 7)
            }
        }
    }
}

fn declared((value, sides): (&Value, &[Side<'_>])) -> Message {
    let sides: Vec<Message> = sides
        .iter()
        .map(|side| match *side {
            Side::Fixed(length) => Message::default().int(1, length),
            Side::Any(name) => Message::default().text(2, name),
        })
        .collect();
    let shape = Message::default().messages(1, &sides);
    let tensor = Message::default().int(1, data_type::FLOAT).message(2, &shape);
    Message::default().text(1, &value.0).message(2, &Message::default().message(1, &tensor))
}
