//! A golden file.

use std::path::Path;

use common::tensor_file::TensorFile;
use tch::{Device, Kind, Tensor};

/// How far ReLUs and poolings that tie may move a gradient, of its norm; PyTorch's own in float32, with noise of 1e-6 of the
/// activations in place of another order of summing, moves by up to 5e-3.
const TIE_TOLERANCE: f64 = 2e-2;

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
        self.check(&format!("{name}.samples"), &samples(found), tolerance);
        self.check(&format!("{name}.stats"), &stats(found), tolerance);
    }

    /// As [`Self::check_sampled`], of a gradient with respect to a batch of pictures that came through ReLUs and poolings.
    ///
    /// Where a ReLU or a pooling lies so near a tie that the order of summing decides it, the gradient of that one picture is
    /// another at once, in places by 1e-2. A formula that is wrong is wrong everywhere. So half of the samples and the
    /// statistics are held to `tolerance`, and all samples to what a tie may do.
    #[track_caller]
    pub(super) fn check_sampled_past_ties(&self, name: &str, found: &Tensor, tolerance: f64) {
        let key = format!("{name}.samples");
        let golden = self.tensor(&key);
        let off = samples(found) - &golden;
        let median = off.abs().median().double_value(&[]) / largest(&golden);
        assert!(median <= tolerance, "{key}: half are off by {median:.1e} or more, allowed {tolerance:.0e}");
        let norm = off.norm().double_value(&[]) / golden.norm().double_value(&[]);
        assert!(norm <= TIE_TOLERANCE, "{key}: off by {norm:.1e} of their norm, allowed {TIE_TOLERANCE:.0e}");
        self.check(&format!("{name}.stats"), &stats(found), tolerance);
    }

    /// The first elements of a hashed tensor are exactly those that the golden was made with.
    #[track_caller]
    pub(super) fn check_head(&self, name: &str, hashed: &Tensor) {
        let golden = self.tensor(&format!("head.{name}"));
        assert!(hashed.reshape([-1]).narrow(0, 0, golden.size()[0]).equal(&golden), "the hash of {name}");
    }
}

/// 64 elements or fewer, evenly spread.
fn samples(tensor: &Tensor) -> Tensor {
    let flat = tensor.reshape([-1]);
    let stride = (flat.size()[0] / 64) | 1;
    flat.slice(0, None, Some(64 * stride), stride)
}

/// The mean, the mean of the absolute values and the root mean square.
fn stats(tensor: &Tensor) -> Tensor {
    let flat = tensor.to_kind(Kind::Double);
    let stats =
        [flat.mean(Kind::Double), flat.abs().mean(Kind::Double), flat.square().mean(Kind::Double).sqrt()];
    Tensor::stack(&stats, 0)
}

pub(super) fn largest(tensor: &Tensor) -> f64 {
    tensor.abs().max().double_value(&[])
}
