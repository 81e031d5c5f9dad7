//! The training loop as a library call, on a tiny set with a tiny loss network.

use std::ops::ControlFlow;

use common::loss::LayerWeights;
use common::net::NetConfig;
use common::optim::{Decay, LearningRateSchedule};
use common::style_file::{self, Painting};
use common::tensor_file::StoredAs;
use datasets::PhotoFolder;
use tch::Device;
use trainer::recipe::Recipe;
use trainer::run_folder::RunFolder;
use trainer::training::{StepReport, Trained, Training, TrainingEvent, TrainingInputs};

use crate::support::{scenes, tiny_vgg};

fn layers(names: &str) -> LayerWeights {
    names.parse().expect("layers")
}

fn tiny_recipe(steps: u64) -> Recipe {
    let mut recipe = Recipe { steps, batch: 2, crop_px: 32, ..Recipe::default() };
    recipe.net = NetConfig { width: 4, residual_blocks: 1, ..NetConfig::default() };
    recipe.learning_rate = LearningRateSchedule { peak: 1e-2, warmup_steps: 2, decay: Decay::Constant };
    recipe.output_rate_factor = 0.2;
    recipe.loss.content_layers = layers(tiny_vgg::CONTENT_LAYER);
    recipe.loss.style_layers = layers(tiny_vgg::STYLE_LAYERS);
    recipe.loss.weights.content = 1.0;
    recipe.loss.weights.style = 100.0;
    recipe.loss.weights.total_variation = 1e-4;
    recipe
}

/// Trains in a folder of its own; `stop_after` ends it early. Returns the reports, one for each step.
fn run(recipe: &Recipe, folder: &tempfile::TempDir, stop_after: u64) -> (Trained, Vec<StepReport>) {
    let (photos, loss_net) = (folder.path().join("photos"), folder.path().join("vgg.safetensors"));
    scenes::photo_folder(&photos, 6);
    std::fs::write(photos.join("broken.jpg"), "no picture").unwrap();
    tiny_vgg::write(&loss_net);
    let inputs = TrainingInputs {
        painting: Painting { name: "test".to_owned(), ..Painting::default() },
        painting_picture: scenes::rectangles(64, 48, 99),
        photos: PhotoFolder::scan(&photos).unwrap(),
        from: None,
        validation: None,
        loss_net,
        device: Device::Cpu,
        decode_threads: 2,
        stored_as: StoredAs::F32,
        log_every: 1,
        save_every: 5,
    };
    let run = RunFolder::create(&folder.path().join("runs"), "test").unwrap();
    let mut reports = Vec::new();
    let training = Training::prepare(recipe.clone(), inputs).unwrap();
    let trained = training.run(&run, &mut |event| match event {
        TrainingEvent::Step { step, report } => {
            reports.extend(report);
            if step == stop_after { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        }
        _ => ControlFlow::Continue(()),
    });
    (trained.unwrap(), reports)
}

#[test]
fn the_loss_falls_and_the_style_file_holds_what_was_learnt() {
    let folder = tempfile::tempdir().unwrap();
    let (trained, reports) = run(&tiny_recipe(120), &folder, 0);
    let mean = |reports: &[StepReport]| {
        reports.iter().map(|report| report.losses.total).sum::<f64>() / reports.len() as f64
    };
    let (first, last) = (mean(&reports[..5]), mean(&reports[reports.len() - 5..]));
    assert!(last < 0.5 * first, "from {first} to {last}");

    assert_eq!((trained.outcome.steps, trained.outcome.images), (120, 240));
    let (card, net) = style_file::load(&trained.style_file, Device::Cpu).unwrap();
    assert_eq!(card.outcome, Some(trained.outcome));
    assert_eq!(card.recipe["batch"], 2);
    assert_eq!(net.config().width, 4);
    assert_eq!(trained.skipped.len(), 1);
    let listed = std::fs::read_to_string(folder.path().join("runs/test/skipped.txt")).unwrap();
    assert!(listed.contains("broken.jpg"), "{listed}");
}

#[test]
fn the_same_seed_learns_the_same_bit_for_bit() {
    let flats = [0, 1].map(|_| {
        let folder = tempfile::tempdir().unwrap();
        let (trained, _) = run(&tiny_recipe(4), &folder, 0);
        style_file::load(&trained.style_file, Device::Cpu).unwrap().1.parameters().flat().copy()
    });
    assert!(flats[0].equal(&flats[1]));
}

#[test]
fn a_training_that_is_stopped_keeps_what_it_learnt() {
    let folder = tempfile::tempdir().unwrap();
    let (trained, reports) = run(&tiny_recipe(40), &folder, 3);
    assert!(trained.was_stopped);
    assert_eq!((trained.outcome.steps, reports.len()), (3, 3));
    assert!(style_file::load(&trained.style_file, Device::Cpu).is_ok());
}
