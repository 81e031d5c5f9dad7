//! `trainer bench`: from arguments to a table or a line of JSON.

use anyhow::bail;
use common::exit_status::ExitStatus;
use common::lossnet::VggArch;
use trainer::bench::{BenchConfig, BenchReport, run};
use trainer::recipe::Recipe;

use crate::cli::BenchArgs;
use crate::progress::device_name;

pub(crate) fn bench(args: &BenchArgs) -> anyhow::Result<ExitStatus> {
    let (mut recipe, loss_net) = recipe(&args.recipe)?;
    recipe.batch = args.batch.map_or(recipe.batch, std::num::NonZeroUsize::get);
    recipe.crop_px = args.size.unwrap_or(recipe.crop_px);
    if let Some(threads) = args.threads {
        tch::set_num_threads(threads.get() as i32);
    }
    let device = args.device.resolve()?;
    args.precision.set_up(device)?;
    let config = BenchConfig { recipe, loss_net, precision: args.precision, device, steps: args.steps.get() };
    let report = run(&config);
    if args.json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        print_table(&config, &report);
    }
    Ok(ExitStatus::Success)
}

fn recipe(name: &str) -> anyhow::Result<(Recipe, VggArch)> {
    match name {
        "atelier" => Ok((Recipe::default(), VggArch::Vgg19)),
        "pytorch-examples" => {
            let mut recipe = Recipe::default();
            recipe.loss.style_layers = "relu1_2,relu2_2,relu3_3,relu4_3".parse()?;
            recipe.loss.content_layers = "relu2_2".parse()?;
            Ok((recipe, VggArch::Vgg16))
        }
        _ => bail!("unknown recipe `{name}`: expected atelier or pytorch-examples"),
    }
}

fn print_table(config: &BenchConfig, report: &BenchReport) {
    println!(
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
        println!("  {:<24}{ms:>9.1} ms  {:>3.0} %", phase.name(), ms / whole * 100.0);
    }
    println!(
        "{:.0} GFLOP a step, {:.0} GFLOP/s: {:.0} % of the {:.0} that a large matrix product reaches here",
        report.step_gflop,
        report.gflop_per_s,
        report.share_of_ceiling * 100.0,
        report.ceiling_gflop_per_s,
    );
    if let Some(mib) = report.peak_memory_mib {
        println!("{mib:.0} MiB of memory at the most");
    }
}
