//! A golden file.

use std::path::Path;

use common::tensor_file::TensorFile;
use tch::{Device, Kind, Tensor};

pub(super) struct Golden {
    file: TensorFile,
}

impl Golden {
    pub(super) fn open(name: &str) -> Self {
        let path =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("goldens").join(name).with_extension("safetensors");
        Self { file: TensorFile::open(&path).unwrap_or_else(|error| panic!("{error}")) }
    }

    pub(super) fn tensor(&self, name: &str) -> Tensor {
        let shape = self.file.shape(name).unwrap_or_else(|| panic!("no golden {name}"));
        let wanted = [(name.to_owned(), shape)];
        let mut tensors = self.file.load(&wanted, |_| true, Device::Cpu).expect("a golden that is there");
        tensors.remove(name).expect("a golden that is there")
    }

    pub(super) fn metadata(&self, key: &str) -> &str {
        self.file.metadata(key).unwrap_or_else(|| panic!("no metadata {key}"))
    }

    /// `found` is the golden tensor `name`, up to `tolerance` of its largest element.
    #[track_caller]
    pub(super) fn check(&self, name: &str, found: &Tensor, tolerance: f64) {
        let golden = self.tensor(name);
        let found = if golden.numel() == 1 { found.reshape([1]) } else { found.shallow_clone() };
        assert_eq!(found.size(), golden.size(), "{name}");
        let error = largest(&(found - &golden)) / largest(&golden).max(f64::MIN_POSITIVE);
        assert!(error <= tolerance, "{name}: off by {error:.1e}, allowed {tolerance:.0e}");
    }

    /// `found` has the golden samples and statistics of `name`, up to `tolerance`.
    #[track_caller]
    pub(super) fn check_sampled(&self, name: &str, found: &Tensor, tolerance: f64) {
        let flat = found.reshape([-1]);
        let stride = (flat.size()[0] / 64) | 1;
        let samples = flat.slice(0, None, Some(64 * stride), stride);
        self.check(&format!("{name}.samples"), &samples, tolerance);
        let flat = flat.to_kind(Kind::Double);
        let stats =
            [flat.mean(Kind::Double), flat.abs().mean(Kind::Double), flat.square().mean(Kind::Double).sqrt()];
        self.check(&format!("{name}.stats"), &Tensor::stack(&stats, 0), tolerance);
    }

    /// The first elements of a hashed tensor are exactly those that the golden was made with.
    #[track_caller]
    pub(super) fn check_head(&self, name: &str, hashed: &Tensor) {
        let golden = self.tensor(&format!("head.{name}"));
        assert!(hashed.reshape([-1]).narrow(0, 0, golden.size()[0]).equal(&golden), "the hash of {name}");
    }
}

pub(super) fn largest(tensor: &Tensor) -> f64 {
    tensor.abs().max().double_value(&[])
}
