//! Tensors as slices.
#![allow(unsafe_code)] // libtorch's memory

use tch::{Device, Kind, Tensor};

/// Whether the values of a tensor can be had as a slice once they are contiguous.
pub(super) fn is_cpu_f32(tensor: &Tensor) -> bool {
    tensor.kind() == Kind::Float && tensor.device() == Device::Cpu
}

/// The values of a contiguous tensor of f32 on the CPU.
pub(super) fn values(tensor: &Tensor) -> &[f32] {
    check(tensor);
    // SAFETY: `check`ed to be that many f32 in the process' own memory, which lives as long as the tensor. That nothing
    // writes to them meanwhile is what every libtorch operation relies upon, too.
    unsafe { std::slice::from_raw_parts(tensor.data_ptr().cast(), tensor.numel()) }
}

/// A new contiguous tensor of f32 on the CPU, filled by `fill`.
pub(super) fn filled(size: &[i64], fill: impl FnOnce(&mut [f32])) -> Tensor {
    let tensor = Tensor::empty(size, (Kind::Float, Device::Cpu));
    check(&tensor);
    // SAFETY: as above; the tensor is new, so nothing else refers to its memory. Every bit pattern is an f32.
    fill(unsafe { std::slice::from_raw_parts_mut(tensor.data_ptr().cast(), tensor.numel()) });
    tensor
}

fn check(tensor: &Tensor) {
    assert!(is_cpu_f32(tensor) && tensor.is_contiguous(), "not contiguous f32 on the CPU: {tensor:?}");
    // An empty tensor may have no memory, which no slice may have.
    assert!(tensor.numel() > 0, "an empty tensor: {tensor:?}");
}
