//! `trainer bench`: from arguments to a table or a line of JSON.

use std::fmt::Write as _;

use common::exit_status::ExitStatus;
use common::lossnet::Arch;
use trainer::bench::{BenchConfig, BenchReport, run};

use super::stdout::print;
use crate::cli::BenchArgs;
use crate::progress::device_name;

pub(crate) fn bench(args: &BenchArgs) -> anyhow::Result<ExitStatus> {
    let mut recipe = args.recipe.recipe();
    let loss_net = if args.recipe.loss_net().starts_with("vgg16") { Arch::Vgg16 } else { Arch::Vgg19 };
    recipe.batch = args.batch.map_or(recipe.batch, std::num::NonZeroUsize::get);
    recipe.crop_px = args.size.unwrap_or(recipe.crop_px);
    let device = args.compute.set_up()?;
    args.precision.set_up(device)?;
    let config = BenchConfig { recipe, loss_net, precision: args.precision, device, steps: args.steps.get() };
    let report = run(&config);
    print(&if args.json { serde_json::to_string(&report)? + "\n" } else { table(&config, &report) })?;
    Ok(ExitStatus::Success)
}

fn table(config: &BenchConfig, report: &BenchReport) -> String {
    let mut table = String::new();
    let _ = writeln!(
        table,
        "{:.2} images/s: {:.0} ms for a step of {} at {} px, {} on {}; random weights and photos, held in memory",
        report.images_per_s,
        report.step_ms,
        config.recipe.batch,
        config.recipe.crop_px,
        config.precision,
        device_name(config.device),
    );
    let whole: f64 = report.phases_ms.values().sum();
    for (phase, ms) in &report.phases_ms {
        let _ = writeln!(table, "  {:<24}{ms:>9.1} ms  {:>3.0} %", phase.name(), ms / whole * 100.0);
    }
    let _ = writeln!(
        table,
        "{:.0} GFLOP a step, {:.0} GFLOP/s: {:.0} % of the {:.0} that a large matrix product reaches here",
        report.step_gflop,
        report.gflop_per_s,
        report.share_of_ceiling * 100.0,
        report.ceiling_gflop_per_s,
    );
    if let Some(mib) = report.peak_memory_mib {
        let _ = writeln!(table, "{mib:.0} MiB of memory at the most");
    }
    table
}
