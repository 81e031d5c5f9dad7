//! On the CPU device, where libtorch does the same; that of a GPU is checked by `tests/gpu`.

use super::*;
use crate::engine::LayerClock;
use crate::engine::cpu::CpuEngine;
use crate::net::{NetConfig, Padding, Parameters, Start, Upsample};

fn net(config: &NetConfig) -> StyleNet {
    let parameters = Parameters::init(config, Start::PyTorch, 5, Device::Cpu);
    StyleNet::new(config.clone(), parameters)
}

fn photo(height: u32, width: u32) -> Picture {
    let rgb = (0..height * width * 3).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8);
    Picture::from_rgb(width, height, rgb.collect()).unwrap()
}

fn painted(engine: &LibtorchEngine, photo: &Picture, band: i64) -> Tensor {
    let _guard = tch::no_grad_guard();
    let mut bands = Vec::new();
    let mut receive = |band: Band<'_>| {
        let size = [3, i64::from(band.rows), i64::from(band.width)];
        bands.push(Tensor::from_slice(band.planes).view(size));
    };
    engine.paint_batch(std::slice::from_ref(photo), band, None, &mut |_, band| receive(band));
    Tensor::cat(&bands, 1)
}

fn largest_difference(a: &Tensor, b: &Tensor) -> f64 {
    assert_eq!(a.size(), b.size());
    (a - b).abs().max().double_value(&[])
}

#[test]
fn it_paints_what_the_plain_pass_paints_whole_and_in_bands() {
    let other = NetConfig { input: InputSpace::ByteBgr, output: OutputRange::Linear, ..NetConfig::default() };
    for config in [NetConfig::default(), other] {
        let config = NetConfig { width: 8, residual_blocks: 2, ..config };
        let plain = net(&config);
        let engine = LibtorchEngine::new(net(&config), Kind::Float);
        // Not of one or two pixels, which are one colour at the latest behind a stride of 2: what libtorch makes of that in
        // f32 is rounding over the root of epsilon, and on some processors a hundred levels of difference.
        for (height, width) in [(1, 37), (13, 40), (170, 67)] {
            let photo = photo(height, width);
            let byte_rgb = byte_rgb_from_picture(&photo, Device::Cpu);
            let expected = tch::no_grad(|| plain.forward(&byte_rgb)).squeeze_dim(0);
            for band in [1000, 16, 8] {
                let difference = largest_difference(&painted(&engine, &photo, band), &expected);
                assert!(difference < 0.05, "{height}x{width}, bands of {band}: {difference}");
            }
        }
    }
}

/// Of what ships, on what ships.
#[test]
fn sixteen_bits_paint_the_same_picture() {
    let checkpoints = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../checkpoints");
    let style = checkpoints.join("great-wave.safetensors");
    let load = |kind| LibtorchEngine::new(crate::style_file::load(&style, Device::Cpu).unwrap().1, kind);
    let sample = checkpoints.join("samples/valley.great-wave.jpg");
    let photo = pixel::decode_file(sample, &pixel::DecodeLimits::default()).unwrap();
    let photo = photo.crop(100, 100, 160, 128).unwrap();
    let exact = painted(&load(Kind::Float), &photo, 1000).clamp(0.0, 255.0);
    for (kind, least_db) in [(Kind::Half, 45.0), (Kind::BFloat16, 30.0)] {
        let found = painted(&load(kind), &photo, 1000).clamp(0.0, 255.0);
        let mean_square = (&exact - found).square().mean(Kind::Double).double_value(&[]);
        let psnr_db = 10.0 * (255.0f64.powi(2) / mean_square).log10();
        assert!(psnr_db > least_db, "{kind:?}: {psnr_db:.1} dB");
    }
}

#[test]
fn other_families_are_painted_too() {
    let config =
        NetConfig { width: 8, residual_blocks: 1, padding: Padding::ZeroSame, ..NetConfig::default() };
    let engine = LibtorchEngine::new(net(&config), Kind::Float);
    let mut rows = 0;
    engine.paint(&[photo(20, 31)], None, &mut |_, band| rows += band.rows).unwrap();
    assert_eq!(rows, 20);
}

/// Frames that become lighter, with something that moves.
fn film(frames: u32, height: u32, width: u32) -> Vec<Picture> {
    let still = photo(height, width);
    let frame = |index: u32| {
        let lighter = |(at, &value): (usize, &u8)| {
            let moved = if at as u32 / 3 % width / 8 == index { 255 } else { value };
            (u32::from(moved) * (index + 2) / (frames + 2)) as u8
        };
        let rgb = still.rgb().iter().enumerate().map(lighter).collect();
        Picture::from_rgb(width, height, rgb).unwrap()
    };
    (0..frames).map(frame).collect()
}

/// The frames in batches, `[n, 3, h, w]`.
fn painted_in_batches(
    engine: &LibtorchEngine,
    film: &[Picture],
    (frames, band): (usize, i64),
    mut norms: Option<&mut SharedNorms>,
) -> Tensor {
    let _guard = tch::no_grad_guard();
    let mut painted = Vec::new();
    for batch in film.chunks(frames) {
        let mut bands: Vec<Vec<Tensor>> = batch.iter().map(|_| Vec::new()).collect();
        engine.paint_batch(batch, band, norms.as_deref_mut(), &mut |frame, band| {
            let size = [3, i64::from(band.rows), i64::from(band.width)];
            bands[frame].push(Tensor::from_slice(band.planes).view(size));
        });
        painted.extend(bands.iter().map(|bands| Tensor::cat(bands, 1)));
    }
    Tensor::stack(&painted, 0)
}

#[test]
fn batches_paint_what_single_frames_paint() {
    let default = NetConfig { width: 8, residual_blocks: 2, ..NetConfig::default() };
    let other = NetConfig { padding: Padding::ZeroSame, upsample: Upsample::Transposed, ..default.clone() };
    let film = film(5, 70, 45);
    for config in [default, other] {
        let engine = LibtorchEngine::new(net(&config), Kind::Float);
        let alone = painted_in_batches(&engine, &film, (1, 1000), None);
        let [mut one, mut two, mut three] = [(); 3].map(|()| SharedNorms::default());
        let steady = painted_in_batches(&engine, &film, (1, 1000), Some(&mut one));
        assert!(steady.get(0).equal(&alone.get(0)), "the first frame has its own statistics");
        assert!(largest_difference(&steady, &alone) > 1.0, "shared statistics matter");
        for (norms, way) in [(&mut two, (2, 1000)), (&mut three, (5, 8))] {
            let found = painted_in_batches(&engine, &film, way, None);
            assert!(largest_difference(&found, &alone) < 0.05, "{way:?}: {config:?}");
            let found = painted_in_batches(&engine, &film, way, Some(norms));
            assert!(largest_difference(&found, &steady) < 0.05, "{way:?}, steady: {config:?}");
        }
    }
}

#[test]
fn shared_statistics_are_those_of_the_cpus_engine() {
    for padding in [Padding::Reflect, Padding::ZeroSame] {
        let config = NetConfig { width: 8, residual_blocks: 2, padding, ..NetConfig::default() };
        let engine = LibtorchEngine::new(net(&config), Kind::Float);
        let cpu = CpuEngine::new(&net(&config));
        let film = film(4, 41, 60);
        let [mut norms, mut cpu_norms] = [(); 2].map(|()| SharedNorms::new(0.3));
        let found = painted_in_batches(&engine, &film, (4, 1000), Some(&mut norms));
        for (index, frame) in film.iter().enumerate() {
            let mut planes = Vec::new();
            let receive = &mut |band: Band<'_>| planes.extend_from_slice(band.planes);
            let (folder, clock) = (std::path::Path::new("."), &mut LayerClock::default());
            cpu.paint(frame, 1 << 30, folder, Some(&mut cpu_norms), clock, receive).unwrap();
            let expected = Tensor::from_slice(&planes).view([3, 41, 60]);
            let difference = largest_difference(&found.get(index as i64), &expected);
            assert!(difference < 0.05, "{padding:?}, frame {index}: {difference}");
        }
    }
}

#[test]
fn small_frames_are_painted_many_at_once_and_refused_batches_are_remembered() {
    let config = NetConfig { width: 8, residual_blocks: 0, ..NetConfig::default() };
    let engine = LibtorchEngine::new(net(&config), Kind::Float);
    let batches = [(1920, 1080), (3840, 2160), (15360, 8640), (64, 64)];
    assert_eq!(batches.map(|(width, height)| engine.preferred_batch(width, height)), [8, 2, 1, 16]);
    engine.refused_pixels.set(4 * 1920 * 1080);
    assert_eq!(batches.map(|(width, height)| engine.preferred_batch(width, height)), [3, 1, 1, 16]);
}

#[test]
fn results_arrive_where_the_last_ones_did() {
    let config = NetConfig { width: 8, residual_blocks: 0, ..NetConfig::default() };
    let engine = LibtorchEngine::new(net(&config), Kind::Float);
    let places: Vec<_> = film(3, 40, 40)
        .iter()
        .map(|frame| {
            let mut place = None;
            engine
                .paint(std::slice::from_ref(frame), None, &mut |_, band| place = Some(band.planes.as_ptr()))
                .unwrap();
            place.unwrap()
        })
        .collect();
    assert!(places.iter().all(|place| *place == places[0]));
}
