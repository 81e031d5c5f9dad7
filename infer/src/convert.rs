//! `infer convert`: another project's network as a style of ours, or a style for programs that are not ours.

use std::ffi::OsStr;
use std::path::Path;

use anyhow::{Context as _, ensure};
use common::exit_status::ExitStatus;
use common::style_file::{self, Origin, Shelf, StyleCard, canonical_name, sha256_hex};
use common::tensor_file::StoredAs;
use tch::Device;

use crate::cli::ConvertArgs;
use crate::plan::{same_file_key, usage};
use crate::stdout;

/// The largest number that f16 has.
const LARGEST_F16: f64 = 65_504.0;

pub(crate) fn run(args: &ConvertArgs) -> anyhow::Result<ExitStatus> {
    let output = &args.output;
    let save = match output.extension().and_then(OsStr::to_str) {
        Some("safetensors") => style_file::save,
        Some("onnx") => style_file::save_onnx,
        _ => {
            let shown = output.display();
            return Err(usage(format!("the output is to end in .safetensors or .onnx: {shown}")));
        }
    };
    let input = Shelf::standard().find(&args.input)?;
    let replaces_input = same_file_key(output) == same_file_key(&input);
    ensure!(!replaces_input, "the output would replace the input; choose another -o: {}", output.display());
    ensure!(
        args.overwrite || !output.exists(),
        "the output is there already; choose another -o or --overwrite: {}",
        output.display()
    );
    let (mut card, net) = style_file::load(&input, Device::Cpu)?;
    let stored_as = StoredAs::from(args.store);
    if stored_as == StoredAs::F16 {
        let largest = net.parameters().flat().abs().max().double_value(&[]);
        ensure!(
            largest <= LARGEST_F16,
            "weights as large as {largest:.3e} do not fit f16, use --store f32: {}",
            input.display()
        );
    }
    complete(&mut card, args, &input)?;
    save(output, &card, &net, stored_as)?;
    stdout::write(format!("{}\n", output.display()).as_bytes())?;
    Ok(ExitStatus::Success)
}

/// What is asked for goes before what the card says.
fn complete(card: &mut StyleCard, args: &ConvertArgs, input: &Path) -> anyhow::Result<()> {
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
        Some(origin) => complete_origin(origin, args, input),
        None if asked.source.is_some() || asked.licence.is_some() => {
            Err(usage("--source and --licence are for other projects' networks; this style is ours"))
        }
        None => Ok(()),
    }
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
