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

#[cfg(test)]
mod tests {
    use tch::Tensor;

    use super::*;
    use crate::tensor_file::StoredAs;

    #[test]
    fn weights_and_metadata_are_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("two.onnx");
        let (a, b) =
            (Tensor::from_slice(&[1.5f32, -2.0, 0.25, 8.0]).view([2, 2]), Tensor::from_slice(&[3.0f32]));
        for stored_as in [StoredAs::F32, StoredAs::F16] {
            let mut graph = Graph::default();
            let input = Graph::input("x");
            graph.ints("places", &[2], &[7, 8]);
            let [a_value, _] =
                [("a", &a), ("b", &b)].map(|(name, tensor)| graph.weights(name, tensor, stored_as));
            let output = graph.node("y", "Add", &[&input, &a_value], &[]);
            let sides = [Side::Any("h"), Side::Fixed(2)];
            let bytes = graph.into_bytes((&input, &sides), (&output, &sides), "a test", &[("key", "value")]);
            std::fs::write(&path, bytes).unwrap();
            let file = OnnxFile::open(&path).unwrap();
            assert!(OnnxFile::may_be(&path));
            assert_eq!((file.metadata("key"), file.metadata("other")), (Some("value"), None));
            assert_eq!(
                file.shapes().into_iter().collect::<Vec<_>>(),
                [("a".to_owned(), vec![2, 2]), ("b".to_owned(), vec![1])]
            );
            let read = file.load(["a", "b", "none"]).unwrap();
            assert_eq!(read.len(), 2);
            for (name, tensor) in [("a", &a), ("b", &b)] {
                assert!(read[name].to_kind(tch::Kind::Float).equal(tensor), "{name}");
            }
            assert!(file.load(["places"]).unwrap_err().to_string().contains("type 7"));
        }
    }
}
