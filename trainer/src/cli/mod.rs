//! The arguments, exactly as they are typed.

mod bench;
mod compute;
mod eval;
mod fetch;
mod gatys;
mod objective;
mod train;

use clap::{Parser, Subcommand};

pub(crate) use bench::BenchArgs;
pub(crate) use eval::EvalArgs;
pub(crate) use fetch::FetchArgs;
pub(crate) use gatys::{
    ColourName, GatysArgs, GatysLossArgs, KeepName, OptimisationArgs, OptimizerName, ParametrizationName,
    ReductionName, SeeingArgs, TvForm,
};
pub(crate) use train::{LearningArgs, LossArgs, OutputArgs, RunArgs, TrainArgs};

/// Learns the hand of one painting, for `infer` to repaint photos with.
///
/// Exit status: 0 done, 1 failed (one line on stderr says why), 2 wrong arguments, 130 ended by Ctrl-C.
#[derive(Parser)]
#[command(name = "trainer", version)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Train a style network on one painting and a folder of photos.
    Train(Box<TrainArgs>),
    /// Paint one picture by optimising it, the slow way that all of it came from: any size, any layers, any statistic.
    Gatys(Box<GatysArgs>),
    /// Fetch a loss network into the user's cache folder, or list those that there are.
    Fetch(FetchArgs),
    /// Measure how well styles paint a folder of photos: losses, and likeness to the photos.
    Eval(EvalArgs),
    /// Measure how fast this machine trains: a step on random weights and photos.
    Bench(BenchArgs),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        use clap::CommandFactory as _;
        Cli::command().debug_assert();
    }
}
