//! `--sweep`: the experiments that people run by hand, on one sheet.

use std::ffi::OsString;

use anyhow::bail;
use common::exit_status::{ExitStatus, UsageError};
use common::gatys::GatysEnding;
use pixel::{Format, SheetCell};

use super::super::stdout::print;
use super::{parse_with, run};
use crate::cli::GatysArgs;
use crate::interrupt;
use crate::plan::GatysPlan;

/// Longest side of a picture on the sheet, in pixels.
const CELL_PX: u32 = 384;
/// More pictures than this are more likely a slip than meant.
const MOST_CELLS: usize = 100;

/// One option and its values.
struct Axis {
    option: String,
    values: Vec<String>,
}

impl Axis {
    fn parse(text: &str) -> Result<Self, UsageError> {
        let wrong = || {
            UsageError(format!(
                "--sweep {text}: expected an option and its values, as in style-weight=1e2,1e3"
            ))
        };
        let (option, values) = text.split_once('=').ok_or_else(wrong)?;
        let option = option.trim().trim_start_matches("--").to_owned();
        let separator = if values.contains('|') { '|' } else { ',' };
        let values: Vec<String> = values
            .split(separator)
            .map(|value| value.trim().to_owned())
            .filter(|value| !value.is_empty())
            .collect();
        if option.is_empty() || values.is_empty() || ["sweep", "output", "style"].contains(&option.as_str()) {
            return Err(wrong());
        }
        // As people call it.
        let option = if option == "backbone" { "loss-net".to_owned() } else { option };
        Ok(Self { option, values })
    }
}

/// Paints for each combination of values, and writes the sheet of what came of it.
pub(super) fn sweep(args: &GatysArgs) -> anyhow::Result<ExitStatus> {
    let axes: Vec<Axis> = args.sweep.iter().map(|text| Axis::parse(text)).collect::<Result<_, _>>()?;
    let count: usize = axes.iter().map(|axis| axis.values.len()).product();
    if count > MOST_CELLS {
        bail!(UsageError(format!("--sweep: {count} pictures; expected {MOST_CELLS} at most")));
    }
    let words = without_sweeps(std::env::args_os());
    // All plans before any work, so that a value that makes no sense costs nothing.
    let mut plans = Vec::new();
    for cell in 0..count {
        let (mut words, mut heading) = (words.clone(), Vec::new());
        let mut rest = cell;
        for axis in axes.iter().rev() {
            let value = &axis.values[rest % axis.values.len()];
            rest /= axis.values.len();
            words.push(format!("--{}={value}", axis.option).into());
            heading.insert(0, format!("{}={value}", axis.option));
        }
        let swept = parse_with(&words).map_err(|error| UsageError(first_line(&error.to_string())))?;
        plans.push((heading.join(" "), GatysPlan::from_args(swept)?));
    }
    let (output, format) = match plans.first() {
        Some((_, plan)) => (plan.output.clone(), plan.format),
        None => bail!("nothing to sweep"),
    };

    let is_quiet = args.seeing.quiet;
    let mut cells: Vec<SheetCell> = Vec::new();
    for (place, (heading, plan)) in plans.iter().enumerate() {
        let painting = run(plan, &format!("{}/{count} {heading}  ", place + 1))?;
        let losses = &painting.losses;
        let text = format!(
            "loss {:.3e} ({:.1}x less) content {:.2e} style {:.2e}",
            losses.total,
            painting.first_losses.total / losses.total,
            losses.content,
            losses.style
        );
        if !is_quiet {
            eprintln!("{heading}: {text}");
        }
        cells.push(SheetCell { picture: painting.picture, heading: heading.clone(), text });
        write_sheet(&cells, &output, format)?;
        if painting.ending == GatysEnding::Stopped || interrupt::is_requested() {
            print(&format!("{}\n", output.display()))?;
            return Ok(ExitStatus::Interrupted);
        }
    }
    print(&format!("{}\n", output.display()))?;
    Ok(ExitStatus::Success)
}

/// The sheet as far as it goes, so that nothing is lost.
fn write_sheet(cells: &[SheetCell], output: &std::path::Path, format: Format) -> anyhow::Result<()> {
    let sheet = pixel::contact_sheet(cells, CELL_PX).expect("there are cells");
    pixel::write_file(&sheet, output, format)?;
    Ok(())
}

/// The words that were typed, without the sweeps.
fn without_sweeps(words: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut kept = Vec::new();
    let mut words = words.peekable();
    while let Some(word) = words.next() {
        if word == "--sweep" {
            words.next();
        } else if !word.to_string_lossy().starts_with("--sweep=") {
            kept.push(word);
        }
    }
    kept
}

/// What clap says first is what is wrong.
fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sweeps_are_read() {
        let axis = |text: &str| Axis::parse(text).map(|axis| (axis.option, axis.values)).ok();
        let strings = |values: &[&str]| values.iter().map(|&value| value.to_owned()).collect::<Vec<_>>();
        assert_eq!(
            axis("style-weight=1e2, 1e3"),
            Some(("style-weight".to_owned(), strings(&["1e2", "1e3"])))
        );
        let layers = axis("style-layers=relu1_1|relu1_1,relu2_1");
        assert_eq!(layers, Some(("style-layers".to_owned(), strings(&["relu1_1", "relu1_1,relu2_1"]))));
        assert_eq!(axis("backbone=vgg16,vgg19").unwrap().0, "loss-net");
        for text in ["", "init", "init=", "=1", "output=a.png,b.png"] {
            assert!(axis(text).is_none(), "{text}");
        }
    }

    #[test]
    fn the_sweeps_are_taken_out_of_the_words() {
        let words =
            ["trainer", "gatys", "--sweep", "a=1,2", "-o", "x.png", "--sweep=b=3"].map(OsString::from);
        assert_eq!(
            without_sweeps(words.into_iter()),
            ["trainer", "gatys", "-o", "x.png"].map(OsString::from)
        );
    }
}
