//! `infer bench`: how fast pictures are painted on this machine, from decoded to painted bytes.

mod table;

use std::collections::BTreeMap;
use std::time::Instant;

use common::engine::{Engine, LayerClock};
use common::exit_status::ExitStatus;
use common::memory;
use common::net::{NetConfig, Parameters, Start, StyleNet};
use common::style_file::{self, Shelf};
use pixel::Picture;
use serde::Serialize;

use crate::cli::{BenchArgs, Size};
use crate::stdout;

/// What was measured at one size.
#[derive(Serialize)]
struct Measured {
    /// Width first, as it is asked for.
    size: String,
    device: String,
    /// The median time of a picture.
    ms: f64,
    megapixels_per_s: f64,
    /// The most that the process has held so far, at this size or one before.
    peak_memory_mib: Option<f64>,
    /// Median time of each layer, its norm included; empty where layers are not timed.
    layers_ms: BTreeMap<String, f64>,
}

pub(crate) fn run(args: &BenchArgs) -> anyhow::Result<ExitStatus> {
    let options = args.compute.engine_options()?;
    let net = if let Some(style) = &args.style {
        style_file::load(&Shelf::standard().find(style)?, options.device)?.1
    } else {
        let config = NetConfig::default();
        let parameters = Parameters::init(&config, Start::PyTorch, 0, options.device);
        StyleNet::new(config, parameters)
    };
    let engine = Engine::new(net, &options);
    for &size in &args.sizes {
        let measured = measure(&engine, size, args.rounds, format!("{:?}", options.device).to_lowercase())?;
        let text = if args.json { serde_json::to_string(&measured)? + "\n" } else { table::table(&measured) };
        stdout::write(text.as_bytes())?;
    }
    Ok(ExitStatus::Success)
}

fn measure(engine: &Engine, size: Size, rounds: u32, device: String) -> anyhow::Result<Measured> {
    let photo = noise(size);
    let (mut times_ms, mut layers_ms) = (Vec::new(), BTreeMap::<String, Vec<f64>>::new());
    for round in 0..=rounds {
        let mut clock = LayerClock::default();
        let start = Instant::now();
        let painted = engine.paint_picture_timed(&photo, &mut clock)?;
        let time = start.elapsed();
        anyhow::ensure!(painted.width() == size.width, "the size of the result");
        if round == 0 {
            continue; // memory is fresh, and a GPU chooses its algorithms
        }
        times_ms.push(time.as_secs_f64() * 1e3);
        for (layer, time) in clock.laps() {
            layers_ms.entry((*layer).to_owned()).or_default().push(time.as_secs_f64() * 1e3);
        }
    }
    let ms = median(&mut times_ms);
    let megapixels = f64::from(size.width) * f64::from(size.height) / 1e6;
    Ok(Measured {
        size: format!("{}x{}", size.width, size.height),
        device,
        ms,
        megapixels_per_s: megapixels / ms * 1e3,
        peak_memory_mib: memory::peak_resident_bytes().map(|bytes| bytes as f64 / f64::from(1 << 20)),
        layers_ms: layers_ms.into_iter().map(|(layer, mut times)| (layer, median(&mut times))).collect(),
    })
}

/// A picture that is nowhere flat: the time does not depend on it.
fn noise(size: Size) -> Picture {
    let values = 3 * u64::from(size.width) * u64::from(size.height);
    let bytes = (0..values).map(|at| (at.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8);
    Picture::from_rgb(size.width, size.height, bytes.collect()).expect("as many bytes as pixels ask for")
}

fn median(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    let middle = times.len() / 2;
    if times.len().is_multiple_of(2) {
        f64::midpoint(times[middle - 1], times[middle])
    } else {
        times[middle]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(median(&mut [3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&mut [4.0, 1.0, 2.0, 3.0]), 2.5);
    }
}
