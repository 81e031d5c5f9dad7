//! Kernels for the CPU where libtorch's leave time on the table: less arithmetic (Winograd's convolutions), or fewer
//! passes over memory (norms and poolings fused with what stands next to them).
//!
//! Pictures are plain slices of f32, contiguous, `[n, channels, h, w]` or, in [`interleaved`], `[h, w, channels]`; there are
//! no tensors here. Every function is
//! told how many threads to use, and gives the same bits for any number of them: work is divided by what it writes,
//! and no sum is ever divided. Different instruction sets may round differently.

// Kernels are compiled for an instruction set by being inlined into a function that has it; see `simd`.
#![allow(clippy::inline_always)]

pub mod instance_norm;
pub mod interleaved;
pub mod max_pool;
pub mod winograd;

mod parallel;
mod simd;

pub use parallel::for_each_row;
