//! `infer convert`: another project's network as a style of ours, or a style for others.

use std::path::Path;

use anyhow::{Context as _, ensure};
use common::exit_status::ExitStatus;
use common::net::{NetConfig, OutputRange, StyleNet};
use common::style_file::{self, Origin, Shelf, StyleCard, canonical_name, sha256_hex};
use common::tensor_file::{self, StoredAs};
use tch::{Device, Tensor};

use crate::cli::{ConvertArgs, Layout};
use crate::plan::{same_file_key, usage};
use crate::stdout;

/// The largest number that f16 has.
const LARGEST_F16: f64 = 65_504.0;

pub(crate) fn run(args: &ConvertArgs) -> anyhow::Result<ExitStatus> {
    let output = &args.output;
    if output.extension() != Some("safetensors".as_ref()) {
        return Err(usage(format!("the output is to end in .safetensors: {}", output.display())));
    }
    let input = Shelf::standard().find(&args.input)?;
    let replaces_input = same_file_key(output) == same_file_key(&input);
    ensure!(!replaces_input, "the output would replace the input; choose another -o: {}", output.display());
    ensure!(
        args.overwrite || !output.exists(),
        "the output is there already; choose another -o or --overwrite: {}",
        output.display()
    );
    let (card, net) = style_file::load(&input, Device::Cpu)?;
    let stored_as = StoredAs::from(args.store);
    if stored_as == StoredAs::F16 {
        let largest = net.parameters().flat().abs().max().double_value(&[]);
        ensure!(
            largest <= LARGEST_F16,
            "weights as large as {largest:.3e} do not fit f16, use --store f32: {}",
            input.display()
        );
    }
    match args.layout {
        Layout::Style => write_style(args, &input, card, &net, stored_as)?,
        Layout::PytorchExamples => write_state_dict(args, &card, &net, stored_as)?,
    }
    stdout::write(format!("{}\n", output.display()).as_bytes())?;
    Ok(ExitStatus::Success)
}

fn write_style(
    args: &ConvertArgs,
    input: &Path,
    mut card: StyleCard,
    net: &StyleNet,
    stored_as: StoredAs,
) -> anyhow::Result<()> {
    let asked = &args.card;
    let stem = args.output.file_stem().unwrap_or_default().to_string_lossy();
    let painting = &mut card.painting;
    painting.name = asked.name.clone().unwrap_or_else(|| canonical_name(&stem));
    for (kept, asked) in [
        (&mut painting.title, &asked.title),
        (&mut painting.artist, &asked.artist),
        (&mut painting.year, &asked.year),
    ] {
        *kept = asked.clone().or(kept.take());
    }
    match &mut card.origin {
        Some(origin) => complete_origin(origin, args, input)?,
        None if asked.source.is_some() || asked.licence.is_some() => {
            return Err(usage("--source and --licence are for other projects' networks; this style is ours"));
        }
        None => {}
    }
    Ok(style_file::save(&args.output, &card, net, stored_as)?)
}

fn complete_origin(origin: &mut Origin, args: &ConvertArgs, input: &Path) -> anyhow::Result<()> {
    origin.source = args.card.source.clone().or(origin.source.take());
    origin.licence = args.card.licence.clone().or(origin.licence.take());
    // A style that was converted before knows the file that it was made of.
    if origin.sha256.is_none() {
        let bytes = std::fs::read(input).with_context(|| format!("cannot read {}", input.display()))?;
        origin.sha256 = Some(sha256_hex(&bytes));
    }
    Ok(())
}

/// The names are those of pytorch/examples already. What its network lacks, the file's metadata say: what to do with the
/// result, and how many channels there are where they are not 32.
fn write_state_dict(
    args: &ConvertArgs,
    card: &StyleCard,
    net: &StyleNet,
    stored_as: StoredAs,
) -> anyhow::Result<()> {
    let config = net.config();
    let default = NetConfig::default();
    let is_theirs = config.is_default_family()
        && config.input == default.input
        && config.residual_blocks == default.residual_blocks
        && config.norm_eps == default.norm_eps;
    ensure!(is_theirs, "pytorch/examples has no network of this shape: {}", args.input);
    let output = match config.output {
        OutputRange::Linear => "y",
        OutputRange::Tanh150 => "150 * tanh(y) + 127.5",
    };
    let tensors: Vec<(String, Tensor)> =
        net.parameters().named().map(|(name, tensor)| (name.to_owned(), tensor.detach())).collect();
    let metadata = [
        ("format", "pt".to_owned()),
        ("style", card.caption()),
        ("num_channels", config.width.to_string()),
        ("output", output.to_owned()),
    ];
    Ok(tensor_file::write_with_metadata(&args.output, &tensors, metadata, stored_as)?)
}
