//! Tensors as slices.
#![allow(unsafe_code)] // libtorch's memory

use tch::{Device, Kind, Tensor};

/// Whether the values of a tensor can be had as a slice once they are contiguous.
pub(super) fn is_cpu_f32(tensor: &Tensor) -> bool {
    tensor.kind() == Kind::Float && tensor.device() == Device::Cpu
}

/// The values of a contiguous tensor of f32 on the CPU.
pub(crate) fn values(tensor: &Tensor) -> &[f32] {
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

/// As many threads as libtorch would take.
pub(super) fn threads() -> usize {
    tch::get_num_threads().max(1) as usize
}

fn check(tensor: &Tensor) {
    assert!(is_cpu_f32(tensor) && tensor.is_contiguous(), "not contiguous f32 on the CPU: {tensor:?}");
    // An empty tensor may have no memory, which no slice may have.
    assert!(tensor.numel() > 0, "an empty tensor: {tensor:?}");
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::fast) const FLOAT: (Kind, Device) = (Kind::Float, Device::Cpu);

    /// The norm of the difference over the norm.
    pub(in crate::fast) fn relative_error(found: &Tensor, expected: &Tensor) -> f64 {
        assert_eq!(found.size(), expected.size());
        ((found - expected).norm() / expected.norm()).double_value(&[])
    }

    #[test]
    fn what_is_filled_can_be_read() {
        let tensor = filled(&[2, 3], |values| values.copy_from_slice(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]));
        assert_eq!(values(&tensor), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        assert_eq!(tensor.double_value(&[1, 0]), 4.0);
        assert!(is_cpu_f32(&tensor) && !is_cpu_f32(&tensor.to_kind(Kind::Double)));
    }
}
