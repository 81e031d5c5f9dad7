//! The training loop from Rust: learns a painting and hears of every step.
//!
//! `cargo run --release -p trainer --example callback -- PAINTING PHOTOS LOSS_NET`
#![allow(clippy::print_stdout, reason = "an example talks to its user")]

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use common::style_file::{Painting, StyleCard, sha256_hex};
use datasets::PhotoFolder;
use tch::Device;
use trainer::config::RunSettings;
use trainer::journal::JournalEntry;
use trainer::recipe::Recipe;
use trainer::run_folder::RunFolder;
use trainer::training::{StylePicture, Training, TrainingEvent, TrainingInputs};

fn main() -> anyhow::Result<()> {
    let mut args = std::env::args().skip(1);
    let mut next = || args.next().map(PathBuf::from).context("usage: callback PAINTING PHOTOS LOSS_NET");
    let (painting, photos, loss_net) = (next()?, next()?, next()?);

    let recipe = Recipe { steps: 20, batch: 2, crop_px: 128, ..Recipe::default() };
    let bytes = std::fs::read(&painting)?;
    let style = StylePicture {
        picture: pixel::decode_bytes(&bytes, &pixel::DecodeLimits::default())?,
        weight: 1.0,
        sha256: sha256_hex(&bytes),
    };
    let inputs = TrainingInputs {
        card: StyleCard::new(
            recipe.net.clone(),
            Painting { name: "example".to_owned(), ..Painting::default() },
        ),
        paintings: vec![style],
        photos: PhotoFolder::scan(photos)?,
        from: None,
        validation: None,
        loss_net,
        device: Device::Cpu,
        decode_threads: 1,
    };

    let settings = RunSettings { log_every: 1, ..RunSettings::default() };
    let training = Training::prepare(recipe, settings, inputs, None)?;
    let run = RunFolder::replace(Path::new("runs"), "example")?;
    let trained = training.run(&run, &mut |event| {
        if let TrainingEvent::Recorded(JournalEntry::Step { step, losses, .. }) = event {
            println!("step {step}: style {:.3e}, content {:.3e}", losses.style, losses.content);
        }
        // Break would end the training and keep what was learnt.
        ControlFlow::Continue(())
    })?;
    println!("{}", trained.style_file.display());
    Ok(())
}
