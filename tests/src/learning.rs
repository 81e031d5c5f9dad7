//! The training loop as a library call, on a tiny set with a tiny loss network.

use std::ops::ControlFlow;

use common::colour_match::ColourMatch;
use common::loss::{LossValues, TemporalSpec};
use common::net::{NetConfig, Upsample};
use common::precision::Precision;
use common::style_file;
use tch::Device;
use trainer::journal::JournalEntry;
use trainer::recipe::Recipe;
use trainer::training::{Ending, Trained, Training, TrainingEvent};

use crate::support::studio::{Studio, tiny_recipe};

/// Trains in a folder of its own; `stop_after` ends it early. Returns the losses of each step.
fn run(recipe: &Recipe, folder: &tempfile::TempDir, stop_after: u64) -> (Trained, Vec<LossValues>) {
    let studio = Studio::new(folder.path());
    let run = studio.run_folder();
    let mut reports = Vec::new();
    let training =
        Training::prepare(recipe.clone(), Studio::settings(), studio.inputs(recipe), None).unwrap();
    let trained = training.run(&run, &mut |event| match event {
        TrainingEvent::Step { step } if step == stop_after => ControlFlow::Break(()),
        TrainingEvent::Recorded(JournalEntry::Step { losses, .. }) => {
            reports.push(losses.clone());
            ControlFlow::Continue(())
        }
        _ => ControlFlow::Continue(()),
    });
    (trained.unwrap(), reports)
}

#[test]
fn the_loss_falls_and_the_style_file_holds_what_was_learnt() {
    let folder = tempfile::tempdir().unwrap();
    let (trained, reports) = run(&tiny_recipe(120), &folder, 0);
    let total = |losses: &[LossValues]| LossValues::mean(losses).total;
    let (first, last) = (total(&reports[..5]), total(&reports[reports.len() - 5..]));
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
fn matched_colours_change_what_is_learnt_by_either_way() {
    let flats = [ColourMatch::None, ColourMatch::Cholesky, ColourMatch::Symmetric].map(|match_colors| {
        let folder = tempfile::tempdir().unwrap();
        let (trained, _) = run(&Recipe { match_colors, ..tiny_recipe(2) }, &folder, 0);
        style_file::load(&trained.style_file, Device::Cpu).unwrap().1.parameters().flat().copy()
    });
    let [none, cholesky, symmetric] = &flats;
    assert!(!none.equal(cholesky) && !none.equal(symmetric) && !cholesky.equal(symmetric));
}

#[test]
fn a_training_that_is_stopped_keeps_what_it_learnt() {
    let folder = tempfile::tempdir().unwrap();
    let (trained, reports) = run(&tiny_recipe(40), &folder, 3);
    assert_eq!(trained.ending, Ending::Stopped);
    assert_eq!((trained.outcome.steps, reports.len()), (3, 3));
    assert!(style_file::load(&trained.style_file, Device::Cpu).is_ok());
}

/// A temporal loss from the first step on.
fn steady(weight: f64) -> TemporalSpec {
    TemporalSpec { weight, ramp: [0.0, 0.0], ..TemporalSpec::default() }
}

#[test]
fn the_temporal_loss_falls_for_its_weight_while_the_others_fall_too() {
    let weight = 1e-4;
    let factor = weight * TemporalSpec::WEIGHT_UNIT;
    // So light a weight teaches nothing, but is measured.
    let [plain, steadied] = [1e-12, weight].map(|weight| {
        let folder = tempfile::tempdir().unwrap();
        let mut recipe = Recipe { temporal: steady(weight), ..tiny_recipe(120) };
        // About as much as content, or the network would give up style first.
        recipe.loss.weights.style = 1000.0;
        run(&recipe, &folder, 0).1
    });
    let temporal = |losses: &LossValues| losses.temporal.unwrap();
    // All that a training without it looks at.
    let rest = |losses: &LossValues, factor: f64| losses.total - factor * temporal(losses);
    let untrained = &plain[0];
    let [of_plain, of_steadied] = [&plain, &steadied].map(|losses| LossValues::mean(&losses[100..]));
    assert!(
        temporal(&of_steadied) < 0.7 * temporal(&of_plain),
        "{} of {}",
        temporal(&of_steadied),
        temporal(&of_plain)
    );
    // It has still learnt to paint; nothing at all would be steadiest.
    let (first, last) = (rest(untrained, 0.0), rest(&of_steadied, factor));
    assert!(last < 0.5 * first, "from {first} to {last}");
    assert!(of_steadied.style < 0.5 * untrained.style, "{} of {}", of_steadied.style, untrained.style);
}

#[test]
fn the_temporal_loss_counts_from_its_ramp_on_and_changes_nothing_before() {
    let temporal = TemporalSpec { weight: 1.0, ramp: [0.5, 0.5], ..TemporalSpec::default() };
    let [plain, steadied] = [TemporalSpec::default(), temporal].map(|temporal| {
        let folder = tempfile::tempdir().unwrap();
        run(&Recipe { temporal, ..tiny_recipe(8) }, &folder, 0).1
    });
    assert!(plain.iter().all(|losses| losses.temporal.is_none()));
    assert!(steadied.iter().all(|losses| losses.temporal_features.is_none()));
    let counts: Vec<bool> = steadied.iter().map(|losses| losses.temporal.is_some()).collect();
    assert_eq!(counts, [false, false, false, false, true, true, true, true]);
    assert_eq!(plain[..4], steadied[..4]);
    assert_eq!(plain[4].style, steadied[4].style, "the fifth step starts where the fourth has led");
    assert_ne!(plain[5].style, steadied[5].style);
}

#[test]
fn other_networks_and_precisions_learn_steadiness_too() {
    let plain = tiny_recipe(2);
    let transposed = NetConfig { upsample: Upsample::Transposed, ..plain.net.clone() };
    for recipe in
        [Recipe { net: transposed, ..plain.clone() }, Recipe { precision: Precision::Bf16, ..plain }]
    {
        let folder = tempfile::tempdir().unwrap();
        let temporal = TemporalSpec { features: 1.0, ..steady(1.0) };
        let (_, reports) = run(&Recipe { temporal, accumulate: 2, ..recipe }, &folder, 0);
        let terms = reports.iter().flat_map(|losses| [losses.temporal, losses.temporal_features]);
        assert_eq!(terms.map(|loss| loss.is_some_and(|loss| loss > 0.0)).collect::<Vec<_>>(), [true; 4]);
    }
}
