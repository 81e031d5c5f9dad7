//! A run that was interrupted, in whatever way, learns what it would have learnt.

use std::ops::ControlFlow;

use common::loss::TemporalSpec;
use common::net::Parameters;
use common::style_file;
use tch::{Device, Tensor};
use trainer::checkpoint::Checkpoint;
use trainer::config::RunSettings;
use trainer::device_room::ResidentRoom;
use trainer::recipe::{Optimizer, Recipe};
use trainer::training::{Ending, Trained, Training, TrainingEvent};

use crate::support::studio::{Studio, tiny_recipe};

/// Everything that has a state.
fn recipe(steps: u64) -> Recipe {
    let mut recipe = tiny_recipe(steps);
    recipe.accumulate = 2;
    recipe.clip_norm = Some(0.5);
    recipe.ema_decay = Some(0.9);
    recipe.optimizer = Optimizer::Muon;
    recipe.temporal =
        TemporalSpec { weight: 1.0, features: 1.0, ramp: [0.2, 0.6], ..TemporalSpec::default() };
    recipe
}

/// Starts or goes on, until `stop_after` or the end.
fn train(studio: &Studio, recipe: &Recipe, settings: &RunSettings, stop_after: u64) -> Trained {
    let run = studio.run_folder();
    let mut inputs = studio.inputs(recipe);
    inputs.validation = (settings.validate_every > 0).then(|| studio.validation(recipe));
    let newest = Checkpoint::newest(&run, recipe, &inputs.fingerprint(), Device::Cpu).unwrap();
    let checkpoint = newest.map(|(checkpoint, broken)| {
        assert!(broken.is_empty());
        checkpoint
    });
    let training = Training::prepare(recipe.clone(), settings.clone(), inputs, checkpoint).unwrap();
    let stop = |event: TrainingEvent<'_>| match event {
        TrainingEvent::Step { step } if step == stop_after => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    };
    training.run(&run, &mut { stop }).unwrap()
}

/// The network in the style file, and the whole last checkpoint, as flat buffers.
fn result(studio: &Studio, recipe: &Recipe, trained: &Trained) -> Vec<Tensor> {
    let (_, net) = style_file::load(&trained.style_file, Device::Cpu).unwrap();
    let fingerprint = studio.inputs(recipe).fingerprint();
    let (checkpoint, _) =
        Checkpoint::newest(&studio.run_folder(), recipe, &fingerprint, Device::Cpu).unwrap().unwrap();
    assert_eq!(checkpoint.progress.step, trained.outcome.steps);
    vec![
        net.parameters().flat().copy(),
        checkpoint.parameters,
        checkpoint.adam.first_moment,
        checkpoint.adam.second_moment,
        checkpoint.average.unwrap(),
    ]
}

#[test]
fn a_stopped_run_goes_on_bit_for_bit() {
    check_a_stopped_run_goes_on(&recipe(9), ResidentRoom::Off);
}

#[test]
fn a_stopped_run_of_resident_photos_goes_on_bit_for_bit() {
    let recipe = Recipe { reduce_photos_first: true, ..recipe(9) };
    // Room for two of the photos.
    check_a_stopped_run_goes_on(&recipe, ResidentRoom::Gigabytes(1e-5));
}

fn check_a_stopped_run_goes_on(recipe: &Recipe, resident_gb: ResidentRoom) {
    let settings = RunSettings { resident_gb, ..Studio::settings() };
    let straight_folder = tempfile::tempdir().unwrap();
    let straight = Studio::new(straight_folder.path());
    let trained = train(&straight, recipe, &settings, 0);
    let expected = result(&straight, recipe, &trained);
    assert!(!expected[0].equal(&expected[1]), "the average is what is saved");

    let folder = tempfile::tempdir().unwrap();
    let broken = Studio::new(folder.path());
    for stop_after in [1, 2, 5, 8] {
        let trained = train(&broken, recipe, &settings, stop_after);
        assert_eq!((trained.ending, trained.outcome.steps), (Ending::Stopped, stop_after));
    }
    let trained = train(&broken, recipe, &settings, 0);
    assert_eq!((trained.ending, trained.outcome.steps), (Ending::Complete, 9));
    assert_eq!(trained.skipped.len(), 1, "a broken photo is listed once");
    for (expected, found) in expected.iter().zip(result(&broken, recipe, &trained)) {
        assert!(found.equal(expected));
    }
}

#[test]
fn a_finished_run_can_be_given_more_steps() {
    let folder = tempfile::tempdir().unwrap();
    let studio = Studio::new(folder.path());
    let first = train(&studio, &recipe(3), &Studio::settings(), 0);
    let more = train(&studio, &recipe(5), &Studio::settings(), 0);
    assert_eq!((first.outcome.steps, more.outcome.steps), (3, 5));
}

#[test]
fn resuming_a_complete_run_keeps_what_it_came_to() {
    let folder = tempfile::tempdir().unwrap();
    let studio = Studio::new(folder.path());
    let settings = RunSettings { validate_every: 2, ..Studio::settings() };
    let first = train(&studio, &recipe(3), &settings, 0).outcome;
    let again = train(&studio, &recipe(3), &settings, 0).outcome;
    assert!(first.validation.is_some() && first.validation_of_photos.is_some());
    let [painted, photos] = [&first.validation, &first.validation_of_photos]
        .map(|losses| losses.as_ref().and_then(|losses| losses.temporal).unwrap());
    assert!(0.0 < photos && photos < painted, "{photos} and {painted}: noise alone moves photos");
    assert_eq!(again, first);
}

#[test]
fn a_damaged_checkpoint_gives_way_to_the_one_before() {
    let folder = tempfile::tempdir().unwrap();
    let studio = Studio::new(folder.path());
    let recipe = recipe(4);
    let settings = RunSettings { checkpoint_every: 2, ..Studio::settings() };
    train(&studio, &recipe, &settings, 0);
    let newest = folder.path().join("runs/test/checkpoints/step-00000004.safetensors");
    let bytes = std::fs::read(&newest).unwrap();
    std::fs::write(&newest, &bytes[..bytes.len() / 2]).unwrap();
    let fingerprint = studio.inputs(&recipe).fingerprint();
    let run = studio.run_folder();
    let (checkpoint, broken) = Checkpoint::newest(&run, &recipe, &fingerprint, Device::Cpu).unwrap().unwrap();
    assert_eq!((checkpoint.progress.step, broken.len()), (2, 1));
    assert!(broken[0].to_string().contains("step-00000004"), "{}", broken[0]);
}

#[test]
fn the_best_network_is_kept_when_validation_stops_improving() {
    let folder = tempfile::tempdir().unwrap();
    let studio = Studio::new(folder.path());
    let mut recipe = Recipe { ema_decay: None, ..tiny_recipe(400) };
    // A rate at which the losses soon jump up and down.
    recipe.learning_rate.peak = 0.2;
    let settings = RunSettings {
        validate_every: 2,
        patience: Some(3),
        keep_checkpoints: 1,
        checkpoint_every: 1,
        ..Studio::settings()
    };
    let trained = train(&studio, &recipe, &settings, 0);
    assert_eq!(trained.ending, Ending::NoLongerImproving);
    assert!(trained.outcome.steps < 400);

    let fingerprint = studio.inputs(&recipe).fingerprint();
    let (last, _) =
        Checkpoint::newest(&studio.run_folder(), &recipe, &fingerprint, Device::Cpu).unwrap().unwrap();
    let best = last.progress.best.unwrap();
    assert_eq!(last.progress.validations_since_best, 3);
    assert_eq!(best.step + 3 * 2, trained.outcome.steps);
    assert_eq!(trained.outcome.validation, Some(best.losses));
    let kept = folder.path().join(format!("runs/test/checkpoints/step-{:08}.safetensors", best.step));
    let best = Checkpoint::read(&kept, &recipe, &fingerprint, Device::Cpu).unwrap();
    let (_, net) = style_file::load(&trained.style_file, Device::Cpu).unwrap();
    assert!(net.parameters().flat().equal(&best.parameters));
    assert_eq!(best.parameters.size(), [Parameters::count(&recipe.net)]);
}
