//! Films, by the engine as it is used.

use super::*;
use crate::net::{NetConfig, Parameters, Start};

fn engine(seed: u64) -> Engine {
    let config = NetConfig { width: 8, residual_blocks: 1, ..NetConfig::default() };
    let parameters = Parameters::init(&config, Start::PyTorch, seed, Device::Cpu);
    let options =
        EngineOptions { device: Device::Cpu, precision: PaintPrecision::default(), memory_bytes: None };
    Engine::new(StyleNet::new(config, parameters), &options)
}

fn film(frames: usize) -> Vec<Picture> {
    let frame = |index: usize| {
        let rgb = (0..40 * 30 * 3).map(|at: usize| ((at * at + 1) * (index + 1) % 251) as u8).collect();
        Picture::from_rgb(40, 30, rgb).unwrap()
    };
    (0..frames).map(frame).collect()
}

fn painted(engine: &Engine, frame: &Picture, norms: Option<&mut SharedNorms>) -> Vec<f32> {
    let mut planes = Vec::new();
    engine.paint_frame(frame, norms, |band| planes.extend_from_slice(band.planes)).unwrap();
    planes
}

#[test]
fn frames_together_are_frames_one_by_one() {
    let (engine, film) = (engine(5), film(4));
    assert_eq!(engine.preferred_batch(1920, 1080), 1);
    for is_steady in [false, true] {
        let [mut one_by_one, mut together] = [(); 2].map(|()| is_steady.then(SharedNorms::default));
        let mut found = vec![Vec::new(); film.len()];
        engine
            .paint_frames(&film, together.as_mut(), |frame, band| found[frame].extend_from_slice(band.planes))
            .unwrap();
        let expected: Vec<_> =
            film.iter().map(|frame| painted(&engine, frame, one_by_one.as_mut())).collect();
        assert!(found == expected, "steady: {is_steady}");
    }
    engine.paint_frames(&[], None, |_, _| unreachable!("no frames")).unwrap();
}

#[test]
fn statistics_of_another_engine_mean_nothing() {
    let (one, other, film) = (engine(5), engine(6), film(2));
    let mut norms = SharedNorms::default();
    drop(painted(&one, &film[0], Some(&mut norms)));
    assert!(painted(&other, &film[1], Some(&mut norms)) == painted(&other, &film[1], None));
    assert!(painted(&one, &film[1], Some(&mut norms)) == painted(&one, &film[1], None));
}
