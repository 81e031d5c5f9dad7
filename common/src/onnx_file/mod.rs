//! ONNX files: a graph written, and the tensors of one read. Both go over protobuf's fields one by one: the messages of ONNX
//! that matter here have a handful of them, and a reader that builds every message would take far more memory than a hostile
//! file has bytes. Field numbers are those of ONNX's own `onnx.proto`.

mod graph;
mod message;
mod read;

pub use graph::{Attribute, Graph, Side, Value};
pub use read::{OnnxFile, OnnxFileError};

/// `TensorProto.DataType`.
mod data_type {
    pub(super) const FLOAT: i64 = 1;
    pub(super) const INT64: i64 = 7;
    pub(super) const FLOAT16: i64 = 10;
    pub(super) const DOUBLE: i64 = 11;
    pub(super) const BFLOAT16: i64 = 16;
}
