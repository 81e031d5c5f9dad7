//! Faster forms of layers, for f32 on the CPU; elsewhere they fall back to libtorch's. None of them is recorded by
//! autograd: whoever calls them writes the backward pass explicitly, with the gradients that are offered beside them.
//!
//! The arithmetic is the crate `kernel`'s; this is its only door to tensors.

mod conv3x3;
mod instance_norm;
mod large_kernel_conv;
mod max_pool;
mod memory;
mod values;

pub use conv3x3::{Activation, Border, Conv3x3};
pub use instance_norm::{AfterNorm, InstanceNorm, NormGradients, NormStatistics};
pub use large_kernel_conv::LargeKernelConv;
pub use max_pool::{max_pool2x2, max_pool2x2_relu_gradient};
pub use memory::keep_freed_memory;
pub(crate) use values::values;
