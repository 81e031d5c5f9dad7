//! Where and on how many threads a command computes.

use std::num::NonZeroUsize;

use clap::Args;
use common::device::{DeviceChoice, DeviceError};
use tch::Device;

#[derive(Args, Clone, Copy)]
pub(crate) struct ComputeArgs {
    /// auto, cpu, cuda or cuda:N; auto is the first GPU where there is one.
    #[arg(long, default_value = "auto")]
    device: DeviceChoice,
    /// Threads that compute [default: one for each core].
    #[arg(long)]
    threads: Option<NonZeroUsize>,
}

impl ComputeArgs {
    /// The device asked for; the number of threads is set on the way.
    pub(crate) fn set_up(self) -> Result<Device, DeviceError> {
        if let Some(threads) = self.threads {
            tch::set_num_threads(threads.get() as i32);
        }
        self.device.resolve()
    }
}
