//! Where and how networks compute.

use std::num::NonZeroUsize;

use clap::{Args, ValueEnum};
use common::device::DeviceChoice;
use common::engine::{EngineOptions, PaintPrecision};
use common::memory;

#[derive(Args)]
#[command(next_help_heading = "Computing")]
pub(crate) struct ComputeArgs {
    /// auto, cpu, cuda or cuda:N; auto is the first GPU where there is one.
    #[arg(long, default_value = "auto")]
    pub(crate) device: DeviceChoice,
    /// What a GPU computes in; a CPU always computes in f32.
    #[arg(long, value_name = "FORMAT", default_value = "f16")]
    pub(crate) precision: PrecisionName,
    /// Most memory that the program may take, as 2G or 700M: larger pictures are painted in bands, to the same result
    /// [default: a part of what is free].
    #[arg(long, value_name = "BYTES", value_parser = memory::parse_bytes)]
    pub(crate) memory: Option<u64>,
    /// Threads that compute [default: one for each core].
    #[arg(long)]
    pub(crate) threads: Option<NonZeroUsize>,
}

/// A number format as it is named on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum PrecisionName {
    /// 11 bits of mantissa.
    F16,
    /// 8 bits of mantissa, with the range of f32.
    Bf16,
    /// 24 bits of mantissa.
    F32,
}

impl ComputeArgs {
    /// The engine asked for; the number of threads is set on the way.
    pub(crate) fn engine_options(&self) -> anyhow::Result<EngineOptions> {
        if let Some(threads) = self.threads {
            tch::set_num_threads(threads.get() as i32);
        }
        let precision = match self.precision {
            PrecisionName::F16 => PaintPrecision::F16,
            PrecisionName::Bf16 => PaintPrecision::Bf16,
            PrecisionName::F32 => PaintPrecision::F32,
        };
        let device = self.device.resolve()?;
        if device.is_cuda() && precision == PaintPrecision::F32 {
            // libtorch would take the products of convolutions with 10 bits of mantissa.
            common::device::allow_tf32(false)?;
        }
        Ok(EngineOptions { device, precision, memory_bytes: self.memory })
    }
}
