//! Whole optimisations, over a small random network.

use std::cell::RefCell;
use std::ops::ControlFlow;

use pixel::{Grey, Picture};
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use tch::{Device, Kind, Tensor};

use super::*;
use crate::colour_match::ColourMatch;
use crate::loss::{LossWeights, PerceptualLossSpec};
use crate::lossnet::{Arch, LossNet};
use crate::net::PairNetConfig;
use crate::optim::{AdamConfig, LbfgsConfig};
use crate::precision::Precision;
use crate::space::LossInputSpace;

const SIZE: (u32, u32) = (40, 32);

fn network(spec: &PerceptualLossSpec) -> LossNet {
    let rng = RefCell::new(ChaCha8Rng::seed_from_u64(4));
    crate::loss::drawn::network(&rng, Arch::Vgg19, LossInputSpace::oxford_bgr(), &spec.layers())
}

/// Waves of a few pixels: `seed` turns and colours them.
fn picture((width, height): (u32, u32), seed: u32) -> Picture {
    let pixel = |x: u32, y: u32| {
        let wave = |a: f32, b: f32| ((x as f32 * a + y as f32 * b + seed as f32).sin() * 100.0 + 128.0) as u8;
        [wave(0.3 * seed as f32, 0.2), wave(0.1, 0.5 * seed as f32), wave(0.4, 0.3)]
    };
    let rgb = (0..height).flat_map(|y| (0..width).flat_map(move |x| pixel(x, y))).collect();
    Picture::from_rgb(width, height, rgb).unwrap()
}

fn settings() -> GatysSettings {
    GatysSettings {
        loss: PerceptualLossSpec {
            weights: LossWeights { content: 1.0, style: 1e4, total_variation: 1e-2 },
            content_layers: "relu2_1".parse().unwrap(),
            style_layers: "relu1_1,relu2_1".parse().unwrap(),
            ..PerceptualLossSpec::default()
        },
        long_side_px: 0,
        style_scale: 1.0,
        start: Start::Content,
        parametrization: Parametrization::Pixels,
        optimizer: Optimizer::Lbfgs(LbfgsConfig::default()),
        iterations: 15,
        ladder: Ladder::Single,
        photorealism: 0.0,
        averaging: None,
        keeps_best: true,
        colours: Colours::Style,
        seed: 3,
        precision: Precision::F32,
        memory_bytes: None,
    }
}

fn adam(learning_rate: f64) -> Optimizer {
    Optimizer::Adam(AdamSettings { constants: AdamConfig::default(), learning_rate, decay: None })
}

fn style(seed: u32) -> GatysStyle {
    GatysStyle { picture: picture((36, 48), seed), weight: 1.0, mask: None, has_hole: false }
}

fn inputs() -> GatysInputs {
    GatysInputs { content: Some(picture(SIZE, 1)), styles: vec![style(5)], hole: None, size: None }
}

fn painted(settings: &GatysSettings, inputs: &GatysInputs) -> GatysPainting {
    painted_until(settings, inputs, u32::MAX).unwrap()
}

/// Stops after so many evaluations.
fn painted_until(
    settings: &GatysSettings,
    inputs: &GatysInputs,
    last: u32,
) -> Result<GatysPainting, GatysError> {
    paint(settings, inputs, network(&settings.loss), Device::Cpu, |progress| {
        if progress.evaluation >= last { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })
}

fn halves() -> [Grey; 2] {
    let half = |is_left: bool| {
        let values =
            (0..SIZE.1).flat_map(|_| (0..SIZE.0).map(|x| if (x < SIZE.0 / 2) == is_left { 255 } else { 0 }));
        Grey::new(SIZE.0, SIZE.1, values.collect()).unwrap()
    };
    [half(true), half(false)]
}

#[test]
fn either_optimiser_gets_down_and_does_as_many_evaluations_as_it_was_told() {
    for (optimizer, factor) in [(Optimizer::Lbfgs(LbfgsConfig::default()), 3.0), (adam(5.0), 1.5)] {
        let painting = painted(&GatysSettings { optimizer, ..settings() }, &inputs());
        assert_eq!((painting.evaluations, painting.ending), (15, GatysEnding::Complete));
        assert_eq!((painting.picture.width(), painting.picture.height()), SIZE);
        let (first, last) = (painting.first_losses.total, painting.losses.total);
        assert!(last * factor < first, "{first} {last}");
    }
}

#[test]
fn the_same_seed_paints_the_same_picture() {
    let noise = GatysSettings { start: Start::Gaussian(40.0), ..settings() };
    let [one, again] = [(); 2].map(|()| painted(&noise, &inputs()).picture);
    assert_eq!(one, again);
    assert_ne!(one, painted(&GatysSettings { seed: 4, ..noise }, &inputs()).picture);
}

#[test]
fn the_best_is_kept_and_not_the_last() {
    // Far too high a rate: Adam shoots out of the picture's range at once.
    let wild = GatysSettings { optimizer: adam(1000.0), iterations: 4, ..settings() };
    let mut losses = Vec::new();
    let best = paint(&wild, &inputs(), network(&wild.loss), Device::Cpu, |progress| {
        losses.push(progress.losses.total);
        ControlFlow::Continue(())
    });
    let lowest = losses.iter().copied().fold(f64::INFINITY, f64::min);
    assert_eq!(best.unwrap().losses.total, lowest);
    let last = painted(&GatysSettings { keeps_best: false, ..wild }, &inputs());
    assert_eq!(last.losses.total, *losses.last().unwrap());
    assert!(last.losses.total > lowest);
}

#[test]
fn who_stops_early_gets_the_best_so_far_at_the_results_size() {
    let climbing = GatysSettings { ladder: Ladder::LongSides(vec![20]), ..settings() };
    let painting = painted_until(&climbing, &inputs(), 4).unwrap();
    assert_eq!((painting.ending, painting.evaluations), (GatysEnding::Stopped, 4));
    assert_eq!((painting.picture.width(), painting.picture.height()), SIZE);
}

#[test]
fn every_rung_of_the_ladder_is_worked_at_by_either_optimiser_and_canvas() {
    let network_canvas = Parametrization::Network(PairNetConfig { width: 4, blocks: 1 });
    for (optimizer, parametrization, averaging) in [
        (Optimizer::Lbfgs(LbfgsConfig::default()), Parametrization::Pixels, None),
        (adam(5.0), Parametrization::Pixels, Some(0.9)),
        (adam(5e-3), network_canvas, None),
    ] {
        let ladder = Ladder::LongSides(vec![20, 28]);
        let settings =
            GatysSettings { optimizer, parametrization, averaging, ladder, iterations: 6, ..settings() };
        let mut widths = Vec::new();
        let mut done = 0.0;
        let painting = paint(&settings, &inputs(), network(&settings.loss), Device::Cpu, |progress| {
            widths.push(progress.rung.width);
            assert!(progress.done > done && progress.done <= 1.0);
            done = progress.done;
            ControlFlow::Continue(())
        });
        let painting = painting.unwrap();
        widths.dedup();
        assert_eq!(widths, [20, 28, 40]);
        assert!((done - 1.0).abs() < 1e-9, "{done}");
        assert!(painting.losses.total.is_finite());
    }
}

#[test]
fn a_hole_is_painted_and_nothing_else() {
    let [hole, _] = halves();
    let photo = picture(SIZE, 1);
    let around = GatysStyle { picture: photo.clone(), weight: 1.0, mask: None, has_hole: true };
    let inputs = GatysInputs { hole: Some(hole.clone()), styles: vec![around], ..inputs() };
    let mut settings = GatysSettings { start: Start::Gaussian(40.0), ..settings() };
    settings.loss.content_layers = crate::loss::LayerWeights::default();
    let painting = painted(&settings, &inputs);
    let mut changed = 0;
    for ((before, after), hole) in
        photo.rgb().chunks(3).zip(painting.picture.rgb().chunks(3)).zip(hole.values())
    {
        assert!(*hole == 255 || before == after, "outside of the hole it is the photo");
        changed += usize::from(before != after);
    }
    assert!(changed > 500, "{changed} of 640 pixels in the hole");
    assert!(painting.losses.total < painting.first_losses.total / 2.0);
}

#[test]
fn each_region_is_painted_like_its_own_style() {
    let [left, right] = halves();
    let styles = |masks: [Option<Grey>; 2]| {
        let [first, second] = masks;
        vec![GatysStyle { mask: first, ..style(5) }, GatysStyle { mask: second, ..style(9) }]
    };
    let inputs = |styles| GatysInputs { styles, ..inputs() };
    let mut settings = GatysSettings { iterations: 30, ..settings() };
    settings.loss.weights.content = 0.0;
    let painting = painted(&settings, &inputs(styles([Some(left.clone()), Some(right.clone())])));
    assert!(painting.losses.style < painting.first_losses.style / 5.0);
    // With the masks swapped the same picture costs far more.
    let judged = |masks| {
        let once = GatysSettings {
            start: Start::Picture(painting.picture.clone()),
            iterations: 1,
            ..settings.clone()
        };
        painted(&once, &inputs(styles(masks))).first_losses.style
    };
    let (own, swapped) =
        (judged([Some(left.clone()), Some(right.clone())]), judged([Some(right), Some(left)]));
    assert!(swapped > 3.0 * own, "{own} {swapped}");
}

#[test]
fn colours_can_stay_the_photos() {
    let photo = picture(SIZE, 1);
    let hue = |picture: &Picture| -> Vec<i32> {
        picture.rgb().chunks(3).map(|pixel| i32::from(pixel[0]) - i32::from(pixel[2])).collect()
    };
    let difference = |picture: &Picture| -> f64 {
        let pairs = hue(picture).into_iter().zip(hue(&photo));
        pairs.map(|(a, b)| f64::from((a - b).abs())).sum::<f64>() / f64::from(SIZE.0 * SIZE.1)
    };
    let of = |colours| difference(&painted(&GatysSettings { colours, ..settings() }, &inputs()).picture);
    let (style, luminance) = (of(Colours::Style), of(Colours::Luminance));
    assert!(luminance < style / 2.0, "{style} {luminance}");
    assert!(of(Colours::Matched(ColourMatch::OptimalTransport)).is_finite());
}

#[test]
fn without_a_photo_a_texture_comes_out() {
    let mut settings = GatysSettings { start: Start::Uniform(100.0), iterations: 30, ..settings() };
    settings.loss.content_layers = crate::loss::LayerWeights::default();
    settings.loss.weights.content = 0.0;
    let painting = painted(&settings, &GatysInputs { content: None, ..inputs() });
    assert_eq!((painting.picture.width(), painting.picture.height()), (36, 48), "as large as the painting");
    assert!(painting.losses.style < painting.first_losses.style / 10.0);
}

#[test]
fn a_loss_that_is_no_number_keeps_what_was_best() {
    // The steps themselves overflow: the picture of the second evaluation is not finite.
    let overflowing = GatysSettings { optimizer: adam(1e38), ..settings() };
    let painting = painted(&overflowing, &inputs());
    assert_eq!(painting.ending, GatysEnding::NotFinite);
    assert!(painting.losses.total.is_finite());
    assert_eq!(painting.picture, picture(SIZE, 1), "nothing was better than the start");

    let mut nonsense = settings();
    nonsense.loss.weights.style = f64::MAX;
    assert!(matches!(painted_until(&nonsense, &inputs(), 9), Err(GatysError::NotFinite)));
}

#[test]
fn what_is_too_small_is_said() {
    let mut settings = settings();
    settings.loss.style_layers = "relu5_1".parse().unwrap();
    let inputs =
        GatysInputs { styles: vec![GatysStyle { picture: picture((60, 9), 2), ..style(1) }], ..inputs() };
    let error = painted_until(&settings, &inputs, 1).err().unwrap().to_string();
    assert!(error.contains("a painting is 40x6") && error.contains("relu5_1, which needs 16"), "{error}");
    let none = GatysInputs { styles: Vec::new(), ..inputs };
    assert_eq!(painted_until(&settings, &none, 1).err(), Some(GatysError::NothingToDo));
}

#[test]
fn with_little_memory_the_same_picture_comes_out() {
    let tall = GatysInputs { content: Some(picture((24, 200), 1)), ..inputs() };
    let painted = |memory_bytes| painted(&GatysSettings { memory_bytes, iterations: 5, ..settings() }, &tall);
    let (whole, cut) = (painted(None), painted(Some(1)));
    assert!((cut.losses.total / whole.losses.total - 1.0).abs() < 1e-3);
    let differing =
        whole.picture.rgb().iter().zip(cut.picture.rgb()).filter(|(a, b)| a.abs_diff(**b) > 1).count();
    assert!(differing < 24 * 200 * 3 / 100, "{differing} values differ");
}

#[test]
fn photorealism_is_a_term_of_the_loss() {
    let with = |photorealism| painted(&GatysSettings { photorealism, ..settings() }, &inputs()).losses;
    assert_eq!(with(0.0).photorealism, None);
    let (little, much) = (with(1e-6).photorealism.unwrap(), with(1e6).photorealism.unwrap());
    assert!(much < little, "{little} {much}");
}

#[test]
fn moments_at_another_size_are_moments() {
    let values = Tensor::rand([3 * 6 * 8], (Kind::Float, Device::Cpu));
    let larger = canvas::resized(&values, (8, 6), (12, 9));
    assert_eq!(larger.size(), [3 * 9 * 12]);
    let means = [&values, &larger].map(|values| values.mean(Kind::Float).double_value(&[]));
    assert!((means[0] - means[1]).abs() < 0.05, "{means:?}");
}
